"""A client that does not read holds nothing of the store, and others are served meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncIterator

import pytest

from malleposte.services import inbox
from malleposte.services.connection import Connection
from malleposte.services.imapd import listed, outline
from malleposte.services.imapd.listed import Entry
from malleposte.store.commands import CreateMailbox, SetRights, Subscribe
from malleposte.store.dialect import Reader
from malleposte.store.postgres import PostgresReader
from malleposte.store.read import outlines
from malleposte.store.read.mailboxes import Mailbox
from malleposte.store.results import Created
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


async def _mailboxes(served: Served, account: int, count: int) -> int:
    """So many mailboxes with long names, and the one that stands above them."""
    long = "x" * 200
    made = await served.store.submit(
        CreateMailbox(actor=account, account=account, parent=0, path=("top",))
    )
    assert isinstance(made, Created)
    for n in range(count):
        await served.store.submit(
            CreateMailbox(actor=account, account=account, parent=made.id, path=(f"{long}{n}",))
        )
    return made.id


async def _own(served: Served, account: int) -> None:
    await _mailboxes(served, account, NAMES)


async def _of_others(served: Served, account: int) -> None:
    owner, _ = await served.account()
    top = await _mailboxes(served, owner, NAMES)
    await served.store.submit(SetRights(actor=owner, mailbox=top, grantee=account, letters="lr"))


async def _of_none(served: Served, account: int) -> None:
    for n in range(NAMES):
        await served.store.submit(
            Subscribe(account=account, name=f"{'x' * 200}{n}", mailbox=0, subscribed=True)
        )


NAMES = 500
MANY_NAMES = {
    "own": (_own, b'c LIST "" * RETURN (STATUS (MESSAGES UIDNEXT) MYRIGHTS)\r\n'),
    "others": (_of_others, b'c LIST "" * RETURN (STATUS (MESSAGES UIDNEXT) MYRIGHTS)\r\n'),
    "of none": (_of_none, b'c LIST (SUBSCRIBED RECURSIVEMATCH) "" *\r\n' * 2),
    "LSUB": (_of_none, b'c LSUB "" *\r\n' * 2),
}


@pytest.mark.parametrize("what", MANY_NAMES)
async def test_a_list_is_made_while_its_client_reads(
    served: Served, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Of many names a slice is in memory for a client that does not take them, and lists of others are
    made meanwhile."""
    monkeypatch.setattr(listed, "AT_ONCE", 20)
    # So that the account counts as one with very many.
    for module in (outline, outlines):
        monkeypatch.setattr(module, "AT_ONCE", 50)
    for name in ("_OWN", "_SLICE"):
        text = getattr(outlines, name).replace("LIMIT 1000", "LIMIT 50")
        monkeypatch.setattr(outlines, name, text)
    number, address = await served.account()
    fill, said = MANY_NAMES[what]
    await fill(served, number)
    async with _deaf(served, address, said) as connection:
        await _stuck(connection)
        await _holds_nothing(served.store.reader)
        held = [type(thing) for thing in gc.get_objects() if isinstance(thing, Entry | Mailbox)]
        assert 0 < held.count(Entry) <= 2 * 20, "it is in the middle of the list"
        assert held.count(Mailbox) <= 3 * 20
        other = await served.signed_in(address)
        async with asyncio.timeout(20):
            answer = await other.command(said.split(b"\r\n")[0].removeprefix(b"c "))
        assert sum(b"x" * 200 in line for line in answer.untagged) >= NAMES
