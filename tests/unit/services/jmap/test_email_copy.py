"""Email/copy and Blob/copy between accounts: what goes over, whose rights are asked, what is told."""

from typing import Any

import msgspec
import pytest

from malleposte.store.flags import DRAFT, FLAGGED, SEEN
from malleposte.store.ids import account_text, email_text, mailbox_text
from support.store import House, inbox
from unit.services.jmap.harness import Client

LETTER = b"From: eve@example.com\r\nSubject: Offer\r\nMessage-ID: <o@example.com>\r\n\r\nHello\r\n"


@pytest.fixture
async def ada(house: House) -> Client:
    return Client(house, await house.account("ada"))


@pytest.fixture
async def bob(house: House) -> Client:
    return Client(house, await house.account("bob"))


def into(client: Client, mailbox: int = 0) -> dict[str, bool]:
    return {mailbox_text(mailbox or inbox(client.account)): True}


async def copy(
    client: Client, source: Client, target: Client, create: dict[str, Any], **more: Any
) -> dict[str, Any]:
    return await client.call(
        "Email/copy", fromAccountId=source.id, accountId=target.id, create=create, **more
    )


async def shown(client: Client, of: Client, id_: str) -> dict[str, Any]:
    names = ["subject", "keywords", "receivedAt", "mailboxIds", "size", "blobId"]
    answer = await client.call("Email/get", accountId=of.id, ids=[id_], properties=names)
    (found,) = answer["list"]
    assert isinstance(found, dict)
    return found


async def test_an_email_goes_over_as_the_reader_sees_it(ada: Client, bob: Client) -> None:
    house = ada.house
    original = await ada.put(LETTER, flags=SEEN | FLAGGED, keywords=("work",))
    await house.grant(inbox(ada.account), bob.account, "lrs")
    await house.flag(inbox(ada.account), mode="-", actor=bob.account, flags=SEEN)
    answer = await copy(bob, ada, bob, {"c": {"id": original, "mailboxIds": into(bob)}})
    made = answer["created"]["c"]
    assert set(made) == {"id", "blobId", "threadId", "size"}
    assert made["size"] == len(LETTER)
    found = await shown(bob, bob, made["id"])
    assert found["keywords"] == {"$flagged": True, "work": True}
    before = await shown(ada, ada, original)
    assert (found["subject"], found["receivedAt"]) == ("Offer", before["receivedAt"])
    assert found["mailboxIds"] == into(bob)
    number = int(made["id"][1:], 16)
    assert await house.bytes_of(number) == await house.bytes_of(int(original[1:], 16))
    # IMAP has it as any other.
    assert await house.uids(inbox(bob.account)) == [1]
    assert answer["newState"] != answer["oldState"]
    assert before["keywords"] == {"$seen": True, "$flagged": True, "work": True}


async def test_keywords_and_dates_are_given_with_the_copy(ada: Client, bob: Client) -> None:
    house = ada.house
    original = await ada.put(LETTER, flags=SEEN)
    await house.grant(inbox(ada.account), bob.account, "lr")
    other = await house.mailbox(bob.account, "Other")
    create = {
        "c": {
            "id": original,
            "mailboxIds": into(bob) | into(bob, other),
            "keywords": {"$draft": True},
            "receivedAt": "2026-01-02T03:04:05Z",
        }
    }
    made = (await copy(bob, ada, bob, create))["created"]["c"]
    found = await shown(bob, bob, made["id"])
    assert (found["keywords"], found["receivedAt"]) == ({"$draft": True}, "2026-01-02T03:04:05Z")
    assert found["mailboxIds"] == create["c"]["mailboxIds"]
    assert (await house.email(other, 1))["flags"] == DRAFT
    assert (await house.info(inbox(bob.account))).unseen == 1


async def test_into_anothers_account_by_the_rights_there(ada: Client, bob: Client) -> None:
    house = ada.house
    mine = await bob.put(LETTER, flags=FLAGGED, keywords=("work",))
    create = {"c": {"id": mine, "mailboxIds": into(ada), "keywords": {"$seen": True, "x": True}}}
    for letters, error in (("lr", "accountReadOnly"), ("ir", "accountNotFound")):
        await house.grant(inbox(ada.account), bob.account, letters)
        found = await bob.error("Email/copy", fromAccountId=bob.id, accountId=ada.id, create=create)
        assert found == error
    await house.grant(inbox(ada.account), bob.account, "lrs")
    answer = await copy(bob, bob, ada, create)
    assert answer["notCreated"]["c"]["type"] == "forbidden"
    await house.grant(inbox(ada.account), bob.account, "lri")
    made = (await copy(bob, bob, ada, create))["created"]["c"]
    # Without s and w nothing is set.
    assert (await shown(bob, ada, made["id"]))["keywords"] == {}
    await house.grant(inbox(ada.account), bob.account, "lrsiw")
    made = (await copy(bob, bob, ada, create))["created"]["c"]
    assert (await shown(bob, ada, made["id"]))["keywords"] == {"$seen": True, "x": True}
    assert (await shown(ada, ada, made["id"]))["keywords"] == {"x": True}


async def test_what_cannot_be_copied_is_named_one_by_one(ada: Client, bob: Client) -> None:
    house = ada.house
    team = await house.mailbox(ada.account, "Team")
    await house.grant(team, bob.account, "lr")
    hidden = await ada.put(LETTER)
    seen = await ada.put(LETTER, team)
    create = {
        "hidden": {"id": hidden, "mailboxIds": into(bob)},
        "none": {"id": "Eabc", "mailboxIds": into(bob)},
        "mine": {"id": await bob.put(LETTER), "mailboxIds": into(bob)},
        "nowhere": {"id": seen, "mailboxIds": {}},
        "there": {"id": seen, "mailboxIds": into(ada, team)},
        "more": {"id": seen, "mailboxIds": into(bob), "subject": "x"},
        "good": {"id": seen, "mailboxIds": into(bob)},
    }
    answer = await copy(bob, ada, bob, create)
    errors = {id_: error["type"] for id_, error in answer["notCreated"].items()}
    assert errors == {
        "hidden": "notFound",
        "none": "notFound",
        "mine": "notFound",
        "nowhere": "invalidProperties",
        "there": "invalidProperties",
        "more": "invalidProperties",
    }
    assert list(answer["created"]) == ["good"]


async def test_a_full_account_takes_no_copy(ada: Client, house: House) -> None:
    small = Client(house, await house.account("small", quota=2 * len(LETTER)))
    await house.grant(inbox(ada.account), small.account, "lr")
    original = await ada.put(LETTER)
    create = {str(n): {"id": original, "mailboxIds": into(small)} for n in range(3)}
    answer = await copy(small, ada, small, create)
    assert len(answer["created"]) == 2
    assert [error["type"] for error in answer["notCreated"].values()] == ["overQuota"]


async def test_states_are_compared_before_anything_is_done(ada: Client, bob: Client) -> None:
    house = ada.house
    original = await ada.put(LETTER)
    await house.grant(inbox(ada.account), bob.account, "lr")
    create = {"c": {"id": original, "mailboxIds": into(bob)}}
    theirs = (await bob.call("Email/get", accountId=ada.id, ids=[]))["state"]
    own = (await bob.call("Email/get", ids=[]))["state"]
    for wrong in ({"ifFromInState": own}, {"ifInState": theirs}):
        error = await bob.error(
            "Email/copy", fromAccountId=ada.id, accountId=bob.id, create=create, **wrong
        )
        assert error == "stateMismatch"
    answer = await copy(bob, ada, bob, create, ifFromInState=theirs, ifInState=own)
    assert answer["created"]
    for same in (ada, bob):
        error = await same.error("Email/copy", fromAccountId=same.id, create=create)
        assert error == "invalidArguments"
    error = await bob.error("Email/copy", fromAccountId=account_text(77), create=create)
    assert error == "fromAccountNotFound"


async def test_originals_are_destroyed_where_their_copies_were_made(
    ada: Client, bob: Client
) -> None:
    house = ada.house
    one, two = await ada.put(LETTER), await ada.put(LETTER)
    await house.grant(inbox(ada.account), bob.account, "lrte")
    arguments = {
        "fromAccountId": ada.id,
        "accountId": bob.id,
        "create": {
            "a": {"id": one, "mailboxIds": into(bob)},
            "b": {"id": two, "mailboxIds": {}},
        },
        "onSuccessDestroyOriginal": True,
    }
    copied, destroyed = await bob.calls(("Email/copy", arguments))
    assert (copied[0], destroyed[0]) == ("Email/copy", "Email/set")
    assert copied[2] == destroyed[2]
    assert destroyed[1]["accountId"] == ada.id
    assert destroyed[1]["destroyed"] == [one]
    assert len(await house.uids(inbox(ada.account))) == 1
    assert len(await house.uids(inbox(bob.account))) == 1
    # Who may not is told so, and has the copy.
    await house.grant(inbox(ada.account), bob.account, "lrs")
    arguments["create"] = {"b": {"id": two, "mailboxIds": into(bob)}}
    copied, destroyed = await bob.calls(("Email/copy", arguments))
    assert copied[1]["created"]["b"]["id"]
    assert destroyed[1]["notDestroyed"][two]["type"] == "forbidden"
    # A state that is another one leaves the original, and says so in place of the second answer.
    arguments |= {"destroyFromIfInState": "1"}
    copied, destroyed = await bob.calls(("Email/copy", arguments))
    assert copied[1]["created"]
    assert (destroyed[0], destroyed[1]["type"]) == ("error", "stateMismatch")


async def test_a_copy_is_named_in_the_calls_after_it(ada: Client, bob: Client) -> None:
    house = ada.house
    original = await ada.put(LETTER)
    await house.grant(inbox(ada.account), bob.account, "lr")
    create = {"c": {"id": original, "mailboxIds": into(bob)}}
    answers = await bob.calls(
        ("Email/copy", {"fromAccountId": ada.id, "create": create}),
        ("Email/set", {"update": {"#c": {"keywords/$flagged": True}}}),
    )
    made = answers[0][1]["created"]["c"]["id"]
    assert answers[1][1]["updated"] == {made: None}


async def test_content_is_copied_for_use_in_another_account(ada: Client, bob: Client) -> None:
    house = ada.house
    original = await ada.put(LETTER)
    hidden = await house.mailbox(ada.account, "Hidden")
    secret = await ada.put(LETTER, hidden)
    await house.grant(inbox(ada.account), bob.account, "lr")
    response = await bob.http("POST", f"/jmap/upload/{bob.id}/", LETTER, kind="message/rfc822")
    upload = msgspec.json.decode(response.body)["blobId"]
    answer = await bob.call(
        "Blob/copy", fromAccountId=ada.id, blobIds=[original, f"{original}-1", secret, upload, "x"]
    )
    assert set(answer["copied"]) == {original, f"{original}-1"}
    assert {id_: error["type"] for id_, error in answer["notCopied"].items()} == dict.fromkeys(
        (secret, upload, "x"), "notFound"
    )
    there = answer["copied"][original]
    got = await bob.call("Email/import", emails={"m": {"blobId": there, "mailboxIds": into(bob)}})
    assert got["created"]["m"]["size"] == len(LETTER)
    # The other way: his upload in her account, which she does not see.
    answer = await bob.call("Blob/copy", fromAccountId=bob.id, accountId=ada.id, blobIds=[upload])
    theirs = answer["copied"][upload]
    assert (await bob.http("GET", f"/jmap/download/{ada.id}/{theirs}/x")).status == 200
    assert (await ada.http("GET", f"/jmap/download/{ada.id}/{theirs}/x")).status == 404
    assert await bob.error("Blob/copy", fromAccountId=account_text(77), blobIds=[]) == (
        "fromAccountNotFound"
    )
    many = [email_text(n) for n in range(200)]
    assert await bob.error("Blob/copy", fromAccountId=ada.id, blobIds=many) == "requestTooLarge"
