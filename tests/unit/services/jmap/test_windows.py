"""What a window costs: so many statements, wherever it is and however long its list."""

from typing import Any

from malleposte.store.dialect import TALLY
from malleposte.store.ids import mailbox_text
from support.store import House, inbox
from unit.services.jmap.harness import Client

ROWS = ["id", "threadId", "mailboxIds", "keywords", "size", "preview", "hasAttachment"]


async def cost(client: Client, **place: Any) -> int:
    """Statements of Email/query and Email/get of 50 in one request."""
    query = {
        "filter": {"inMailbox": mailbox_text(inbox(client.account))},
        "sort": [{"property": "receivedAt", "isAscending": False}],
        "limit": 50,
        **place,
    }
    ids = {"resultOf": "0", "name": "Email/query", "path": "/ids"}
    before = TALLY.statements
    answers = await client.calls(
        ("Email/query", query), ("Email/get", {"#ids": ids, "properties": ROWS})
    )
    assert len(answers[0][1]["ids"]) == len(answers[1][1]["list"]) == 50
    return TALLY.statements - before


async def test_a_window_is_so_many_statements_at_any_place_of_any_list(house: House) -> None:
    costs: set[int] = set()
    for size in (60, 1_200):
        client = Client(house, await house.account())
        await house.fill(client.account, size)
        for collapsed in (False, True):
            found = await client.call("Email/query", position=size // 2, collapseThreads=collapsed)
            places: list[dict[str, Any]] = [
                {"position": 0},
                {"position": size - 50},
                {"position": -50},
                {"anchor": found["ids"][0], "anchorOffset": -25},
            ]
            for place in places:
                # The list is there from now on.
                await cost(client, collapseThreads=collapsed, **place)
                costs.add(await cost(client, collapseThreads=collapsed, **place))
    assert len(costs) == 1
    assert costs.pop() <= 8
