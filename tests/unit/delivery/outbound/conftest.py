"""A queue and the world outside of it: on SQLite alone for tables of behaviours, on both for the store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from malleposte.store.dialect import Reader
from malleposte.store.read import sending
from support.store import Clock, House, Place
from unit.delivery.outbound.outside import Outside


@pytest.fixture
def due(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """What is due is due by the time of the test."""

    async def any_due(reader: Reader) -> bool:
        now = int(clock.time())
        return await reader.row("SELECT 1 FROM queue_route WHERE due_at <= $1", now) is not None

    monkeypatch.setattr(sending, "any_due", any_due)


@pytest.fixture
async def outside(tmp_path: Path, clock: Clock, due: None) -> AsyncIterator[Outside]:
    """On SQLite."""
    place = Place(tmp_path / "data")
    async with place.open() as store:
        house = House(store, place, clock)
        await house.domain("example.org")
        async for one in _opened(house, tmp_path):
            yield one
        if not house.damaged:
            assert await house.fsck() == []


@pytest.fixture
async def outside_both(house: House, tmp_path: Path, due: None) -> AsyncIterator[Outside]:
    """On each database in turn."""
    async for one in _opened(house, tmp_path):
        yield one


async def _opened(house: House, folder: Path) -> AsyncIterator[Outside]:
    one = Outside(house, folder)
    one.dns_port = await one.zone.start()
    try:
        yield one
    finally:
        await one.close()
