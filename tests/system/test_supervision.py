"""Processes that cannot go on are replaced, and what the machine refuses for a while is tried again."""

import signal
import smtplib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support import postgres
from support.imap_client import ImapClient
from support.postgres_faults import restart_at_once
from support.processes import kill, of_kind
from support.server import PASSWORD, Server

SWEEP_BREAKS = """
import asyncio, pathlib
from malleposte.services import listener
mark = pathlib.Path({mark!r})
whole = listener.Sweep.run
async def run(self):
    sweep = asyncio.ensure_future(whole(self))
    while True:
        await asyncio.sleep(0.05)
        if mark.exists():
            mark.unlink()
            sweep.cancel()
            raise ValueError("this sweep is broken")
listener.Sweep.run = run
"""
NO_FORK = """
import os, pathlib
mark = pathlib.Path({mark!r})
fork = os.fork
def refused():
    if mark.exists():
        raise BlockingIOError(11, "Resource temporarily unavailable")
    return fork()
os.fork = refused
"""


@contextmanager
def started(server: Server) -> Iterator[None]:
    server.start()
    try:
        yield
    finally:
        server.end()


def until(server: Server, what: Callable[[], bool]) -> None:
    patience = time.monotonic() + 60
    while not what():
        assert time.monotonic() < patience, server.tail()
        assert server.process is not None
        assert server.process.poll() is None, server.tail()
        time.sleep(0.05)


def pids(server: Server) -> set[int]:
    return {process.pid for process in of_kind(server, "worker")}


async def test_a_worker_whose_task_ended_is_replaced(tmp_path: Path) -> None:
    """Without its sweep a worker had no deadlines any more, and said that all was well."""
    # Where the worker may take it away: elsewhere the kernel would not let it.
    mark = tmp_path / "server" / "data" / "blobs" / "break"
    server = Server(tmp_path / "server", workers=1, prelude=SWEEP_BREAKS.format(mark=str(mark)))
    await server.prepare(1)
    with started(server):
        before = pids(server)
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=60) as client:
            mark.touch()
            assert client.getreply()[0] == 421
            client.close()
        until(server, lambda: bool(now := pids(server)) and not now & before)
        server.wait()
        log = server.log.read_text()
        assert "a task of the worker ended" in log
        assert "this sweep is broken" in log
        assert server.stop() == 0


async def test_a_process_that_cannot_be_started_is_started_later(tmp_path: Path) -> None:
    mark = tmp_path / "full"
    server = Server(tmp_path / "server", workers=2, prelude=NO_FORK.format(mark=str(mark)))
    await server.prepare(1)
    with started(server):
        before = pids(server)
        mark.touch()
        killed = of_kind(server, "worker")[0]
        kill(killed)
        until(server, lambda: "cannot be started" in server.log.read_text())
        assert pids(server) == before - {killed.pid}
        server.wait()  # the other one serves
        mark.unlink()
        until(server, lambda: len(pids(server)) == 2)
        assert server.stop() == 0


@pytest.fixture
def database() -> Iterator[postgres.Server]:
    """A PostgreSQL of the test's own, to be stopped."""
    try:
        server = postgres.Server()
    except postgres.Missing as error:
        pytest.skip(str(error))
    yield server
    server.stop()


@pytest.mark.postgres
@pytest.mark.timeout(180)
async def test_a_database_that_is_away_ends_no_worker(
    tmp_path: Path, database: postgres.Server
) -> None:
    """Push, hints, jobs and upkeep meet it; they are to wait, and to go on when it is back."""
    server = Server(tmp_path / "server", await database.database(), workers=1)
    await server.prepare(2)
    with started(server):
        before = pids(server)
        client = await ImapClient.connect(server.ports["imap"])
        await client.login("u1@example.test", PASSWORD)
        await client.command(b"SELECT INBOX")
        client.send(b"IDLE")
        assert (await client.response()).startswith(b"+")
        database.process.send_signal(signal.SIGQUIT)
        database.process.wait(30)
        time.sleep(3)
        restart_at_once(database)
        server.wait(patience=60)
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=60) as sender:
            sender.sendmail("a@sender.example", ["u1@example.test"], "Subject: x\r\n\r\nx\r\n")
        while b" EXISTS" not in await client.response():
            pass
        client.close()
        assert pids(server) == before
        assert "a task of the worker ended" not in server.log.read_text()
        assert server.stop() == 0
