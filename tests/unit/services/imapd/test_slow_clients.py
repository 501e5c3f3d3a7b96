"""A client that does not read holds nothing of the store, and others are served meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from malleposte.services import inbox
from malleposte.services.connection import Connection
from malleposte.store.dialect import Reader
from malleposte.store.postgres import PostgresReader
from malleposte.store.sqlite import Sqlite
from support.imap_client import ImapClient, Literal
from unit.services.imapd.harness import Served

HEADER = b"From: Ada <ada@example.com>\r\nSubject: something long enough\r\n\r\n"
MANY = 40
LARGE = 300_000
"""Octets of the large message: more than all buffers take."""

ASKS = {
    "bodies": b"c FETCH 1:%d BODY.PEEK[]\r\n" % MANY * 4,
    "a large body": b"c FETCH %d BODY.PEEK[]\r\n" % (MANY + 1) * 2,
    "a decoded part": b"c FETCH %d BINARY.PEEK[1]\r\n" % (MANY + 1) * 2,
    "columns": b"c FETCH 1:* (ENVELOPE BODYSTRUCTURE FLAGS)\r\n" * 20,
    "flags": b"c FETCH 1:* FLAGS\r\n" * 60,
    "lists": b'c LIST "" * RETURN (STATUS (MESSAGES UNSEEN))\r\n' * 150,
    "searches": b"c SEARCH SUBJECT long\r\n" * 500,
    "threads": b"c THREAD REFERENCES UTF-8 ALL\r\n" * 500,
    "news of a NOTIFY": b"c NOTIFY SET (selected (MessageNew (BODY.PEEK[]) MessageExpunge))\r\n",
}


@pytest.fixture(autouse=True)
def little_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little is queued for a client: the tests need not make much."""
    monkeypatch.setattr(inbox, "WRITE_AHEAD", 16_384)


@contextlib.asynccontextmanager
async def _deaf(served: Served, address: str, said: bytes) -> AsyncIterator[Connection]:
    """A client that says something and reads nothing, when the server waits for it to."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    before = set(served.listener.connections)
    try:
        await loop.sock_connect(sock, ("127.0.0.1", served.port))
        async with asyncio.timeout(30):
            while not any(c.made for c in served.listener.connections - before):
                await asyncio.sleep(0.01)
        (connection,) = served.listener.connections - before
        assert connection._transport is not None
        # The system's own buffers would take megabytes.
        ours = connection._transport.get_extra_info("socket")
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
        login = f'a LOGIN "{address}" secret\r\nb SELECT INBOX\r\n'.encode()
        # Some of it may have to wait until the server goes on reading.
        sending = asyncio.create_task(loop.sock_sendall(sock, login + said))
        try:
            async with asyncio.timeout(30):
                yield connection
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sending
    finally:
        sock.close()


async def _stuck(connection: Connection) -> None:
    """Until the server waits for the client to read."""
    async with asyncio.timeout(30):
        while connection._drain is None:
            await asyncio.sleep(0.01)
    # Whatever goes on without the client has its time.
    await asyncio.sleep(0.1)
    assert connection._drain is not None


async def _holds_nothing(reader: Reader) -> None:
    """No read transaction is open, and no connection of the pool is lent."""
    if isinstance(reader, PostgresReader):
        assert reader.pool.get_idle_size() == reader.pool.get_size()
        (count,) = await reader.row(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state NOT IN ('idle') AND backend_type = 'client backend'"
        ) or (None,)
        assert count == 0
        return
    assert isinstance(reader, Sqlite)
    assert reader.connection.txn_state() == 0, "a transaction is open"


async def _filled(served: Served) -> tuple[str, ImapClient]:
    _, address = await served.account()
    client = await served.signed_in(address)
    for n in range(MANY):
        text = HEADER + b"%d " % n * 4_000
        await client.command(b"APPEND INBOX ", Literal(text))
    await client.command(
        b"APPEND INBOX ", Literal(HEADER + b"0123456789abcdef\r\n" * (LARGE // 18))
    )
    return address, client


@pytest.mark.parametrize("what", ASKS)
async def test_nothing_is_held_while_a_client_does_not_read(served: Served, what: str) -> None:
    """Whatever it asked for. And whoever shares the worker and the mailbox is answered meanwhile."""
    address, other = await _filled(served)
    async with _deaf(served, address, ASKS[what]) as connection:
        if "NOTIFY" in what:
            while not served.hub.callbacks:
                await asyncio.sleep(0.01)
            await other.command(b"SELECT INBOX")
            for _ in range(2):
                await other.command(b"COPY %d INBOX" % (MANY + 1))
            (number,) = served.hub.callbacks
            served.hub.hint(number)
        await _stuck(connection)
        await _holds_nothing(served.store.reader)
        async with asyncio.timeout(10):
            await other.command(b"NOOP")
            await other.command(b"APPEND INBOX ", Literal(HEADER + b"new\r\n"))
            await other.command(b"SELECT INBOX")
            await other.command(b"FETCH 1:* (FLAGS ENVELOPE)")
            await other.command(b"STORE 1:5 +FLAGS.SILENT (\\Seen)")
            await other.command(b"SEARCH TEXT long")
        await _holds_nothing(served.store.reader)
        assert connection._drain is not None
