"""Relays by recipient or sender: kept with their sealed passwords, replaced, bounded, forgotten."""

import pytest

from malleposte.store.commands import DropRelay, NoteRouting, PutRelay
from malleposte.store.execute import relays as executing
from malleposte.store.read.relays import noted_routing, relays
from malleposte.store.results import Done
from support.store import House


def rule(name: str = "far.example", **more: object) -> PutRelay:
    return PutRelay(kind="to", name=name, host="mail.relay.example", **more)  # type: ignore[arg-type]


async def test_a_rule_is_kept_with_its_password_until_it_is_dropped(house: House) -> None:
    await house.do(rule(login="us", sealed=b"sealed", key_id="k"), Done)
    (kept,) = await relays(house.store.reader)
    assert (kept.kind, kept.name, kept.host, kept.port) == (
        "to",
        "far.example",
        "mail.relay.example",
        587,
    )
    assert (kept.login, kept.sealed, kept.verify) == ("us", b"sealed", True)
    assert (await house.do(DropRelay(kind="to", name="far.example"), Done)).count == 1
    assert (await house.do(DropRelay(kind="to", name="far.example"), Done)).count == 0
    assert await relays(house.store.reader) == []
    assert await house.rows("SELECT name FROM secret") == []


async def test_a_change_shows_and_a_password_stays_where_none_is_given(house: House) -> None:
    house.clock.stop()
    await house.do(rule(login="us", sealed=b"sealed", key_id="k"), Done)
    (before,) = await relays(house.store.reader)
    await house.do(rule(login="them", sealed=None, verify=False), Done)
    (kept,) = await relays(house.store.reader)
    assert (kept.login, kept.sealed, kept.verify) == ("them", b"sealed", False)
    assert kept.changed_at > before.changed_at
    await house.do(rule(), Done)
    (kept,) = await relays(house.store.reader)
    assert (kept.login, kept.sealed) == ("", b"")


async def test_there_are_so_many_and_no_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executing, "MAX_RELAYS", 1)
    await house.do(rule(), Done)
    await house.do(rule(login="us"), Done)
    assert await house.refused(rule("other.example")) == "limit"


async def test_the_routing_of_what_is_queued_is_noted(house: House) -> None:
    assert await noted_routing(house.store.reader) == ""
    for mark in ("one", "two"):
        await house.do(NoteRouting(mark=mark), Done)
        assert await noted_routing(house.store.reader) == mark
