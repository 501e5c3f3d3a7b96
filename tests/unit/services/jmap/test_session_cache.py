"""Sessions are made once, and anew where what they say changes."""

from typing import Any

import pytest

from malleposte.services.jmap import session_cache
from malleposte.services.jmap.session_object import session_object
from malleposte.store.commands import DeleteAccount
from malleposte.store.results import Done
from support.store import House, inbox
from unit.services.jmap.harness import Client

CORE = "urn:ietf:params:jmap:core"


async def state(client: Client) -> str:
    _, answer = await client.request({"using": [CORE], "methodCalls": []})
    found: str = answer["sessionState"]
    return found


async def test_a_session_is_made_again_only_where_it_says_something_else(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[dict[str, Any]] = []
    make = session_object

    def noted(*arguments: Any) -> dict[str, Any]:
        made.append(make(*arguments))
        return made[-1]

    monkeypatch.setattr(session_cache, "session_object", noted)
    client = Client(house, await house.account("ada"))
    other = await house.account("bob")
    first = await state(client)
    await house.deliver(client.account)
    assert await state(client) == first
    await client.http("GET", "/jmap/session")
    assert len(made) == 1
    await house.grant(inbox(other), client.account, "lr")
    second = await state(client)
    assert second != first
    assert await state(client) == second
    assert len(made) == 2
    await house.do(DeleteAccount(account=other), Done)
    assert await state(client) == first
