"""NOTIFY over the whole server: watchers on every worker hear what a stranger and a second device do."""

import asyncio
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.imap_client import ImapClient, Literal, signed_in
from support.server import PASSWORD, Server

WATCHERS = 6
"""Connections: with two workers each has some of them, but once in 30 runs."""
ALL = (
    b"NOTIFY SET (selected-delayed (MessageNew (UID ENVELOPE) MessageExpunge FlagChange))"
    b" (personal (MessageNew MessageExpunge MailboxName SubscriptionChange))"
)


async def _heard(watchers: list[ImapClient], words: bytes) -> None:
    """All of them hear it next, each without saying anything."""
    async with asyncio.timeout(30):
        for watcher in watchers:
            assert (await watcher.response()).startswith(b"* " + words)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A server with two workers, on each database."""
    dsn = ""
    if request.param == "postgres":
        dsn = asyncio.run(request.getfixturevalue("postgres_server").cleaned())
    with Server(tmp_path / "server", dsn=dsn).running(1) as server:
        yield server


def test_watchers_on_every_worker_hear_of_everything(running: Server) -> None:
    asyncio.run(_watch(running))


async def _watch(server: Server) -> None:
    me = "u0@example.test"
    watchers = [await ImapClient.connect(server.ports["imap"]) for _ in range(WATCHERS)]
    try:
        for watcher in watchers:
            await watcher.login(me, PASSWORD)
            await watcher.command(b"ENABLE IMAP4rev2")
            await watcher.command(b"SELECT INBOX")
            await watcher.command(ALL)
        await asyncio.to_thread(_deliver, server, me)
        await _heard(watchers, b"1 EXISTS")
        await _heard(watchers, b'1 FETCH (UID 1 ENVELOPE (NIL "news" ')
        async with signed_in(server.ports["imap"], me, PASSWORD) as device:
            await device.command(b"CREATE reports")
            await _heard(watchers, b'LIST (\\HasNoChildren) "/" "reports"')
            await device.command(b"APPEND reports ", Literal(b"Subject: x\r\n\r\n"))
            await _heard(watchers, b'STATUS "reports" (MESSAGES 1 UIDNEXT 2 ')
            await device.command(b"SELECT INBOX")
            await device.command(b"STORE 1 +FLAGS.SILENT (\\Flagged)")
            await _heard(watchers, b"1 FETCH (UID 1 FLAGS (\\Flagged))")
            await device.command(b"SUBSCRIBE reports")
            await _heard(watchers, b'LIST (\\Subscribed \\HasNoChildren) "/" "reports"')
            await device.command(b"RENAME reports Reports")
            await _heard(watchers, b'LIST (\\Subscribed \\HasNoChildren) "/" "Reports" ("OLDNAME" ')
            await device.command(b"DELETE Reports")
            await _heard(watchers, b'LIST (\\NonExistent \\Subscribed) "/" "Reports"')
    finally:
        for watcher in watchers:
            watcher.close()


def _deliver(server: Server, address: str) -> None:
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=30) as client:
        text = "Message-ID: <notify@test.example>\r\nSubject: news\r\n\r\nnews\r\n"
        client.sendmail("a@sender.example", [address], text)
