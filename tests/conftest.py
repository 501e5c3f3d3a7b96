"""Fixtures for all tests: where a store can live, and the store itself on both databases."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from malleposte.store.postgres_writer import PostgresWriter
from support import postgres
from support.store import Clock, House, Place

# Set on some machines; what a program forgets to flush would come out all the same.
os.environ.pop("PYTHONUNBUFFERED", None)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A PostgreSQL of this test process (see ``support.postgres``); skips where none is installed.

    On the machines that must run everything (CI=true) its absence is a failure.
    """
    try:
        server = postgres.Server()
    except postgres.Missing as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty store's place, on each database in turn."""
    if request.param == "sqlite":
        return Place(tmp_path / "data")
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return Place(tmp_path / "data", await server.cleaned())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of the store, for tests that move it."""
    clock = Clock()
    for module in ("committer", "postgres_writer"):
        fake = SimpleNamespace(time=clock.time, monotonic=clock.monotonic)
        monkeypatch.setattr(f"malleposte.store.{module}.time", fake)

    async def database_time(_: object) -> int:
        return int(clock.time())

    monkeypatch.setattr(PostgresWriter, "_database_time", staticmethod(database_time))
    return clock


@pytest.fixture
async def house(place: Place, clock: Clock) -> AsyncIterator[House]:
    """An open store with a domain, on each database in turn; examined by fsck after the test."""
    async with place.open() as store:
        house = House(store, place, clock)
        await house.domain("example.org")
        yield house
        if not house.damaged:
            assert await house.fsck() == []
