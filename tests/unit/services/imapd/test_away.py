"""A store that is away or slow: the client is told, and nothing is half done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import pytest

from malleposte.services.imapd import ImapSettings
from malleposte.services.imapd.session import Session
from malleposte.store import PermanentFailure, TemporaryFailure, Writer
from malleposte.store.commands import AnyCommand, ClaimRecent
from malleposte.store.postgres import PostgresReader
from malleposte.store.results import AnyResult
from support.imap_client import ImapClient, Literal, Refused
from support.store import Place
from unit.services.imapd.harness import Served, served_with


class Moody:
    """A writer that takes its time, or fails, as it is told."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.seconds = 0.0
        self.failure: Exception | None = None
        self.until: asyncio.Event | None = None
        """What the next command, of those of ``kind``, waits for."""
        self.kind: type[AnyCommand] | type[object] = object

    @property
    def waits(self) -> bool:
        """Whether a command has come to what it waits for."""
        return self.until is None

    async def reached(self) -> None:
        """Return when a command waits."""
        while self.until is not None:
            await asyncio.sleep(0.01)

    async def submit(self, command: AnyCommand, fd: int | None = None) -> AnyResult:
        failure, until = self.failure, None
        if isinstance(command, self.kind):
            until, self.until = self.until, None
        await asyncio.sleep(self.seconds)
        if until is not None:
            await until.wait()
        if failure is not None:
            raise failure
        return await self._writer.submit(command, fd)


@pytest.fixture
async def moody(place: Place) -> AsyncIterator[tuple[Served, Moody]]:
    settings = ImapSettings(starttls=False, waiting_notice=0.05)
    async with served_with(place, settings) as served:
        writer = served.store.writer = Moody(served.store.writer)
        yield served, writer


async def _session(served: Served) -> ImapClient:
    _, address = await served.account()
    client = await served.signed_in(address)
    await client.command(b"APPEND INBOX ", Literal(b"Subject: x\r\n\r\ny\r\n"))
    await client.command(b"SELECT INBOX")
    return client


async def test_a_command_that_waits_says_so(moody: tuple[Served, Moody]) -> None:
    served, writer = moody
    client = await _session(served)
    writer.seconds = 0.25
    answer = await client.command(b"STORE 1 +FLAGS (\\Seen)")
    notices = [line for line in answer.untagged if line.startswith(b"* OK Still waiting")]
    assert len(notices) >= 2
    assert answer.untagged[-1] == b"* 1 FETCH (FLAGS (\\Recent \\Seen))\r\n"
    answer = await client.command(b"APPEND INBOX ", Literal(b"Subject: z\r\n\r\n"))
    assert answer.untagged[0].startswith(b"* OK Still waiting")


@pytest.mark.parametrize(
    "command",
    [
        b"STORE 1 +FLAGS (\\Seen)",
        b"COPY 1 Trash",
        b"MOVE 1 Trash",
        b"FETCH 1 BODY[]",
        b"CREATE box",
        b"RENAME Trash Bin",
        b"DELETE Trash",
        b"SUBSCRIBE box",
        b"APPEND INBOX {6+}\r\nabcdef",
    ],
)
async def test_away_is_unavailable_and_nothing_happened(
    moody: tuple[Served, Moody], command: bytes
) -> None:
    served, writer = moody
    client = await _session(served)
    writer.failure = TemporaryFailure("the writer is away")
    with pytest.raises(Refused, match=r"NO \[UNAVAILABLE\]"):
        await client.command(command)
    writer.failure = None
    answer = await client.command(b"FETCH 1 FLAGS")
    assert answer.untagged == [b"* 1 FETCH (FLAGS (\\Recent))\r\n"]
    await client.command(command)


async def test_what_others_change_while_a_store_fails_is_told(moody: tuple[Served, Moody]) -> None:
    served, writer = moody
    _, address = await served.account()
    one, other = [await served.signed_in(address) for _ in range(2)]
    await one.command(b"APPEND INBOX ", Literal(b"Subject: x\r\n\r\ny\r\n"))
    for client in (one, other):
        await client.command(b"SELECT INBOX")
    writer.failure, writer.until = TemporaryFailure("the writer is away"), asyncio.Event()
    until = writer.until
    waiting = asyncio.create_task(one.command(b"STORE 1 +FLAGS (\\Seen)"))
    while not writer.waits:
        await asyncio.sleep(0.01)
    writer.failure = None
    await other.command(b"STORE 1 +FLAGS (\\Flagged)")
    until.set()
    with pytest.raises(Refused, match="UNAVAILABLE"):
        await waiting
    answer = await one.command(b"NOOP")
    assert len(answer.untagged) == 1
    assert b"\\Flagged" in answer.untagged[0]


async def test_what_is_expunged_while_news_are_told_is_held_back(
    moody: tuple[Served, Moody],
) -> None:
    """RFC 7162 §6: the flags told with an APPEND are newer than an EXPUNGE that waits."""
    served, writer = moody
    _, address = await served.account()
    one, other = [await served.signed_in(address) for _ in range(2)]
    for number in range(2):
        await one.command(b"APPEND INBOX ", Literal(b"Subject: %d\r\n\r\ny\r\n" % number))
    await one.command(b"ENABLE QRESYNC")
    await other.command(b"ENABLE IMAP4rev2")  # which has no \\Recent to wait for
    for client in (one, other):
        await client.command(b"SELECT INBOX")
    writer.until, writer.kind = asyncio.Event(), ClaimRecent
    until = writer.until
    waiting = asyncio.create_task(one.command(b"APPEND INBOX ", Literal(b"Subject: z\r\n\r\n")))
    await writer.reached()
    await other.command(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
    await other.command(b"UID EXPUNGE 1")
    await other.command(b"UID STORE 2 +FLAGS.SILENT (\\Flagged)")
    until.set()
    answer = await waiting
    told = [line for line in answer.untagged if b"FETCH (UID 2 FLAGS (" in line]
    assert len(told) == 1
    seen = int(told[0].rpartition(b"MODSEQ (")[2].partition(b")")[0])
    assert int(answer.code(b"HIGHESTMODSEQ")[0]) < seen
    assert b"* VANISHED 1\r\n" in (await one.command(b"NOOP")).untagged


async def test_a_defect_of_the_store_ends_the_command_only(moody: tuple[Served, Moody]) -> None:
    served, writer = moody
    client = await _session(served)
    writer.failure = PermanentFailure("a bug")
    with pytest.raises(Refused, match=r"NO \[SERVERBUG\]"):
        await client.command(b"STORE 1 +FLAGS (\\Seen)")
    with pytest.raises(Refused, match=r"NO \[SERVERBUG\]"):
        await client.command(b"APPEND INBOX ", Literal(b"x"))
    writer.failure = None
    await client.command(b"STORE 1 +FLAGS (\\Seen)")


async def test_close_that_fails_leaves_the_mailbox_open(moody: tuple[Served, Moody]) -> None:
    served, writer = moody
    client = await _session(served)
    await client.command(b"STORE 1 +FLAGS (\\Deleted)")
    writer.failure = TemporaryFailure("the writer is away")
    with pytest.raises(Refused, match="UNAVAILABLE"):
        await client.command(b"CLOSE")
    writer.failure = None
    answer = await client.command(b"FETCH 1 FLAGS")
    assert answer.untagged == [b"* 1 FETCH (FLAGS (\\Recent \\Deleted))\r\n"]
    await client.command(b"CLOSE")


READS = (
    b"SELECT INBOX",
    b"FETCH 1 (FLAGS ENVELOPE)",
    b"FETCH 1 BODY.PEEK[]",
    b"SEARCH TEXT x",
    b"SEARCH SUBJECT x",
    b"SORT (SUBJECT) UTF-8 ALL",
    b"THREAD REFERENCES UTF-8 ALL",
    b"NOOP",
    b"CHECK",
    b'LIST "" * RETURN (STATUS (MESSAGES))',
    b'LSUB "" *',
    b"STATUS Trash (MESSAGES)",
    b"GETACL INBOX",
    b"MYRIGHTS INBOX",
    b"SETACL INBOX nobody@example.org lr",
    b"GETMETADATA INBOX /shared/comment",
    b"GETQUOTAROOT INBOX",
    b"NOTIFY SET STATUS (personal (MessageNew MessageExpunge))",
    b"COPY 1 nowhere",
    b"FETCH 1 (SAVEDATE BODYSTRUCTURE PREVIEW EMAILID)",
    b"SEARCH NEW",
    b"SEARCH SAVEDBEFORE 1-Jan-2020",
    b'LIST "" * RETURN (MYRIGHTS SUBSCRIBED METADATA (/shared/comment))',
    b'SETMETADATA INBOX (/shared/comment "x")',
    b"LISTRIGHTS INBOX anyone",
    b"CREATE box",
    b"RENAME box case",
    b"DELETE case",
    b"APPEND INBOX {1+}\r\nx",
    b"STORE 1 +FLAGS (\\Flagged)",
    b"MOVE 1 Trash",
    b"EXPUNGE",
    b"UNSUBSCRIBE Trash",
    b"EXAMINE INBOX",
)
"""Whatever reads the store, in an order in which it can be given."""


async def test_every_read_of_a_command_is_waited_for_patiently(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the client hears of it. Reads of SQLite never wait; PostgreSQL may be away, or at the end of
    a slow line."""
    if place.dialect == "sqlite":
        pytest.skip("reads of SQLite do not wait")
    async with served_with(place) as served:
        client = await _session(served)
        await client.command(b"UNSELECT")

        patient: ContextVar[bool] = ContextVar("patient", default=False)
        patiently = Session.patiently
        hasty: list[object] = []

        async def waiting(self: Session, work: Awaitable[Any]) -> Any:
            token = patient.set(True)
            try:
                return await patiently(self, work)
            finally:
                patient.reset(token)

        def watched(read: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
            async def reading(*args: Any) -> Any:
                if not patient.get():
                    hasty.append((command, args[1]))
                return await read(*args)

            return reading

        monkeypatch.setattr(Session, "patiently", waiting)
        monkeypatch.setattr(PostgresReader, "rows", watched(PostgresReader.rows))
        monkeypatch.setattr(PostgresReader, "row", watched(PostgresReader.row))
        for command in READS:
            tag = client.send(command)
            while not (await client.response()).startswith(tag):
                pass
        assert hasty == []
