"""The writer's process stands still: clients are told that the server lives, and lose nothing."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest

from malleposte.services.imapd import ImapSettings
from malleposte.store import embedded
from malleposte.store.commands import CreateDomain
from support.imap_client import ImapClient, Literal
from support.writer_process import WriterProcess
from unit.services.imapd.harness import Served, serve

NOTICE = 0.1
MESSAGE = Literal(b"Subject: x\r\n\r\ny\r\n")
COMMANDS: tuple[tuple[bytes | Literal, ...], ...] = (
    (b"APPEND INBOX ", MESSAGE),
    (b"APPEND INBOX ", MESSAGE, b" ", MESSAGE),
    (b"REPLACE 3 INBOX ", MESSAGE),
    (b"STORE 1 +FLAGS (\\Flagged)",),
    (b"UID STORE 1:2 -FLAGS.SILENT (\\Flagged)",),
    (b"FETCH 2 BODY[]",),
    (b"FETCH 1 (FLAGS BODY[TEXT])",),
    (b"COPY 1 Trash",),
    (b"MOVE 1 Trash",),
    (b"CREATE box",),
    (b"RENAME box case",),
    (b"SUBSCRIBE case",),
    (b"UNSUBSCRIBE case",),
    (b"DELETE case",),
    (b"RENAME INBOX gone",),
    (b"EXPUNGE",),
    (b"CLOSE",),
)
"""Whatever changes something, in an order in which each has something to do."""


@pytest.fixture
async def served(writer: WriterProcess) -> AsyncIterator[Served]:
    async with embedded(writer.folder, writer.socket) as store:
        await store.submit(CreateDomain(name="example.org"))
        settings = ImapSettings(starttls=False, waiting_notice=NOTICE)
        async with serve(store, settings) as service:
            yield service


async def _go_on(writer: WriterProcess, seconds: float) -> None:
    await asyncio.sleep(seconds)
    writer.signal(signal.SIGCONT)


async def test_every_command_that_waits_says_so(writer: WriterProcess, served: Served) -> None:
    """Stopped for longer than the notice: `* OK` comes again and again, then the answer."""
    _, address = await served.account()
    client = await served.signed_in(address)
    for _ in range(4):
        await client.command(b"APPEND INBOX ", MESSAGE)
    await client.command(b"SELECT INBOX")
    silent = []
    for command in COMMANDS:
        if command[0] in (b"EXPUNGE", b"CLOSE"):
            await client.command(b"APPEND INBOX (\\Deleted) ", MESSAGE)
            await client.command(b"SELECT INBOX")
        writer.signal(signal.SIGSTOP)
        going = asyncio.create_task(_go_on(writer, 3.5 * NOTICE))
        try:
            heard = await _run(client, *command)
        finally:
            await going
        if sum(line.startswith(b"* OK Still waiting") for line in heard) < 2:
            silent.append(command[0])
    assert silent == []


async def _run(client: ImapClient, *command: bytes | Literal) -> list[bytes]:
    """All that came, also where the command was refused: it waited all the same."""
    tag = client.send(*command)
    heard: list[bytes] = []
    async with asyncio.timeout(60):
        while not heard or not heard[-1].startswith(tag):
            heard.append(await client.response())
    return heard


async def test_what_only_reads_does_not_wait(writer: WriterProcess, served: Served) -> None:
    """Reading and listing go on while nothing can be written, also for who watches (NOTIFY) and idles."""
    _, address = await served.account()
    client = await served.signed_in(address)
    await client.command(b"APPEND INBOX ", MESSAGE)
    writer.signal(signal.SIGSTOP)
    try:
        async with asyncio.timeout(10):
            await client.command(b"ENABLE IMAP4rev2")
            for command in (
                b"SELECT INBOX",
                b"NOTIFY SET STATUS (selected (MessageNew MessageExpunge)) (personal (MailboxName))",
                b"FETCH 1 (FLAGS ENVELOPE BODY.PEEK[])",
                b"SEARCH TEXT x",
                b"UID SORT (DATE) UTF-8 ALL",
                b"UID THREAD REFERENCES UTF-8 ALL",
                b'LIST "" * RETURN (STATUS (MESSAGES))',
                b"STATUS Trash (MESSAGES UNSEEN)",
                b"NOOP",
                b"UNSELECT",
            ):
                answer = await client.command(command)
                assert not any(b"waiting" in line for line in answer.untagged), command
    finally:
        writer.signal(signal.SIGCONT)
