"""The store knows which node keys it needs, from the first one on."""

from malleposte.operations.node_key import CANARY, NodeKeysNeeded, NoteNodeKey
from malleposte.operations.server_examine import Examine, Facts
from malleposte.store.commands import PutSecret
from malleposte.store.results import Done
from support.store import House
from unit.operations.desk import Desk


async def noted(desk: Desk, key: str, *, replace: bool = False) -> tuple[str, ...]:
    request = NoteNodeKey(key_id=key, sealed=b"sealed by " + key.encode(), replace=replace)
    return (await desk.call("server.node-key", request, NodeKeysNeeded)).key_ids


async def test_the_first_key_is_kept_until_it_is_replaced(house: House, desk: Desk) -> None:
    assert (await desk.call("server.examine", Examine(), Facts)).key_ids == ()
    assert await noted(desk, "aa") == ("aa",)
    assert await noted(desk, "bb") == ("aa",)
    assert await house.value("SELECT sealed FROM secret WHERE name = $1", CANARY) == b"sealed by aa"
    assert await noted(desk, "bb", replace=True) == ("bb",)
    assert (await desk.call("server.examine", Examine(), Facts)).key_ids == ("bb",)


async def test_what_else_is_sealed_counts(house: House, desk: Desk) -> None:
    await house.do(PutSecret(name="dkim", sealed=b"x", key_id="cc"), Done)
    assert await noted(desk, "aa") == ("aa", "cc")
    assert await noted(desk, "bb", replace=True) == ("bb", "cc")


async def test_the_audit_says_which_key_and_never_what_was_sealed(house: House, desk: Desk) -> None:
    await noted(desk, "aa")
    ((_, operation, _, outcome, details),) = await desk.audit()
    assert (operation, outcome, details["id"]) == ("server.node-key", "done", "aa")
    assert "sealed by" not in str(details)
