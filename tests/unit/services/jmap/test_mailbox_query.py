"""Mailbox/query and Mailbox/queryChanges: filters, orders, trees, and lists brought up to date."""

from random import Random
from typing import Any

import pytest

from malleposte.store.ids import mailbox_text
from support.store import House, inbox
from unit.services.jmap.harness import Client

BY_NAME = [{"property": "name"}]


# What the databases do apart is tested with the store.
ONE = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account("ada"))


async def named(client: Client, **how: Any) -> list[str]:
    """Names in the order of a list."""
    found = await client.call("Mailbox/query", **how)
    answer = await client.call("Mailbox/get", ids=found["ids"], properties=["name"])
    names = {one["id"]: one["name"] for one in answer["list"]}
    return [names[id_] for id_ in found["ids"]]


async def tree(client: Client) -> dict[str, str]:
    """b over a and c, z beside; their ids."""
    house, account = client.house, client.account
    top = await house.mailbox(account, "b")
    ids = {"b": top, "z": await house.mailbox(account, "Z")}
    for name in "ca":
        ids[name] = await house.mailbox(account, name, parent=top)
    return {name: mailbox_text(id_) for name, id_ in ids.items()}


async def test_filters_choose(client: Client) -> None:
    ids = await tree(client)

    async def chosen(**condition: Any) -> list[str]:
        return await named(client, filter=condition, sort=BY_NAME)

    assert await chosen(parentId=ids["b"]) == ["a", "c"]
    assert await chosen(parentId=None, hasAnyRole=False) == ["b", "Z"]
    assert await chosen(parentId="M0") == []
    assert await chosen(name="z") == ["Z"]
    assert await chosen(role="inbox") == ["INBOX"]
    assert await chosen(role=None) == ["a", "b", "c", "Z"]
    assert await chosen(hasAnyRole=True, isSubscribed=False) == []
    either = [{"name": "a"}, {"role": "trash"}]
    found = await chosen(operator="AND", conditions=[{"operator": "OR", "conditions": either}])
    assert found == ["a", "Archive", "Drafts", "Trash"]
    assert await chosen(operator="NOT", conditions=[{"hasAnyRole": True}, {"name": "z"}]) == [
        "a",
        "b",
        "c",
    ]
    total = await client.call("Mailbox/query", calculateTotal=True, limit=2, position=-3)
    assert (total["total"], total["position"], len(total["ids"])) == (10, 7, 2)
    anchored = await client.call(
        "Mailbox/query", sort=BY_NAME, anchor=ids["b"], anchorOffset=-1, limit=2
    )
    assert anchored["ids"][1] == ids["b"]


@ONE
async def test_orders_and_trees(client: Client) -> None:
    ids = await tree(client)
    plain = {"hasAnyRole": False}
    assert await named(client, filter=plain, sort=BY_NAME) == ["a", "b", "c", "Z"]
    down = [{"property": "name", "isAscending": False, "collation": "i;unicode-casemap"}]
    assert await named(client, filter=plain, sort=down) == ["Z", "c", "b", "a"]
    assert await named(client, filter=plain, sort=down, sortAsTree=True) == ["Z", "b", "c", "a"]
    await client.call("Mailbox/set", update={ids["c"]: {"sortOrder": 1}})
    both = [{"property": "sortOrder"}, *BY_NAME]
    assert await named(client, filter=plain, sort=both) == ["c", "a", "b", "Z"]
    # What is below one that is not in the list is not either.
    some = {"operator": "NOT", "conditions": [{"name": "b"}]}
    only = {"operator": "AND", "conditions": [plain, some]}
    assert await named(client, filter=only, sort=BY_NAME, filterAsTree=True) == ["Z"]
    assert await named(client, filter=only, sort=BY_NAME) == ["a", "c", "Z"]


@ONE
@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"filter": {"size": 1}}, "unsupportedFilter"),
        ({"filter": {"name": 1}}, "invalidArguments"),
        ({"filter": {"hasAnyRole": None}}, "invalidArguments"),
        ({"filter": {"operator": "XOR", "conditions": []}}, "invalidArguments"),
        ({"filter": {"operator": "AND", "conditions": [1]}}, "invalidArguments"),
        ({"filter": {"operator": "AND", "conditions": [{"name": "a"}] * 200}}, "unsupportedFilter"),
        ({"sort": [{"property": "totalEmails"}]}, "unsupportedSort"),
        ({"sort": [{"property": "name", "collation": "i;none"}]}, "unsupportedSort"),
        ({"sort": BY_NAME * 20}, "unsupportedSort"),
        ({"anchor": "M1"}, "anchorNotFound"),
        ({"accountId": "A99"}, "accountNotFound"),
    ],
)
async def test_what_no_list_can_be_made_of(client: Client, how: dict[str, Any], error: str) -> None:
    assert await client.error("Mailbox/query", **how) == error


@ONE
async def test_a_filter_as_deep_as_it_likes_is_refused(client: Client) -> None:
    deep: dict[str, Any] = {"name": "a"}
    for _ in range(30):
        deep = {"operator": "NOT", "conditions": [deep]}
    assert await client.error("Mailbox/query", filter=deep) == "unsupportedFilter"


@pytest.mark.parametrize("trees", [False, True])
@pytest.mark.parametrize("seed", range(2))
async def test_a_list_brought_up_to_date_is_the_list(
    client: Client, seed: int, trees: bool
) -> None:
    random = Random(seed)
    house, account = client.house, client.account
    how: dict[str, Any] = {
        "filter": {"operator": "NOT", "conditions": [{"name": "1"}]},
        "sort": BY_NAME,
        "sortAsTree": trees,
        "filterAsTree": trees,
    }
    boxes: list[str] = []
    before = await client.call("Mailbox/query", **how)
    for n in range(25):
        name = f"{random.randrange(3)} {n}"
        parent = random.choice([None, *boxes])
        match random.randrange(5) if boxes else 0:
            case 0 | 1:
                answer = await client.call(
                    "Mailbox/set", create={"m": {"name": name, "parentId": parent}}
                )
                boxes.append(answer["created"]["m"]["id"])
            case 2:
                await client.call("Mailbox/set", update={random.choice(boxes): {"name": name}})
            case 3:
                await client.call(
                    "Mailbox/set", update={random.choice(boxes): {"parentId": parent}}
                )
            case _:
                gone = (await client.call("Mailbox/set", destroy=[random.choice(boxes)]))[
                    "destroyed"
                ]
                boxes = [id_ for id_ in boxes if id_ not in (gone or ())]
        await house.deliver(account)
        changes = await client.call(
            "Mailbox/queryChanges",
            sinceQueryState=before["queryState"],
            calculateTotal=True,
            **how,
        )
        ids = [id_ for id_ in before["ids"] if id_ not in changes["removed"]]
        for one in changes["added"]:
            ids.insert(one["index"], one["id"])
        after = await client.call("Mailbox/query", **how)
        assert ids == after["ids"]
        assert (changes["newQueryState"], changes["total"]) == (after["queryState"], len(ids))
        before = after


async def test_changes_past_what_is_known_or_wanted(client: Client) -> None:
    state = (await client.call("Mailbox/query"))["queryState"]
    same = await client.call("Mailbox/queryChanges", sinceQueryState=state)
    assert (same["removed"], same["added"], same["newQueryState"]) == ([], [], state)
    await client.house.deliver(client.account)
    found = await client.call("Mailbox/queryChanges", sinceQueryState=state)
    assert found["removed"] == [mailbox_text(inbox(client.account))]
    few = {"sinceQueryState": state, "maxChanges": 1}
    assert await client.error("Mailbox/queryChanges", **few) == "tooManyChanges"
    for bad in ("999", "x", ""):
        error = await client.error("Mailbox/queryChanges", sinceQueryState=bad)
        assert error == "cannotCalculateChanges"
