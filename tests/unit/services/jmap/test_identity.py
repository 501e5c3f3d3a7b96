"""Identity/set: further identities, signatures, and from whom nobody may write."""

from typing import Any

import pytest

from support.store import House
from unit.services.jmap.harness import Client


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account("ada"))


async def all_of(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.call("Identity/get", ids=None))["list"]
    return found


async def test_an_identity_is_made_changed_and_removed(client: Client) -> None:
    (own,) = await all_of(client)
    new = {"name": "Ada L.", "email": "ada@example.org", "htmlSignature": "<p>Ada</p>"}
    answer = await client.call("Identity/set", create={"x": new})
    made = answer["created"]["x"]["id"]
    patch = {"textSignature": "-- \nAda", "replyTo": [{"name": None, "email": "a@far.example"}]}
    changed = await client.call("Identity/set", update={made: patch})
    assert changed["updated"] == {made: None}
    _, one = await all_of(client)
    assert one == own | new | patch | {"id": made, "mayDelete": False}
    moved = await client.call("Identity/changes", sinceState=answer["oldState"])
    assert (moved["created"], moved["updated"]) == ([made], [])
    assert moved["newState"] == changed["newState"]


async def test_the_identity_of_the_own_address_stays(client: Client) -> None:
    (own,) = await all_of(client)
    answer = await client.call("Identity/set", destroy=[own["id"], "I9"])
    assert answer["notDestroyed"][own["id"]]["type"] == "forbidden"
    assert answer["notDestroyed"]["I9"]["type"] == "notFound"
    assert await all_of(client) == [own]


async def test_another_address_is_given_and_taken_away_for_good(client: Client) -> None:
    await client.call("Identity/set", create={"x": {"email": "ada+shop@example.org"}})
    one = (await all_of(client))[-1]
    assert (one["email"], one["mayDelete"]) == ("ada+shop@example.org", True)
    before = await client.call("Identity/set", destroy=[one["id"]])
    assert before["destroyed"] == [one["id"]]
    assert [left["email"] for left in await all_of(client)] == ["ada@example.org"]
    moved = await client.call("Identity/changes", sinceState=before["oldState"])
    assert moved["destroyed"] == [one["id"]]


async def test_nobody_writes_as_somebody_else(client: Client) -> None:
    await client.house.account("bob")
    for email, kind in (
        ("bob@example.org", "forbiddenFrom"),
        ("x@far.example", "forbiddenFrom"),
        ("ada", "invalidProperties"),
        ("ada@example.org\r\nBcc: x@far.example", "invalidProperties"),
        (None, "invalidProperties"),
    ):
        answer = await client.call("Identity/set", create={"x": {"email": email}})
        assert answer["notCreated"]["x"]["type"] == kind
    assert len(await all_of(client)) == 1


@pytest.mark.parametrize(
    "patch",
    [
        {"email": "ada+x@example.org"},
        {"mayDelete": True},
        {"name": "two\nlines"},
        {"name": 1},
        {"textSignature": "x" * 100_001},
        {"bcc": "ada@example.org"},
        {"bcc": [{"email": "no address"}]},
        {"replyTo": [{"email": "a@far.example", "more": 1}]},
        {"colour": "red"},
    ],
)
async def test_what_an_identity_cannot_be_is_refused(client: Client, patch: dict[str, Any]) -> None:
    (own,) = await all_of(client)
    answer = await client.call("Identity/set", update={own["id"]: patch})
    assert answer["notUpdated"][own["id"]]["type"] == "invalidProperties"
    assert await all_of(client) == [own]
