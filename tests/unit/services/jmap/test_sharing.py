"""Principals, who shares what with whom, and what people are told of it (RFC 9670)."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from malleposte.services.jmap.settings import JmapSettings
from malleposte.store.commands import CreateAccount, SetAccount
from malleposte.store.ids import account_text, mailbox_text
from malleposte.store.read.rights import grants
from malleposte.store.results import Created, Done
from support.store import House, inbox
from unit.services.jmap.harness import Client

READ = {"mayReadItems": True, "maySetSeen": True}


@pytest.fixture
async def ada(house: House) -> Client:
    return Client(house, await house.account("ada"))


@pytest.fixture
async def bob(house: House) -> Client:
    return Client(house, await house.account("bob"))


def principal(client: Client) -> str:
    return f"P{client.account:x}"


async def letters(house: House, mailbox: int) -> dict[int, str]:
    listed = await grants(house.store.reader, mailbox)
    return {grant.grantee: grant.letters for grant in listed.entries}


async def share(client: Client, mailbox: int, patch: dict[str, Any], **more: Any) -> dict[str, Any]:
    return await client.call("Mailbox/set", update={mailbox_text(mailbox): patch}, **more)


async def stranger(house: House) -> int:
    """An account of another organisation; nothing makes one yet, so fsck may not like it."""
    account = await house.account("eve")
    await house.damage("INSERT INTO organisation (id, name, created_at) VALUES (77, 'them', 1)")
    await house.damage("UPDATE account SET organisation = 77 WHERE id = $1", account)
    return account


async def test_principals_are_the_accounts_of_ones_organisation(ada: Client, bob: Client) -> None:
    house = ada.house
    eve = await stranger(house)
    answer = await ada.call("Principal/get", ids=None)
    found = {one["id"]: one for one in answer["list"]}
    assert set(found) == {"P0", principal(ada), principal(bob)}
    assert found["P0"]["type"] == "group"
    me = found[principal(ada)]
    assert (me["type"], me["email"]) == ("individual", "ada@example.org")
    assert set(me["accounts"]) == {ada.id}
    assert found[principal(bob)]["accounts"] is None
    got = await ada.call("Principal/get", ids=[f"P{eve:x}", "P", "Pzz", principal(bob)])
    assert [one["email"] for one in got["list"]] == ["bob@example.org"]
    assert got["notFound"] == [f"P{eve:x}", "P", "Pzz"]
    session = msgspec.json.decode((await ada.http("GET", "/jmap/session")).body)
    capabilities = session["accounts"][ada.id]["accountCapabilities"]
    current = capabilities["urn:ietf:params:jmap:principals"]["currentUserPrincipalId"]
    assert current == principal(ada)


async def test_principals_are_looked_for(ada: Client, bob: Client) -> None:
    house = ada.house
    await house.do(SetAccount(account=bob.account, name="Bob Müller"), Done)
    command = CreateAccount(address="room@example.org", name="", kind="resource", password_hash="")
    room = (await house.do(command, Created)).id

    async def ids(**filter_: Any) -> list[str]:
        answer = await ada.call("Principal/query", filter=filter_, sort=[{"property": "email"}])
        found: list[str] = answer["ids"]
        return found

    assert await ids(name="müll") == [principal(bob)]
    assert await ids(email="BOB@") == [principal(bob)]
    assert await ids(text="example.org") == [principal(ada), principal(bob), f"P{room:x}"]
    assert await ids(type="resource") == [f"P{room:x}"]
    assert await ids(accountIds=[ada.id, bob.id]) == [principal(ada)]
    assert await ada.error("Principal/query", filter={"name": 1}) == "invalidArguments"
    assert await ada.error("Principal/query", filter={"phone": "1"}) == "unsupportedFilter"
    answer = await ada.call("Principal/query", position=1, limit=1, calculateTotal=True)
    assert (len(answer["ids"]), answer["total"]) == (1, 4)
    assert answer["canCalculateChanges"] is False
    error = await ada.error("Principal/queryChanges", sinceQueryState=answer["queryState"])
    assert error == "cannotCalculateChanges"


async def test_principals_are_changed_by_administrators_alone(ada: Client, bob: Client) -> None:
    state = (await ada.call("Principal/get", ids=[]))["state"]
    answer = await ada.call(
        "Principal/set",
        create={"x": {"name": "X"}},
        update={principal(ada): {"name": "Y"}},
        destroy=[principal(bob)],
    )
    for errors, id_ in (
        ("notCreated", "x"),
        ("notUpdated", principal(ada)),
        ("notDestroyed", principal(bob)),
    ):
        assert answer[errors][id_]["type"] == "forbidden"
    found = await ada.call("Principal/changes", sinceState=state)
    assert (found["updated"], found["newState"]) == ([], state)
    await ada.house.do(SetAccount(account=bob.account, name="Bobby"), Done)
    error = await ada.error("Principal/changes", sinceState=state)
    assert error == "cannotCalculateChanges"


async def test_a_mailbox_is_shared_changed_and_taken_back(ada: Client, bob: Client) -> None:
    house, box = ada.house, inbox(ada.account)
    answer = await share(ada, box, {f"shareWith/{principal(bob)}": READ})
    assert answer["updated"] == {mailbox_text(box): None}
    assert await letters(house, box) == {bob.account: "lrs"}
    (own,) = (await ada.call("Mailbox/get", ids=[mailbox_text(box)]))["list"]
    rights = own["shareWith"][principal(bob)]
    assert [name for name, has in rights.items() if has] == ["mayReadItems", "maySetSeen"]
    assert own["myRights"]["mayShare"] is True
    (theirs,) = (await bob.call("Mailbox/get", accountId=ada.id, ids=None))["list"]
    assert (theirs["shareWith"], theirs["myRights"]["mayShare"]) == (None, False)
    await share(ada, box, {f"shareWith/{principal(bob)}/maySetKeywords": True})
    assert await letters(house, box) == {bob.account: "lrsw"}
    carol = await house.account("carol")
    await share(ada, box, {"shareWith": {f"P{carol:x}": {"mayReadItems": True, "mayShare": True}}})
    assert await letters(house, box) == {carol: "lra"}
    await share(ada, box, {"shareWith": None})
    assert await letters(house, box) == {}
    rows = await house.rows("SELECT actor, operation, target, details FROM audit ORDER BY id")
    assert [row[1] for row in rows] == [
        "mailbox.give",
        "mailbox.give",
        "mailbox.give",
        "mailbox.take",
        "mailbox.take",
    ] or sorted(row[1] for row in rows) == ["mailbox.give"] * 3 + ["mailbox.take"] * 2
    assert {row[0] for row in rows} == {"ada@example.org"}
    first = msgspec.json.decode(rows[0][3])
    assert (first["who"], first["before"], first["after"]) == ("bob@example.org", "", "lrs")


async def test_a_part_of_a_right_that_imap_gave_stays(ada: Client, bob: Client) -> None:
    house, box = ada.house, inbox(ada.account)
    await house.grant(box, bob.account, "lt")
    (own,) = (await ada.call("Mailbox/get", ids=[mailbox_text(box)]))["list"]
    rights = own["shareWith"][principal(bob)]
    assert not any(rights.values())
    await share(ada, box, {f"shareWith/{principal(bob)}": rights | {"maySetKeywords": True}})
    assert await letters(house, box) == {bob.account: "lwt"}


async def test_only_who_holds_the_right_shares(ada: Client, bob: Client) -> None:
    house, box = ada.house, inbox(ada.account)
    carol = await house.account("carol")
    patch = {f"shareWith/P{carol:x}": READ}
    await house.grant(box, bob.account, "lrswitekx")
    answer = await share(bob, box, patch, accountId=ada.id)
    assert answer["notUpdated"][mailbox_text(box)]["type"] == "forbidden"
    await house.grant(box, bob.account, "lra")
    answer = await share(bob, box, patch, accountId=ada.id)
    assert answer["updated"] is not None
    assert (await letters(house, box))[carol] == "lrs"


@pytest.mark.parametrize(
    ("patch", "error"),
    [
        ({"shareWith/P99": READ}, "invalidProperties"),
        ({"shareWith/nobody": READ}, "invalidProperties"),
        ({"shareWith/EVE": READ}, "invalidProperties"),
        ({"shareWith/ADA": READ}, "invalidProperties"),
        ({"shareWith/BOB": {"mayFly": True}}, "invalidProperties"),
        ({"shareWith/BOB": {"mayReadItems": 1}}, "invalidProperties"),
        ({"shareWith/BOB": {"mayRename": True}}, "invalidProperties"),
        ({"shareWith/BOB": [True]}, "invalidProperties"),
        ({"shareWith": [1]}, "invalidProperties"),
        ({"shareWith/BOB/mayReadItems/x": True}, "invalidPatch"),
        ({"shareWith": {f"P{n:x}": READ for n in range(1_000, 1_200)}}, "invalidProperties"),
        ({"shareWith/P0": READ}, "forbidden"),
    ],
)
async def test_what_cannot_be_shared_changes_nothing(
    ada: Client, bob: Client, patch: dict[str, Any], error: str
) -> None:
    house = ada.house
    names = {
        "EVE": f"P{await stranger(house):x}",
        "ADA": principal(ada),
        "BOB": principal(bob),
    }
    named = {}
    for path, value in patch.items():
        for name, id_ in names.items():
            path = path.replace(name, id_)
        named[path] = value
    answer = await share(ada, inbox(ada.account), named)
    assert answer["notUpdated"][mailbox_text(inbox(ada.account))]["type"] == error
    assert await letters(house, inbox(ada.account)) == {}


async def test_all_are_given_rights_where_that_is_allowed(house: House) -> None:
    ada = Client(house, await house.account("ada"), replace(JmapSettings(), anyone="everyone"))
    box = inbox(ada.account)
    answer = await share(ada, box, {"shareWith/P0": READ})
    assert answer["updated"] is not None
    assert await letters(house, box) == {0: "lrs"}
    (own,) = (await ada.call("Mailbox/get", ids=[mailbox_text(box)]))["list"]
    assert list(own["shareWith"]) == ["P0"]
    # They are always taken away.
    later = Client(house, ada.account, replace(JmapSettings(), anyone="nobody"))
    await share(later, box, {"shareWith/P0": None})
    assert await letters(house, box) == {}


async def test_a_mailbox_is_made_and_shared_at_once(ada: Client, bob: Client) -> None:
    new = {"name": "Team", "shareWith": {principal(bob): READ}}
    answer = await ada.call("Mailbox/set", create={"t": new})
    made = answer["created"]["t"]["id"]
    got = await bob.call("Mailbox/get", accountId=ada.id, ids=None)
    assert [(box["id"], box["name"]) for box in got["list"]] == [(made, "Team")]


async def notices(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.call("ShareNotification/get", ids=None))["list"]
    return found


async def test_people_are_told_what_others_give_them_and_take(ada: Client, bob: Client) -> None:
    house, box = ada.house, inbox(ada.account)
    state = (await bob.call("ShareNotification/get", ids=None))["state"]
    await share(ada, box, {f"shareWith/{principal(bob)}": READ})
    await house.grant(box, bob.account, "")  # by an administrator
    first, second = await notices(bob)
    assert first["changedBy"] == {
        "name": "ada@example.org",
        "email": "ada@example.org",
        "principalId": principal(ada),
    }
    assert (first["objectType"], first["objectAccountId"], first["objectId"], first["name"]) == (
        "Mailbox",
        ada.id,
        mailbox_text(box),
        "INBOX",
    )
    assert first["oldRights"] is None
    assert first["newRights"]["maySetSeen"] is True
    assert second["changedBy"] == {"name": "Administrator", "email": None, "principalId": None}
    assert (second["oldRights"], second["newRights"]) == (first["newRights"], None)
    assert await notices(ada) == []
    changed = await bob.call("ShareNotification/changes", sinceState=state)
    assert changed["created"] == [first["id"], second["id"]]
    answer = await bob.call(
        "ShareNotification/set",
        create={"x": {}},
        update={second["id"]: {"name": "x"}},
        destroy=[first["id"], first["id"], "N999"],
    )
    assert answer["destroyed"] == [first["id"]]
    assert answer["notDestroyed"]["N999"]["type"] == "notFound"
    assert answer["notCreated"]["x"]["type"] == "forbidden"
    assert answer["notUpdated"][second["id"]]["type"] == "forbidden"
    assert [one["id"] for one in await notices(bob)] == [second["id"]]
    later = await bob.call("ShareNotification/changes", sinceState=changed["newState"])
    assert later["destroyed"] == [first["id"]]
    # Ada cannot dismiss what he is told.
    answer = await ada.call("ShareNotification/set", destroy=[second["id"]])
    assert answer["notDestroyed"][second["id"]]["type"] == "notFound"


async def test_notifications_are_listed(ada: Client, bob: Client) -> None:
    house = ada.house
    team = await house.mailbox(ada.account, "Team")
    for box in (inbox(ada.account), team):
        await house.grant(box, bob.account, "lr")
    both = [one["id"] for one in await notices(bob)]
    answer = await bob.call(
        "ShareNotification/query",
        filter={"objectType": "Mailbox", "objectAccountId": ada.id},
        sort=[{"property": "created", "isAscending": False}],
    )
    assert sorted(answer["ids"]) == both
    for filter_, found in (
        ({"objectAccountId": account_text(99)}, []),
        ({"after": "2000-01-01T00:00:00Z", "before": "2100-01-01T00:00:00Z"}, both),
        ({"before": "2000-01-01T00:00:00Z"}, []),
    ):
        answer = await bob.call("ShareNotification/query", filter=filter_)
        assert answer["ids"] == found
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"after": "yesterday"}, "invalidArguments"),
        ({"objectType": 1}, "invalidArguments"),
        ({"who": "x"}, "unsupportedFilter"),
    )
    for filter_, error in wrong:
        assert await bob.error("ShareNotification/query", filter=filter_) == error
    state = (await bob.call("ShareNotification/query"))["queryState"]
    await bob.call("ShareNotification/set", destroy=[both[0]])
    moved = await bob.call("ShareNotification/queryChanges", sinceQueryState=state)
    assert (moved["removed"], moved["added"]) == ([both[0]], [])
    error = await bob.error("ShareNotification/queryChanges", sinceQueryState="99999")
    assert error == "cannotCalculateChanges"


async def test_changes_of_rights_are_counted(ada: Client, bob: Client) -> None:
    ada.site._changes_of_rights._most = 2
    box = inbox(ada.account)
    for right in ("mayReadItems", "maySetSeen"):
        answer = await share(ada, box, {f"shareWith/{principal(bob)}/{right}": True})
        assert answer["updated"] is not None
    answer = await share(ada, box, {f"shareWith/{principal(bob)}": None})
    assert answer["notUpdated"][mailbox_text(box)]["type"] == "rateLimit"
    # Also who is there is not found out by asking.
    answer = await share(ada, box, {"shareWith/P77": READ})
    assert answer["notUpdated"][mailbox_text(box)]["type"] == "rateLimit"
