"""Quotas: figures, what changed of them, and lists."""

import pytest

from malleposte.store.commands import SetAccount
from malleposte.store.results import Done
from support.store import House
from unit.services.jmap.harness import Client

# What the databases do apart is tested with the store.
ONE = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account("ada", quota=100_000))


async def test_an_account_sees_what_it_may_take_up(client: Client) -> None:
    await client.put(b"Subject: Hello\r\n\r\n" + b"x" * 1_000)
    answer = await client.call("Quota/get", ids=None)
    octets, boxes = answer["list"]
    used = await client.house.value("SELECT used_bytes FROM account_head")
    assert octets == {
        "id": "octets",
        "resourceType": "octets",
        "used": used,
        "hardLimit": 100_000,
        "scope": "account",
        "name": "Mail",
        "types": ["Email"],
        "warnLimit": 80_000,
        "softLimit": None,
        "description": "Octets of all messages",
    }
    assert (boxes["used"], boxes["hardLimit"], boxes["types"]) == (6, 10_000, ["Mailbox"])
    some = await client.call("Quota/get", ids=["octets", "x"], properties=["used"])
    assert (some["list"], some["notFound"]) == ([{"id": "octets", "used": used}], ["x"])
    assert await client.error("Quota/get", properties=["size"]) == "invalidArguments"


@ONE
async def test_where_there_is_no_bound_there_is_no_quota(house: House) -> None:
    client = Client(house, await house.account("bob"))
    answer = await client.call("Quota/get", ids=None)
    assert [one["id"] for one in answer["list"]] == ["mailboxes"]
    other = Client(house, await house.account("eve"))
    assert await other.error("Quota/get", accountId=client.id) == "accountNotFound"


async def test_changes_say_whether_only_what_is_used_changed(client: Client) -> None:
    first = (await client.call("Quota/get", ids=[]))["state"]
    same = await client.call("Quota/changes", sinceState=first)
    assert (same["updated"], same["newState"], same["updatedProperties"]) == ([], first, None)
    await client.put(b"Subject: Hello\r\n\r\n")
    found = await client.call("Quota/changes", sinceState=first)
    assert (found["updated"], found["updatedProperties"]) == (["octets"], ["used"])
    await client.house.do(SetAccount(account=client.account, quota_bytes=200_000), Done)
    await client.call("Mailbox/set", create={"m": {"name": "x"}})
    found = await client.call("Quota/changes", sinceState=first)
    assert (found["updated"], found["updatedProperties"]) == (["octets", "mailboxes"], None)
    half = await client.call("Quota/changes", sinceState=first, maxChanges=1)
    assert (half["updated"], half["hasMoreChanges"]) == (["octets"], True)
    rest = await client.call("Quota/changes", sinceState=half["newState"], maxChanges=1)
    assert (rest["updated"], rest["newState"]) == (["mailboxes"], found["newState"])
    await client.house.do(SetAccount(account=client.account, quota_bytes=0), Done)
    gone = await client.call("Quota/changes", sinceState=rest["newState"])
    assert (gone["destroyed"], gone["updated"]) == (["octets"], [])
    back = await client.call("Quota/changes", sinceState=gone["newState"])
    assert back["created"] == back["destroyed"] == []
    for bad in ("", "1", "1-2", "1-2-3-x", "1-2-3-4-5-6"):
        assert await client.error("Quota/changes", sinceState=bad) == "cannotCalculateChanges"


@ONE
async def test_lists_of_quotas(client: Client) -> None:
    async def ids(**how: object) -> list[str]:
        found: list[str] = (await client.call("Quota/query", **how))["ids"]
        return found

    assert await ids() == ["octets", "mailboxes"]
    assert await ids(sort=[{"property": "used", "isAscending": False}]) == ["mailboxes", "octets"]
    assert await ids(filter={"resourceType": "count", "scope": "account"}) == ["mailboxes"]
    assert await ids(filter={"type": "Email", "name": "Mail"}) == ["octets"]
    assert await ids(filter={"scope": "global"}) == []
    assert await client.error("Quota/query", filter={"used": 1}) == "unsupportedFilter"
    assert await client.error("Quota/query", filter={"name": 1}) == "invalidArguments"
    how = {"sort": [{"property": "used"}]}
    before = await client.call("Quota/query", **how)
    await client.put(b"Subject: Hello\r\n\r\n" + b"x" * 100)
    moved = await client.call(
        "Quota/queryChanges", sinceQueryState=before["queryState"], calculateTotal=True, **how
    )
    assert (moved["removed"], moved["added"]) == (["octets"], [{"id": "octets", "index": 1}])
    assert moved["total"] == 2
