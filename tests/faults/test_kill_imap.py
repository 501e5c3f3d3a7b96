"""`kill -9` while programs write over IMAP: what was answered OK is there, nothing is half done.

Writers append, flag, copy, move and expunge and keep a model (``support.imap_load``); others idle on the
same mailboxes and keep count. After the kills the mailboxes are compared with the models.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from malleposte.store.fsck import check
from support import postgres, postgres_faults, processes
from support.imap_load import Watcher, Writer
from support.server import PASSWORD, Server
from support.store import Place

ACCOUNTS = 3
WRITERS = 6
KINDS = ("APPEND", "STORE", "COPY", "MOVE", "EXPUNGE")


def _done(writers: list[Writer]) -> Counter[str]:
    """How often which command was answered OK."""
    done: Counter[str] = Counter()
    for writer in writers:
        done.update(writer.acknowledged)
    return done


@asynccontextmanager
async def under_load(server: Server, seed: int) -> AsyncIterator[None]:
    """Write and watch while the block runs; then everything is compared and examined."""
    writers = [
        Writer(
            server.ports["imap"],
            f"u{number % ACCOUNTS}@example.test",
            PASSWORD,
            f"w{number}",
            random.Random(seed * 100 + number),
        )
        for number in range(WRITERS)
    ]
    for writer in writers:
        await writer.prepare()
    watchers = [Watcher(w.port, w.address, PASSWORD, w.mailboxes[0]) for w in writers[:3]]
    tasks = [asyncio.create_task(writer.run()) for writer in writers]
    tasks += [asyncio.create_task(watcher.run()) for watcher in watchers]
    try:
        yield
        await asyncio.to_thread(server.wait)
        for _ in range(600):
            # On a slow machine kills leave time for little between them.
            if all(_done(writers)[what] > 5 for what in KINDS):
                break
            await asyncio.sleep(0.1)
    finally:
        for writer in writers:
            writer.stopped = True
        for watcher in watchers:
            watcher.stopped = True
        await asyncio.wait_for(asyncio.gather(*tasks), 100)
    for writer in writers:
        await writer.check()
    done = _done(writers)
    assert all(done[what] > 5 for what in KINDS), done
    unanswered = sum(doubt.before != doubt.after for w in writers for doubt in w.doubts)
    assert unanswered, "no kill met a command: this shows nothing"
    assert all(watcher.rounds > 2 for watcher in watchers), "the watchers saw nothing"


async def examined(server: Server) -> list[object]:
    """Stop the server; what fsck finds."""
    await asyncio.to_thread(server.stop)
    async with Place(server.data, server.dsn).open() as store:
        return [one async for one in check(store.reader, store.blobs, deep=True)]


async def storm(
    server: Server,
    kills: int,
    seed: int,
    victims: tuple[str, ...],
    database: postgres.Server | None = None,
) -> None:
    """Kill one process after the other, at random moments."""
    chance = random.Random(seed)
    killed: Counter[str] = Counter()
    while killed.total() < kills:
        await asyncio.sleep(chance.uniform(0.05, 0.6))
        if database is not None:
            # Its recovery takes a second; between two of them there must be something to lose.
            await asyncio.to_thread(server.wait)
            await asyncio.sleep(chance.uniform(0.2, 2.0))
        victim = chance.choice(victims)
        hit = True
        if victim == "supervisor":
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        elif victim == "backend":
            assert database is not None
            hit = postgres_faults.kill_backend(database, chance)
        elif victim == "database":
            assert database is not None
            postgres_faults.restart_at_once(database)
        else:
            kind: processes.Kind = "writer" if victim == "writer" else "worker"
            found = await asyncio.to_thread(processes.of_kind, server, kind)
            hit = bool(found) and processes.kill(chance.choice(found))
        killed[victim] += hit
    assert set(killed) == set(victims), f"not everything was killed: {killed}"
    await asyncio.sleep(0.5)


async def survives(
    server: Server,
    kills: int,
    seed: int,
    victims: tuple[str, ...] = ("writer", "worker", "supervisor"),
    database: postgres.Server | None = None,
) -> None:
    """The whole of a test."""
    await server.prepare(ACCOUNTS)
    await asyncio.to_thread(server.start)
    try:
        async with under_load(server, seed):
            await storm(server, kills, seed, victims, database)
        assert await examined(server) == []
    finally:
        await asyncio.to_thread(server.end)


@pytest.mark.timeout(240)
async def test_kills_lose_nothing(tmp_path: Path) -> None:
    await survives(Server(tmp_path), kills=15, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_many_kills_lose_nothing(tmp_path: Path) -> None:
    await survives(Server(tmp_path), kills=200, seed=2)


@pytest.fixture
def database() -> Iterator[postgres.Server]:
    """A PostgreSQL that this test may kill."""
    try:
        server = postgres.Server()
    except postgres.Missing as error:
        pytest.skip(str(error))
    try:
        yield server
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(1800)
async def test_workers_on_postgres_are_killed(tmp_path: Path, database: postgres.Server) -> None:
    server = Server(tmp_path, await database.database())
    await survives(server, 60, 3, ("worker", "supervisor"))


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(1800)
async def test_postgres_itself_is_killed(tmp_path: Path, database: postgres.Server) -> None:
    server = Server(tmp_path, await database.database())
    await survives(server, 40, 4, ("worker", "backend", "database"), database)
