"""Accounts of others: what their rights show and allow, by JMAP as by IMAP, and nothing beyond."""

from typing import Any

import msgspec
import pytest

from malleposte.services.jmap.methods import CAPABILITIES
from malleposte.store.commands import DeleteAccount, DeleteMailbox
from malleposte.store.flags import FLAGGED, SEEN
from malleposte.store.ids import account_text, email_text, mailbox_text, thread_text
from malleposte.store.read import sharers
from malleposte.store.results import Done
from support.store import House, inbox, rendered
from support.views import look
from unit.services.jmap.harness import Client

LETTER = b"From: eve@example.com\r\nSubject: Offer\r\n\r\nHello\r\n"


@pytest.fixture
async def ada(house: House) -> Client:
    return Client(house, await house.account("ada"))


@pytest.fixture
async def bob(house: House) -> Client:
    return Client(house, await house.account("bob"))


async def session(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode((await client.http("GET", "/jmap/session")).body)
    # But for what is there for all: the book of colleagues.
    found["accounts"] = {id_: one for id_, one in found["accounts"].items() if id_[0] == "A"}
    return found


async def boxes(client: Client, of: Client) -> dict[str, dict[str, Any]]:
    answer = await client.call("Mailbox/get", accountId=of.id, ids=None)
    return {box["name"]: box for box in answer["list"]}


async def emails(client: Client, of: Client, *names: str, **more: Any) -> list[dict[str, Any]]:
    query = await client.call("Email/query", accountId=of.id, **more)
    got = await client.call(
        "Email/get", accountId=of.id, ids=query["ids"], properties=list(names) or ["id"]
    )
    found: list[dict[str, Any]] = got["list"]
    return found


async def test_an_account_is_there_as_long_as_it_shows_a_mailbox(ada: Client, bob: Client) -> None:
    house = ada.house
    assert list((await session(bob))["accounts"]) == [bob.id]
    await house.grant(inbox(ada.account), bob.account, "r")  # without l there is nothing to see
    assert list((await session(bob))["accounts"]) == [bob.id]
    assert await bob.error("Mailbox/get", accountId=ada.id) == "accountNotFound"
    before = await session(bob)
    await house.grant(inbox(ada.account), bob.account, "lr")
    found = await session(bob)
    assert found["state"] != before["state"]
    shown = found["accounts"][ada.id]
    assert (shown["name"], shown["isPersonal"], shown["isReadOnly"]) == (
        "ada@example.org",
        False,
        True,
    )
    of_mail = shown["accountCapabilities"]["urn:ietf:params:jmap:mail"]
    assert of_mail["mayCreateTopLevelMailbox"] is False
    assert "urn:ietf:params:jmap:submission" not in shown["accountCapabilities"]
    owner = shown["accountCapabilities"]["urn:ietf:params:jmap:principals:owner"]
    assert owner["accountIdForPrincipal"] == bob.id
    assert ada.id not in found["primaryAccounts"].values()
    await house.grant(inbox(ada.account), bob.account, "lrsk")
    shown = (await session(bob))["accounts"][ada.id]
    assert shown["isReadOnly"] is False
    of_mail = shown["accountCapabilities"]["urn:ietf:params:jmap:mail"]
    assert of_mail["mayCreateTopLevelMailbox"] is True
    await house.grant(inbox(ada.account), bob.account, "")
    assert list((await session(bob))["accounts"]) == [bob.id]


async def test_what_is_for_anyone_shows_in_the_session_of_colleagues(
    ada: Client, bob: Client
) -> None:
    await ada.house.grant(inbox(ada.account), 0, "lr")
    assert set((await session(bob))["accounts"]) == {ada.id, bob.id}
    assert list((await session(ada))["accounts"]) == [ada.id]
    await ada.house.do(DeleteAccount(account=ada.account), Done)
    assert list((await session(bob))["accounts"]) == [bob.id]


async def test_a_session_names_so_many_accounts_of_others(
    ada: Client, bob: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharers, "OPENED", 1)
    house = ada.house
    carol = await house.account("carol")
    for owner in (carol, ada.account):
        await house.grant(inbox(owner), bob.account, "lr")
    assert set((await session(bob))["accounts"]) == {ada.id, bob.id}
    # What is not named is there all the same.
    answer = await bob.call("Mailbox/get", accountId=account_text(carol), ids=[])
    assert answer["list"] == []


async def test_mailboxes_that_are_not_there_to_a_reader_leave_no_trace(
    ada: Client, bob: Client
) -> None:
    house = ada.house
    top = await house.mailbox(ada.account, "Projects")
    low = await house.mailbox(ada.account, "2026", parent=top)
    await house.grant(low, bob.account, "lrs")
    found = await boxes(bob, ada)
    assert list(found) == ["Projects/2026"]
    one = found["Projects/2026"]
    assert (one["parentId"], one["isSubscribed"]) == (None, False)
    rights = one["myRights"]
    assert (rights["mayReadItems"], rights["maySetSeen"], rights["mayAddItems"]) == (
        True,
        True,
        False,
    )
    got = await bob.call(
        "Mailbox/get", accountId=ada.id, ids=[mailbox_text(top), mailbox_text(low), "Mabc"]
    )
    assert got["notFound"] == [mailbox_text(top), "Mabc"]
    await house.grant(top, bob.account, "lr")
    assert {name: box["parentId"] for name, box in (await boxes(bob, ada)).items()} == {
        "Projects": None,
        "2026": mailbox_text(top),
    }


async def test_counts_are_what_the_reader_has_not_read(ada: Client, bob: Client) -> None:
    house = ada.house
    await house.fill(ada.account, 3)
    await house.grant(inbox(ada.account), bob.account, "lrs")
    await house.flag(inbox(ada.account), ((1, 2),), flags=SEEN)  # by the owner
    box = (await boxes(bob, ada))["INBOX"]
    assert (box["totalEmails"], box["unreadEmails"], box["unreadThreads"]) == (3, 1, 1)
    await house.flag(inbox(ada.account), ((1, 1),), "-", actor=bob.account, flags=SEEN)
    box = (await boxes(bob, ada))["INBOX"]
    assert (box["unreadEmails"], (await boxes(ada, ada))["INBOX"]["unreadEmails"]) == (2, 1)
    # Who may only look it up is told nothing of what is in it.
    await house.grant(inbox(ada.account), bob.account, "l")
    box = (await boxes(bob, ada))["INBOX"]
    assert (box["totalEmails"], box["unreadEmails"]) == (0, 0)


async def test_emails_are_seen_in_the_mailboxes_of_the_reader_alone(
    ada: Client, bob: Client
) -> None:
    house = ada.house
    team = await house.mailbox(ada.account, "Team")
    await house.grant(team, bob.account, "lrs")
    about = rendered(message_id="a@x")
    secret = await house.deliver(ada.account, about=about)
    shown = await house.deliver(
        ada.account,
        mailbox=team,
        about=rendered(message_id="b@x", subject="Re: Hello", references=("a@x",)),
    )
    # One that stands in both.
    await house.copy(team, inbox(ada.account), actor=ada.account)
    found = await emails(bob, ada, "id", "mailboxIds", "threadId")
    assert [one["id"] for one in found] == [email_text(shown.email)]
    assert found[0]["mailboxIds"] == {mailbox_text(team): True}
    threads = await bob.call("Thread/get", accountId=ada.id, ids=[found[0]["threadId"]])
    assert threads["list"][0]["emailIds"] == [email_text(shown.email)]
    got = await bob.call(
        "Email/get", accountId=ada.id, ids=[email_text(secret.email), email_text(1 << 40)]
    )
    assert len(got["notFound"]) == 2
    # No filter tells of what is hidden.
    hidden = mailbox_text(inbox(ada.account))
    for filter_ in ({"inMailbox": hidden}, {"inMailboxOtherThan": [mailbox_text(team)]}):
        assert await emails(bob, ada, filter=filter_) == []
    await house.flag(inbox(ada.account), ((1, 1),), flags=FLAGGED)
    assert await emails(bob, ada, filter={"someInThreadHaveKeyword": "$flagged"}) == []
    # Nor do ids of his account in another's, or the other way round.
    assert (await bob.call("Email/get", ids=[email_text(shown.email)]))["list"] == []
    alone = await house.deliver(bob.account)
    got = await bob.call("Email/get", accountId=ada.id, ids=[email_text(alone.email)])
    assert got["list"] == []


async def test_seen_is_the_readers_own_and_other_keywords_are_everybodys(
    ada: Client, bob: Client
) -> None:
    house = ada.house
    filed = await house.deliver(ada.account)
    id_ = email_text(filed.email)
    await house.grant(inbox(ada.account), bob.account, "lrs")
    update = {id_: {"keywords/$seen": True}}
    answer = await bob.call("Email/set", accountId=ada.id, update=update)
    assert answer["updated"] == {id_: None}
    assert answer["newState"] != answer["oldState"]
    assert (await emails(bob, ada, "keywords"))[0]["keywords"] == {"$seen": True}
    assert (await emails(ada, ada, "keywords"))[0]["keywords"] == {}
    assert len(await emails(bob, ada, filter={"hasKeyword": "$seen"})) == 1
    assert len(await emails(ada, ada, filter={"hasKeyword": "$seen"})) == 0
    assert (await house.email(inbox(ada.account), 1))["flags"] == 0
    star = {id_: {"keywords/$flagged": True}}
    answer = await bob.call("Email/set", accountId=ada.id, update=star)
    assert answer["notUpdated"][id_]["type"] == "forbidden"
    await house.grant(inbox(ada.account), bob.account, "lrsw")
    await bob.call("Email/set", accountId=ada.id, update=star)
    assert (await emails(ada, ada, "keywords"))[0]["keywords"] == {"$flagged": True}
    assert (await house.email(inbox(ada.account), 1))["flags"] == FLAGGED


async def test_each_right_is_asked_for(ada: Client, bob: Client) -> None:
    house = ada.house
    box = inbox(ada.account)
    filed = await house.deliver(ada.account)
    id_, name = email_text(filed.email), mailbox_text(box)
    draft = {"mailboxIds": {name: True}, "subject": "x"}
    await house.grant(box, bob.account, "l")
    blob = await upload(bob, ada, LETTER)
    import_ = {"m": {"blobId": blob, "mailboxIds": {name: True}}}
    await house.grant(box, bob.account, "lr")
    for method, more in (
        ("Email/set", {"create": {"d": draft}}),
        ("Email/import", {"emails": import_}),
        ("Email/copy", {"fromAccountId": bob.id, "create": {}}),
    ):
        assert await bob.error(method, accountId=ada.id, **more) == "accountReadOnly"
    for letters in ("lrt", "lre", "lrsw"):
        await house.grant(box, bob.account, letters)
        answer = await bob.call("Email/set", accountId=ada.id, create={"d": draft}, destroy=[id_])
        assert answer["notCreated"]["d"]["type"] == "forbidden", letters
        assert answer["notDestroyed"][id_]["type"] == "forbidden", letters
        answer = await bob.call("Email/import", accountId=ada.id, emails=import_)
        assert answer["notCreated"]["m"]["type"] == "forbidden", letters
    await house.grant(box, bob.account, "lri")
    answer = await bob.call("Email/set", accountId=ada.id, create={"d": draft})
    assert answer["created"]["d"]["id"]
    answer = await bob.call("Email/import", accountId=ada.id, emails=import_)
    assert answer["created"]["m"]["id"]
    await house.grant(box, bob.account, "lrte")
    answer = await bob.call("Email/set", accountId=ada.id, destroy=[id_])
    assert answer["destroyed"] == [id_]
    # What a reader removes its owner can bring back.
    assert await house.rows("SELECT email FROM recoverable") == [(filed.email,)]


async def upload(client: Client, to: Client, octets: bytes) -> str:
    response = await client.http("POST", f"/jmap/upload/{to.id}/", octets, kind="message/rfc822")
    assert response.status == 201, response
    found: str = msgspec.json.decode(response.body)["blobId"]
    return found


async def download(client: Client, of: Client, blob: str) -> int:
    return (await client.http("GET", f"/jmap/download/{of.id}/{blob}/x")).status


async def test_blobs_are_read_by_rights_and_uploads_are_their_uploaders(
    ada: Client, bob: Client
) -> None:
    house = ada.house
    id_ = await ada.put(LETTER)
    assert await download(bob, ada, id_) == 404  # no such account for him
    team = await house.mailbox(ada.account, "Team")
    await house.grant(team, bob.account, "lri")
    assert await download(bob, ada, id_) == 404
    assert await download(bob, bob, id_) == 404
    await house.grant(inbox(ada.account), bob.account, "lr")
    assert await download(bob, ada, id_) == 200
    parsed = await bob.call("Email/parse", accountId=ada.id, blobIds=[id_])
    assert parsed["parsed"][id_]["subject"] == "Offer"
    await house.grant(inbox(ada.account), bob.account, "")
    assert await download(bob, ada, id_) == 404
    mine, there = await upload(bob, bob, LETTER), await upload(bob, ada, LETTER)
    assert [await download(bob, of, blob) for of in (bob, ada) for blob in (mine, there)] == [
        200,
        404,
        404,
        200,
    ]
    # Its owner does not have what others bring to her account, nor do they count as hers.
    assert await download(ada, ada, there) == 404
    assert await house.rows("SELECT DISTINCT account FROM upload") == [(bob.account,)]
    parsed = await bob.call("Email/parse", accountId=ada.id, blobIds=[mine, f"{there}-1"])
    assert parsed["notFound"] == [mine]
    await house.grant(team, bob.account, "")
    assert (await bob.http("POST", f"/jmap/upload/{ada.id}/", b"x")).status == 404
    assert await download(bob, ada, there) == 404


async def states(client: Client, of: Client) -> tuple[str, str, str, str]:
    answers = await client.calls(
        ("Mailbox/get", {"accountId": of.id, "ids": []}),
        ("Email/get", {"accountId": of.id, "ids": []}),
        ("Thread/get", {"accountId": of.id, "ids": []}),
        ("Email/query", {"accountId": of.id}),
    )
    box, email, thread, query = (answer[1] for answer in answers)
    return box["state"], email["state"], thread["state"], query["queryState"]


async def errors(client: Client, of: Client, before: tuple[str, str, str, str]) -> list[str]:
    """The error of each kind's changes; '' for none."""
    answers = await client.calls(
        *(
            (f"{kind}/changes", {"accountId": of.id, "sinceState": since})
            for kind, since in zip(("Mailbox", "Email", "Thread"), before, strict=False)
        ),
        ("Email/queryChanges", {"accountId": of.id, "sinceQueryState": before[3]}),
    )
    return [answer.get("type", "") for _, answer, _ in answers]


async def test_changes_are_told_while_the_rights_are_the_same(ada: Client, bob: Client) -> None:
    house = ada.house
    team = await house.mailbox(ada.account, "Team")
    await house.grant(team, bob.account, "lrs")
    old = await house.deliver(ada.account, mailbox=team)
    before = await states(bob, ada)
    assert await errors(bob, ada, before) == [""] * 4
    new = await house.deliver(ada.account, mailbox=team)
    await house.deliver(ada.account)  # none of his business
    await house.flag(team, ((1, 1),), actor=bob.account, flags=SEEN)
    found = await bob.call("Email/changes", accountId=ada.id, sinceState=before[1])
    assert found["created"] == [email_text(new.email)]
    assert (found["updated"], found["destroyed"]) == ([email_text(old.email)], [])
    assert found["newState"] == (await states(bob, ada))[1]
    owners = await ada.call("Email/changes", sinceState=before[1].split(".")[0])
    assert len(owners["created"]) == 2
    found = await bob.call("Thread/changes", accountId=ada.id, sinceState=before[2])
    assert len(found["created"]) == 1
    found = await bob.call("Mailbox/changes", accountId=ada.id, sinceState=before[0])
    assert found["updated"] == [mailbox_text(team)]
    found = await bob.call("Email/queryChanges", accountId=ada.id, sinceQueryState=before[3])
    assert {one["id"] for one in found["added"]} == {
        email_text(old.email),
        email_text(new.email),
    }
    assert set(found["removed"]) == {one["id"] for one in found["added"]}
    # A mailbox that is made below, under the same list.
    below = await house.mailbox(ada.account, "Below", parent=team)
    found = await bob.call("Mailbox/changes", accountId=ada.id, sinceState=before[0])
    assert found["created"] == [mailbox_text(below)]
    assert await errors(bob, ada, before) == [""] * 4
    # What leaves for where he does not see it is gone.
    await house.copy(team, inbox(ada.account), ((1, 1),), move=True)
    found = await bob.call("Email/changes", accountId=ada.id, sinceState=before[1])
    assert found["destroyed"] == [email_text(old.email)]


async def test_rights_that_become_others_end_the_telling(ada: Client, bob: Client) -> None:
    house = ada.house
    team = await house.mailbox(ada.account, "Team")
    await house.grant(team, bob.account, "lrs")
    await house.fill(ada.account, 2, team)
    cannot = "cannotCalculateChanges"
    before = await states(bob, ada)
    # He sees more.
    await house.grant(inbox(ada.account), bob.account, "lr")
    assert await errors(bob, ada, before) == [cannot] * 4
    before = await states(bob, ada)
    # Other rights on what he sees: its emails are the same.
    await house.grant(team, bob.account, "lrsw")
    assert await errors(bob, ada, before) == [cannot, "", "", ""]
    before = await states(bob, ada)
    # He sees less.
    await house.grant(inbox(ada.account), bob.account, "")
    assert await errors(bob, ada, before) == [cannot] * 4
    before = await states(bob, ada)
    # What others may is nothing to him.
    carol = await house.account("carol")
    await house.grant(team, carol, "lr")
    assert await errors(bob, ada, before) == [""] * 4
    await house.do(DeleteMailbox(actor=ada.account, mailbox=team), Done)
    assert await errors(bob, ada, before) == ["accountNotFound"] * 4


async def test_a_state_half_way_ends_with_the_rights_it_began_under(
    ada: Client, bob: Client
) -> None:
    house = ada.house
    await house.grant(inbox(ada.account), bob.account, "lr")
    team = await house.mailbox(ada.account, "Team")
    (_, since, _, _) = await states(bob, ada)
    await house.fill(ada.account, 5)
    found = await bob.call("Email/changes", accountId=ada.id, sinceState=since, maxChanges=2)
    assert found["hasMoreChanges"]
    half = found["newState"]
    rest = await bob.call("Email/changes", accountId=ada.id, sinceState=half)
    assert len(found["created"] + rest["created"]) == 5
    assert rest["newState"] == (await states(bob, ada))[1]
    await house.grant(team, bob.account, "lr")
    error = await bob.error("Email/changes", accountId=ada.id, sinceState=half)
    assert error == "cannotCalculateChanges"


async def test_rights_taken_away_in_the_middle_of_a_request(ada: Client, bob: Client) -> None:
    """The second call of a request is answered by what is then so, and ids got before open nothing."""
    house = ada.house
    filed = await house.deliver(ada.account)
    id_ = email_text(filed.email)
    await house.grant(inbox(ada.account), bob.account, "lrswteia")
    name = mailbox_text(inbox(ada.account))
    taken = {name: {f"shareWith/P{bob.account:x}": None}}
    answers = await bob.calls(
        ("Email/get", {"accountId": ada.id, "ids": [id_], "properties": ["id"]}),
        ("Mailbox/set", {"accountId": ada.id, "update": taken}),
        ("Email/get", {"accountId": ada.id, "ids": [id_], "properties": ["id"]}),
        ("Email/set", {"accountId": ada.id, "destroy": [id_]}),
    )
    assert answers[0][1]["list"] == [{"id": id_}]
    assert answers[1][1]["updated"] is not None, answers[1]
    assert [answer[1].get("type") for answer in answers[2:]] == ["accountNotFound"] * 2
    assert len(await house.uids(inbox(ada.account))) == 1


async def test_what_is_not_shared_is_not_supported_in_anothers_account(
    ada: Client, bob: Client
) -> None:
    await ada.house.grant(inbox(ada.account), bob.account, "lr")
    for method in ("Identity/get", "VacationResponse/get", "SieveScript/get", "Principal/get"):
        error = await bob.error(method, accountId=ada.id)
        assert error == "accountNotSupportedByMethod", method
        carol = account_text(ada.account + 7)
        assert await bob.error(method, accountId=carol) == "accountNotFound", method


@pytest.mark.parametrize("letters", ["", "r", "a"])
async def test_guessing_ids_of_others_finds_nothing(ada: Client, bob: Client, letters: str) -> None:
    """Whatever is asked of an account that shows nothing, it is as if there were none."""
    house = ada.house
    filed = await house.deliver(ada.account)
    if letters:
        await house.grant(inbox(ada.account), bob.account, letters)
    id_, box = email_text(filed.email), mailbox_text(inbox(ada.account))
    mine = mailbox_text(inbox(bob.account))
    calls: list[tuple[str, dict[str, Any]]] = [
        ("Mailbox/get", {"ids": [box]}),
        ("Mailbox/changes", {"sinceState": "0"}),
        ("Email/get", {"ids": [id_]}),
        ("Email/query", {"filter": {"inMailbox": box}}),
        ("Email/changes", {"sinceState": "0"}),
        ("Email/set", {"update": {id_: {"keywords/$seen": True}}}),
        ("Email/parse", {"blobIds": [id_]}),
        ("Thread/get", {"ids": [thread_text(ada.account << 32 | 1)]}),
        ("Mailbox/set", {"update": {box: {"name": "x"}}}),
    ]
    found = await bob.calls(*((name, more | {"accountId": ada.id}) for name, more in calls))
    assert [answer[1].get("type") for answer in found] == ["accountNotFound"] * len(calls)
    # In his own account ids of hers are nobody's.
    answer = await bob.call("Email/set", update={id_: {f"mailboxIds/{mine}": True}}, destroy=[id_])
    assert answer["notUpdated"][id_]["type"] in ("notFound", "willDestroy")
    assert answer["notDestroyed"][id_]["type"] == "notFound"
    ownid = email_text((await house.deliver(bob.account)).email)
    answer = await bob.call("Email/set", update={ownid: {f"mailboxIds/{box}": True}})
    assert answer["notUpdated"][ownid]["type"] == "invalidProperties"
    copy = {"c": {"id": id_, "mailboxIds": {mine: True}}}
    error = await bob.error("Email/copy", fromAccountId=ada.id, create=copy)
    assert error == "fromAccountNotFound"


async def test_rights_shown_to_who_does_not_know_of_sharing_are_those_of_rfc_8621(
    ada: Client, bob: Client
) -> None:
    await ada.house.grant(inbox(ada.account), bob.account, "lrswipkxtea")
    using = sorted(CAPABILITIES - {"urn:ietf:params:jmap:principals"})
    call = ["Mailbox/get", {"accountId": ada.id, "ids": None}, "0"]
    _, answer = await bob.request({"using": using, "methodCalls": [call]})
    (box,) = answer["methodResponses"][0][1]["list"]
    assert "shareWith" not in box
    assert set(box["myRights"].values()) == {True}
    assert len(box["myRights"]) == 9


async def test_subscriptions_to_others_mailboxes_are_the_readers_own(
    ada: Client, bob: Client
) -> None:
    house = ada.house
    team = await house.mailbox(ada.account, "Team")
    low = await house.mailbox(ada.account, "Low", parent=team)
    for box in (inbox(ada.account), low):
        await house.grant(box, bob.account, "lr")
    state = (await states(bob, ada))[0]
    wanted = {mailbox_text(box): {"isSubscribed": True} for box in (inbox(ada.account), low)}
    answer = await bob.call("Mailbox/set", accountId=ada.id, update=wanted)
    assert answer["updated"] == dict.fromkeys(wanted)
    assert [box["isSubscribed"] for box in (await boxes(bob, ada)).values()] == [True, True]
    names = await house.rows("SELECT account, name, mailbox FROM subscription ORDER BY name")
    assert names == [
        (bob.account, "Other Users/ada@example.org", inbox(ada.account)),
        (bob.account, "Other Users/ada@example.org/Team/Low", low),
    ]
    error = await bob.error("Mailbox/changes", accountId=ada.id, sinceState=state)
    assert error == "cannotCalculateChanges"
    wanted = {mailbox_text(low): {"isSubscribed": False}}
    await bob.call("Mailbox/set", accountId=ada.id, update=wanted)
    assert (await boxes(bob, ada))["Team/Low"]["isSubscribed"] is False
    assert (await house.info(low)).subscribed


async def test_mailboxes_are_made_changed_and_removed_by_rights(ada: Client, bob: Client) -> None:
    house = ada.house
    team = await house.mailbox(ada.account, "Team")
    await house.grant(team, bob.account, "lr")
    new = {"t": {"name": "New", "parentId": mailbox_text(team)}}
    answer = await bob.call("Mailbox/set", accountId=ada.id, create=new)
    assert answer["notCreated"]["t"]["type"] == "forbidden"
    await house.grant(team, bob.account, "lrk")
    new["t"]["isSubscribed"] = True  # type: ignore[assignment]
    answer = await bob.call("Mailbox/set", accountId=ada.id, create=new)
    made = answer["created"]["t"]["id"]
    found = await boxes(bob, ada)
    assert (found["New"]["id"], found["New"]["isSubscribed"]) == (made, True)
    for patch in ({"name": "Old"}, {"sortOrder": 3}, {"role": "archive"}):
        answer = await bob.call("Mailbox/set", accountId=ada.id, update={made: patch})
        assert answer["notUpdated"][made]["type"] == "forbidden", patch
    answer = await bob.call("Mailbox/set", accountId=ada.id, destroy=[made])
    assert answer["notDestroyed"][made]["type"] == "forbidden"
    await house.grant(team, bob.account, "lrkx")
    answer = await bob.call("Mailbox/set", accountId=ada.id, update={made: {"name": "Old"}})
    assert answer["updated"] == {made: None}
    assert "Old" in await boxes(ada, ada)
    answer = await bob.call("Mailbox/set", accountId=ada.id, destroy=[made])
    assert answer["destroyed"] == [made]
    assert list(await boxes(bob, ada)) == ["Team"]


async def test_a_get_of_many_is_as_many_statements_as_of_one(ada: Client, bob: Client) -> None:
    house = ada.house
    await house.fill(ada.account, 30)
    await house.grant(inbox(ada.account), bob.account, "lrs")
    ids = [one["id"] for one in await emails(bob, ada)]
    counted: list[int] = []
    for some in (ids[:1], ids):
        reader = house.store.reader
        count = 0
        rows = type(reader).rows

        async def counting(self: Any, *arguments: Any) -> Any:
            nonlocal count
            count += 1
            return await rows(self, *arguments)  # noqa: B023

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(type(reader), "rows", counting)
            got = await bob.call(
                "Email/get", accountId=ada.id, ids=some, properties=["keywords", "mailboxIds"]
            )
        assert len(got["list"]) == len(some)
        counted.append(count)
    assert counted[0] == counted[1]


async def test_what_is_done_by_jmap_is_seen_by_imap_and_the_other_way_round(
    ada: Client, bob: Client
) -> None:
    house, box = ada.house, inbox(ada.account)
    filed = await house.fill(ada.account, 2)
    ids = [email_text(one.email) for one in filed]
    await house.grant(box, bob.account, "lrswite")
    owners, readers = await look(house, box), await look(house, box, bob.account)
    state = (await states(bob, ada))[1]
    update = {ids[0]: {"keywords/$seen": True, "keywords/$flagged": True}}
    await bob.call("Email/set", accountId=ada.id, update=update)
    assert (await owners.news(), await readers.news()) == (
        [([], [1], False)],
        [([], [1], False)],
    )
    assert (owners.seen, readers.seen) == ([False, False], [True, False])
    await house.flag(box, ((2, 2),), actor=bob.account, flags=SEEN)
    found = await bob.call("Email/changes", accountId=ada.id, sinceState=state)
    assert sorted(found["updated"]) == sorted(ids)
    shown = {one["id"]: one["keywords"] for one in await emails(bob, ada, "id", "keywords")}
    assert shown == {ids[0]: {"$seen": True, "$flagged": True}, ids[1]: {"$seen": True}}
    draft = {"mailboxIds": {mailbox_text(box): True}, "subject": "x"}
    await bob.call("Email/set", accountId=ada.id, create={"d": draft}, destroy=[ids[1]])
    assert await house.uids(box) == [1, 3]
    told = await readers.news()
    assert [uid for gone, _, _ in told for uid in gone] == [2]
    assert any(grown for _, _, grown in told)


async def test_what_is_read_in_one_mailbox_asks_nothing_of_one_that_is_hidden(
    ada: Client, bob: Client
) -> None:
    """As by IMAP, where a message is marked in the mailbox that is open."""
    house = ada.house
    team = await house.mailbox(ada.account, "Team")
    filed = await house.deliver(ada.account)
    await house.copy(inbox(ada.account), team)
    await house.grant(team, bob.account, "lrs")
    id_ = email_text(filed.email)
    update = {id_: {"keywords/$seen": True}}
    answer = await bob.call("Email/set", accountId=ada.id, update=update)
    assert answer["updated"] == {id_: None}
    (one,) = await emails(bob, ada, "keywords", "mailboxIds")
    assert one == {
        "id": id_,
        "keywords": {"$seen": True},
        "mailboxIds": {mailbox_text(team): True},
    }
    assert (await house.email(inbox(ada.account), 1))["flags"] == 0
