"""A store that is away or slow: the client is told, and nothing is half done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from malleposte.services.imapd import ImapSettings
from malleposte.store import PermanentFailure, TemporaryFailure, Writer
from malleposte.store.commands import AnyCommand, CreateDomain
from malleposte.store.results import AnyResult
from support.imap_client import ImapClient, Literal, Refused
from support.store import Place
from unit.services.imapd.harness import Served, serve


class Moody:
    """A writer that takes its time, or fails, as it is told."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.seconds = 0.0
        self.failure: Exception | None = None
        self.until: asyncio.Event | None = None
        """What the next command waits for."""

    async def submit(self, command: AnyCommand, fd: int | None = None) -> AnyResult:
        failure, until, self.until = self.failure, self.until, None
        await asyncio.sleep(self.seconds)
        if until is not None:
            await until.wait()
        if failure is not None:
            raise failure
        return await self._writer.submit(command, fd)


@pytest.fixture
async def moody(place: Place) -> AsyncIterator[tuple[Served, Moody]]:
    async with place.open() as store:
        await store.submit(CreateDomain(name="example.org"))
        writer = store.writer = Moody(store.writer)
        settings = ImapSettings(starttls=False, waiting_notice=0.05)
        async with serve(store, settings) as served:
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
    while writer.until is not None:
        await asyncio.sleep(0.01)
    writer.failure = None
    await other.command(b"STORE 1 +FLAGS (\\Flagged)")
    until.set()
    with pytest.raises(Refused, match="UNAVAILABLE"):
        await waiting
    answer = await one.command(b"NOOP")
    assert len(answer.untagged) == 1
    assert b"\\Flagged" in answer.untagged[0]


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
