"""Identities and submissions: who is written as, what goes where, what is undone, what is refused."""

import time
from typing import Any

import pytest

from malleposte.delivery.leaving import Sending
from malleposte.delivery.outbound import Routing
from malleposte.services.jmap.settings import JmapSettings
from malleposte.services.jmap.times import utc_date
from malleposte.store.commands import (
    DELIVERED,
    FAILED,
    Outcome,
    RecordOutcomes,
    TakeQueued,
)
from malleposte.store.ids import mailbox_text
from malleposte.store.results import Done, Taken
from support.store import House, inbox
from unit.services.jmap.harness import Client
from unit.services.jmap.told import telling

DAY = 86_400


@pytest.fixture
async def client(house: House) -> Client:
    settings = JmapSettings(max_delayed_send=DAY, max_recipients=5)
    sending = Sending(routing=Routing())
    return Client(house, await house.account("ada"), settings, sending)


@pytest.fixture
async def bob(house: House) -> Client:
    return Client(house, await house.account("bob"))


async def identity(client: Client) -> str:
    answer = await client.call("Identity/get", ids=None)
    found: str = answer["list"][0]["id"]
    return found


async def draft(client: Client, **properties: Any) -> str:
    email: dict[str, Any] = {
        "mailboxIds": {mailbox_text(inbox(client.account)): True},
        "keywords": {"$draft": True},
        "from": [{"email": "ada@example.org"}],
        "to": [{"email": "bob@example.org"}],
        "subject": "Hello",
        "textBody": [{"partId": "t", "type": "text/plain"}],
        "bodyValues": {"t": {"value": "Hello there\n"}},
    }
    answer = await client.call("Email/set", create={"d": email | properties})
    assert answer["created"], answer
    made: str = answer["created"]["d"]["id"]
    return made


async def submit(client: Client, email: str, **more: Any) -> dict[str, Any]:
    who = more.pop("identityId", None) or await identity(client)
    return await client.call(
        "EmailSubmission/set", create={"s": {"identityId": who, "emailId": email} | more}
    )


async def sent(client: Client, email: str, **more: Any) -> dict[str, Any]:
    answer = await submit(client, email, **more)
    assert answer["created"], answer
    made: dict[str, Any] = answer["created"]["s"]
    return made


async def not_sent(client: Client, email: str, **more: Any) -> dict[str, Any]:
    answer = await submit(client, email, **more)
    assert answer["created"] is None, answer
    error: dict[str, Any] = answer["notCreated"]["s"]
    return error


async def arrived(client: Client) -> list[dict[str, Any]]:
    found = await client.call("Email/query")
    answer = await client.call(
        "Email/get", ids=found["ids"], properties=["subject", "bcc", "to", "header:Bcc:asRaw"]
    )
    emails: list[dict[str, Any]] = answer["list"]
    return emails


async def test_an_account_has_an_identity_from_the_start(client: Client) -> None:
    answer = await client.call("Identity/get", ids=None)
    (one,) = answer["list"]
    assert (one["email"], one["mayDelete"]) == ("ada@example.org", False)
    assert (one["textSignature"], one["replyTo"], one["bcc"]) == ("", None, None)
    again = await client.call("Identity/get", ids=[one["id"], "I999"])
    assert again["list"] == [one]
    assert again["notFound"] == ["I999"]
    assert again["state"] == answer["state"]


async def test_a_message_reaches_who_is_here_without_its_bcc(client: Client, bob: Client) -> None:
    email = await draft(client, bcc=[{"email": "bob@example.org"}])
    made = await sent(client, email)
    assert made["undoStatus"] == "final"
    (one,) = await arrived(bob)
    assert one["subject"] == "Hello"
    assert one["header:Bcc:asRaw"] is None
    kept = await client.call("EmailSubmission/get", ids=[made["id"]])
    (shown,) = kept["list"]
    assert shown["emailId"] == email
    assert [to["email"] for to in shown["envelope"]["rcptTo"]] == ["bob@example.org"]
    status = shown["deliveryStatus"]["bob@example.org"]
    assert status["delivered"] == "yes"
    assert status["smtpReply"].startswith("250 ")


async def test_what_waits_for_its_time_can_be_undone_once(client: Client, bob: Client) -> None:
    email = await draft(client)
    moment = int(time.time()) + 3_600
    envelope = {
        "mailFrom": {"email": "ada@example.org", "parameters": {"HOLDUNTIL": utc_date(moment)}},
        "rcptTo": [{"email": "bob@example.org", "parameters": {"NOTIFY": "NEVER"}}],
    }
    made = await sent(client, email, envelope=envelope)
    assert (made["undoStatus"], made["sendAt"]) == ("pending", utc_date(moment))
    assert made["deliveryStatus"]["bob@example.org"]["delivered"] == "queued"
    found = await client.call("EmailSubmission/query", filter={"undoStatus": "pending"})
    assert found["ids"] == [made["id"]]
    before = found["queryState"]
    cancel = {made["id"]: {"undoStatus": "canceled"}}
    assert (await client.call("EmailSubmission/set", update=cancel))["updated"] == {
        made["id"]: None
    }
    assert await client.house.rows("SELECT id FROM queue_message") == []
    moved = await client.call("EmailSubmission/changes", sinceState=before)
    assert moved["updated"] == [made["id"]]
    answer = await client.call("EmailSubmission/get", ids=[made["id"]])
    assert answer["list"][0]["undoStatus"] == "canceled"
    assert answer["list"][0]["deliveryStatus"]["bob@example.org"]["delivered"] == "no"
    assert await arrived(bob) == []


async def test_what_is_filed_already_is_not_undone(client: Client, bob: Client) -> None:
    made = await sent(client, await draft(client))
    answer = await client.call(
        "EmailSubmission/set", update={made["id"]: {"undoStatus": "canceled"}}
    )
    assert answer["notUpdated"][made["id"]]["type"] == "cannotUnsend"


async def test_mail_for_elsewhere_is_queued_until_it_is_tried(client: Client) -> None:
    made = await sent(client, await draft(client, to=[{"email": "carl@far.example"}]))
    assert made["undoStatus"] == "pending"
    await client.house.damage("UPDATE queue_recipient SET attempts = 1")
    answer = await client.call("EmailSubmission/get", ids=[made["id"]])
    assert answer["list"][0]["undoStatus"] == "final"
    undone = await client.call(
        "EmailSubmission/set", update={made["id"]: {"undoStatus": "canceled"}}
    )
    assert undone["notUpdated"][made["id"]]["type"] == "cannotUnsend"


async def test_a_sent_draft_is_moved_or_goes(client: Client, bob: Client) -> None:
    first, second = await draft(client), await draft(client)
    who = await identity(client)
    sent_box = mailbox_text(await client.house.standard(client.account, "sent"))
    answers = await client.calls(
        (
            "EmailSubmission/set",
            {
                "create": {
                    "a": {"identityId": who, "emailId": first},
                    "b": {"identityId": who, "emailId": second},
                    "c": {"identityId": who, "emailId": "E1"},
                },
                "onSuccessUpdateEmail": {
                    "#a": {"mailboxIds": {sent_box: True}, "keywords/$draft": None},
                    "#c": {"keywords/$seen": True},
                },
                "onSuccessDestroyEmail": ["#b"],
            },
        )
    )
    assert [name for name, _, _ in answers] == ["EmailSubmission/set", "Email/set"]
    assert answers[0][2] == answers[1][2]
    assert list(answers[0][1]["notCreated"]) == ["c"]
    assert list(answers[1][1]["updated"]) == [first]
    assert answers[1][1]["destroyed"] == [second]
    answer = await client.call("Email/get", ids=[first], properties=["mailboxIds", "keywords"])
    assert answer["list"][0]["mailboxIds"] == {sent_box: True}
    assert "$draft" not in answer["list"][0]["keywords"]


async def test_who_may_not_write_so_sends_nothing(client: Client, bob: Client) -> None:
    email = await draft(client, **{"from": [{"email": "bob@example.org"}]})
    assert (await not_sent(client, email))["type"] == "forbiddenFrom"
    envelope = {
        "mailFrom": {"email": "bob@example.org"},
        "rcptTo": [{"email": "bob@example.org"}],
    }
    assert (await not_sent(client, await draft(client), envelope=envelope))["type"] == (
        "forbiddenMailFrom"
    )
    theirs = await draft(bob, **{"from": [{"email": "bob@example.org"}]})
    assert (await not_sent(client, theirs))["properties"] == ["emailId"]
    assert (await not_sent(client, email, identityId="I1"))["properties"] == ["identityId"]
    assert await client.house.rows("SELECT id FROM trace") == []


async def test_recipients_that_cannot_be_are_named(client: Client) -> None:
    assert (await not_sent(client, await draft(client, to=None)))["type"] == "noRecipients"
    many = [{"email": f"p{n}@far.example"} for n in range(6)]
    error = await not_sent(client, await draft(client, to=many))
    assert (error["type"], error["maxRecipients"]) == ("tooManyRecipients", 5)
    email = await draft(client, to=[{"email": "nobody@example.org"}])
    error = await not_sent(client, email)
    assert (error["type"], error["invalidRecipients"]) == (
        "invalidRecipients",
        ["nobody@example.org"],
    )
    for address in ("a b@far.example", "x@y\r\nRCPT TO:<z@far.example>", "", "far.example"):
        envelope = {"mailFrom": {"email": "ada@example.org"}, "rcptTo": [{"email": address}]}
        error = await not_sent(client, email, envelope=envelope)
        assert error["invalidRecipients"] == [address]


async def test_an_envelope_that_cannot_be_kept_sends_nothing(client: Client, bob: Client) -> None:
    envelope = {
        "mailFrom": {"email": "ada@example.org"},
        "rcptTo": [{"email": "bob@example.org", "parameters": {"ORCPT": "x" * 300_000}}],
    }
    error = await not_sent(client, await draft(client), envelope=envelope)
    assert error["type"] == "tooLarge"
    assert await arrived(bob) == []


async def test_parameters_that_are_not_understood_are_refused(client: Client, bob: Client) -> None:
    email = await draft(client)
    for parameters in (
        {"HOLDFOR": str(2 * DAY)},
        {"HOLDFOR": "x"},
        {"HOLDUNTIL": "tomorrow"},
        {"RET": "SOME"},
        {"NEW": None},
    ):
        envelope = {
            "mailFrom": {"email": "ada@example.org", "parameters": parameters},
            "rcptTo": [{"email": "bob@example.org"}],
        }
        assert (await not_sent(client, email, envelope=envelope))["properties"] == ["envelope"]
    assert await arrived(bob) == []


async def test_where_nothing_is_sent_elsewhere_it_says_so(house: House) -> None:
    client = Client(house, await house.account("ada"))
    error = await not_sent(client, await draft(client, to=[{"email": "carl@far.example"}]))
    assert error["type"] == "forbiddenToSend"


async def test_submissions_are_found_and_forgotten(client: Client, bob: Client) -> None:
    email = await draft(client)
    first, second = await sent(client, email), await sent(client, email)
    sort = [{"property": "sentAt", "isAscending": False}]
    found = await client.call(
        "EmailSubmission/query", filter={"emailIds": [email]}, sort=sort, calculateTotal=True
    )
    assert (set(found["ids"]), found["total"]) == ({first["id"], second["id"]}, 2)
    none = {"operator": "NOT", "conditions": [{"undoStatus": "final"}]}
    assert (await client.call("EmailSubmission/query", filter=none))["ids"] == []
    assert await client.error("EmailSubmission/query", filter={"a": 1}) == "unsupportedFilter"
    bad = [{"property": "size"}]
    assert await client.error("EmailSubmission/query", sort=bad) == "unsupportedSort"
    gone = await client.call("EmailSubmission/set", destroy=[first["id"], "S1"])
    assert gone["destroyed"] == [first["id"]]
    assert gone["notDestroyed"]["S1"]["type"] == "notFound"
    moved = await client.call("EmailSubmission/changes", sinceState=gone["oldState"])
    assert moved["destroyed"] == [first["id"]]
    assert len(await arrived(bob)) == 2


async def test_anothers_submissions_are_not_there(client: Client, bob: Client) -> None:
    made = await sent(client, await draft(client))
    assert (await bob.call("EmailSubmission/get", ids=[made["id"]]))["notFound"] == [made["id"]]
    answer = await bob.call("EmailSubmission/set", destroy=[made["id"]])
    assert answer["notDestroyed"][made["id"]]["type"] == "notFound"


async def test_a_message_is_never_sent_without_its_submission(
    client: Client, bob: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = await draft(client)
    given = []
    submit_ = client.house.store.writer.submit

    async def noted(command: Any, fd: int | None = None) -> Any:
        given.append(command)
        return await submit_(command, fd)

    monkeypatch.setattr(client.house.store.writer, "submit", noted)
    who = await identity(client)
    given.clear()
    await sent(client, email, identityId=who)
    # One command: a server that falls over has done both or neither.
    assert [type(command).__name__ for command in given] == ["Deliver"]
    ((trace,),) = await client.house.rows("SELECT trace FROM email_submission")
    assert await client.house.rows("SELECT id FROM trace") == [(trace,)]


async def test_a_submission_that_goes_on_by_itself_is_told_of(client: Client) -> None:
    house = client.house
    far = {"to": [{"email": "carl@far.example"}, {"email": "dora@far.example"}]}
    made = await sent(client, await draft(client, **far))
    pending = {"filter": {"undoStatus": "pending"}}
    listed = await client.call("EmailSubmission/query", **pending)
    assert listed["ids"] == [made["id"]]
    state = (await client.call("EmailSubmission/get", ids=[]))["state"]
    assert (await client.call("EmailSubmission/changes", sinceState=state))["newState"] == state
    taken = await house.do(TakeQueued(seconds=60, routes=9, each=9), Taken)
    (message,) = taken.messages
    moved = await client.call("EmailSubmission/changes", sinceState=state)
    assert (moved["updated"], moved["created"]) == ([made["id"]], [])
    changes = await client.call(
        "EmailSubmission/queryChanges", sinceQueryState=listed["queryState"], **pending
    )
    assert (changes["removed"], changes["added"]) == ([made["id"]], [])
    state = moved["newState"]
    for recipient, how in zip(message.recipients, (DELIVERED, FAILED), strict=True):
        outcome = Outcome(
            message=message.id, n=recipient.n, attempt=1, state=how, said="250 Done", host="mx"
        )
        await house.do(RecordOutcomes(outcomes=(outcome,)), Done)
        moved = await client.call("EmailSubmission/changes", sinceState=state)
        assert moved["updated"] == [made["id"]]
        assert moved["newState"] != state
        state = moved["newState"]
    shown = (await client.call("EmailSubmission/get", ids=[made["id"]]))["list"][0]
    status = {who: one["delivered"] for who, one in shown["deliveryStatus"].items()}
    assert status == {"carl@far.example": "unknown", "dora@far.example": "no"}
    # Nothing more comes of it, and nobody looks again.
    assert await house.rows("SELECT ended FROM email_submission") == [(1,)]
    assert (await client.call("EmailSubmission/changes", sinceState=state))["newState"] == state


async def test_a_list_of_submissions_is_brought_up_to_date(client: Client, bob: Client) -> None:
    email = await draft(client)
    first = await sent(client, email)
    how = {"sort": [{"property": "sentAt"}], "filter": {"emailIds": [email]}}
    before = await client.call("EmailSubmission/query", **how)
    assert before["canCalculateChanges"] is True
    second = await sent(client, email)
    await sent(client, await draft(client))
    await client.call("EmailSubmission/set", destroy=[first["id"]])
    found = await client.call(
        "EmailSubmission/queryChanges", sinceQueryState=before["queryState"], **how
    )
    assert first["id"] in found["removed"]
    assert found["added"] == [{"id": second["id"], "index": 0}]
    error = await client.error("EmailSubmission/queryChanges", sinceQueryState="99999", **how)
    assert error == "cannotCalculateChanges"


async def test_who_listens_hears_what_becomes_of_a_submission(client: Client) -> None:
    async with telling(client.house, client) as told:
        made = await sent(client, await draft(client, to=[{"email": "carl@far.example"}]))
        state = (await client.call("EmailSubmission/get", ids=[]))["state"]
        source = await told.source("types=EmailSubmission")
        await source.event()
        await client.house.do(TakeQueued(seconds=60, routes=9, each=9), Taken)
        await told.streams.look(time.monotonic() + 60)
        event = await source.event()
        told_state = event["data"]["changed"][client.id]["EmailSubmission"]
        found = await client.call("EmailSubmission/changes", sinceState=state)
        assert (found["updated"], found["newState"]) == ([made["id"]], told_state)
