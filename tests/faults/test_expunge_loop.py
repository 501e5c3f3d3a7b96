"""One account appends and expunges in a loop: its recoverable mail fills no disk for the others.

Beside it another account receives; of that mail nothing is put off, but for a moment. What a hold keeps
stays. Processes are killed in the middle.
"""

import asyncio
import contextlib
import imaplib
import os
import random
import smtplib
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from malleposte.store.execute.appending import OUTRUN
from malleposte.store.fsck import check
from support import disks, mailbox, postgres, processes
from support.server import PASSWORD, Server

pytestmark = pytest.mark.timeout(180)

LOOPER, RECEIVER, HELD = "u0@example.test", "u1@example.test", "u2@example.test"
DISK = 80_000_000
MOMENT = 2.5
"""Seconds for which mail may be put off at most: the disk is looked at once a second."""


@dataclass
class Traffic:
    """Threads that run until ``stop`` is set."""

    server: Server
    large: int = 700_000
    stop: threading.Event = field(default_factory=threading.Event)
    appended: int = 0
    """Octets."""
    put_off: int = 0
    codes: list[tuple[float, int]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def loop(self) -> None:
        """APPEND, mark, EXPUNGE; anew where the connection or its process is gone."""
        while not self.stop.is_set():
            with (
                contextlib.suppress(OSError, imaplib.IMAP4.error),
                mailbox.opened(self.server, LOOPER, PASSWORD) as client,
            ):
                client.select("Drafts")
                while not self.stop.is_set():
                    self._once(client)

    def _once(self, client: imaplib.IMAP4) -> None:
        # Now in a file, now in rows.
        size = self.large if self.put_off % 2 == self.appended % 2 else 200_000
        kind, data = client.append("Drafts", "", "", b"Subject: x\r\n\r\n" + os.urandom(size))
        if kind == "OK":
            self.appended += size
        else:
            self.put_off += 1
            if not data[0].startswith(b"[UNAVAILABLE]"):
                self.wrong.append(str(data))
            time.sleep(0.05)
        client.store("1:*", "+FLAGS.SILENT", "(\\Deleted)")
        client.expunge()

    def receive(self) -> None:
        """Send to the other account, and note how each was answered."""
        number = 0
        while not self.stop.is_set():
            number += 1
            text = b"Message-ID: <r%d@x>\r\n\r\nHello\r\n" % number
            with (
                contextlib.suppress(OSError, smtplib.SMTPException),
                smtplib.SMTP("127.0.0.1", self.server.ports["smtp"], timeout=60) as client,
            ):
                client.ehlo("sender.example")
                client.mail("a@sender.example")
                code, words = client.rcpt(RECEIVER)
                if code == 250:
                    code, words = client.data(text)
                self.codes.append((time.monotonic(), code))
                if code not in (250, 451, 452):
                    self.wrong.append(f"{code} {words!r}")
            time.sleep(0.02)

    def run(self, octets: int, *, seconds: float = 90.0, kills: int = 0) -> None:
        """Until so much was appended; so many processes are killed meanwhile."""
        threads = [threading.Thread(target=one) for one in (self.loop, self.receive)]
        for thread in threads:
            thread.start()
        try:
            self._wait(octets, seconds, kills)
        finally:
            self.stop.set()
            for thread in threads:
                thread.join(60)
        assert not self.wrong, self.wrong[:3]

    def _wait(self, octets: int, seconds: float, kills: int) -> None:
        chance = random.Random(5)
        until = time.monotonic() + seconds
        at = octets // (kills + 1)
        while self.appended < octets:
            assert time.monotonic() < until, (
                f"only {self.appended:,} octets, {self.put_off} put off"
            )
            if kills and self.appended >= at:
                at += octets // (kills + 1)
                found = [
                    *processes.of_kind(self.server, "writer"),
                    *processes.of_kind(self.server, "worker"),
                ]
                processes.kill(chance.choice(found))
            time.sleep(0.05)

    def longest(self) -> float:
        """Seconds for which the other account's mail was put off at a stretch."""
        longest, since = 0.0, None
        for at, code in self.codes:
            if code == 250:
                since = None
            else:
                since = since or at
                longest = max(longest, at - since)
        return longest


def small_server(folder: Path, **store: str) -> Server:
    """Prepared, with one account that has expunged mail under a hold."""
    server = Server(folder, settings={"store": store})
    server.folder.mkdir()
    asyncio.run(server.prepare(3))
    return server


def expunge_some(server: Server) -> None:
    with mailbox.opened(server, HELD, PASSWORD) as client:
        for _ in range(3):
            text = b"Subject: kept\r\n\r\n" + os.urandom(900_000)
            assert client.append("INBOX", "\\Deleted", "", text)[0] == "OK"
        client.select("INBOX")
        assert client.expunge()[0] == "OK"


async def hold(server: Server) -> None:
    async with server.open_store() as store:
        row = await store.reader.row("SELECT id FROM account WHERE address = $1", HELD)
        assert row is not None
        committer = store.writer._committer  # type: ignore[attr-defined]
        committer.db.begin()
        await committer.db.run(
            "INSERT INTO hold (account, reason, actor, created_at) VALUES ($1, 'court', 'me', 1)",
            row[0],
        )
        committer.db.commit()


async def examined(server: Server) -> dict[str, int]:
    """No fault in the store; octets each account has recoverable."""
    async with server.open_store() as store:
        found = [one async for one in check(store.reader, store.blobs, deep=True)]
        assert found == [], found[:5]
        rows = await store.reader.rows(
            "SELECT a.address, h.recoverable_bytes FROM account a"
            " JOIN account_head h ON h.account = a.id"
        )
        return dict(rows)


# Of a connection that ended while it was made, imaplib leaves the socket open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kills", [0, 4])
def test_the_disk_runs_short(tmp_path: Path, kills: int) -> None:
    server = small_server(tmp_path / "server", disk_reserve='"1 GB"', disk_reserve_percent="20")
    with disks.onto(server, disks.tmpfs(server.data, DISK)) as disk:
        server.start()
        expunge_some(server)
        server.stop()
        asyncio.run(hold(server))
        server.start()
        traffic = Traffic(server)
        traffic.run(2 * DISK, kills=kills)
        received = sum(code == 250 for _, code in traffic.codes)
        refused = len(traffic.codes) - received
        assert received > 50
        if not kills:
            assert traffic.longest() < MOMENT, f"{refused} of {len(traffic.codes)} put off"
            figures = server.figures()
            assert 'malleposte_removed_early_total{what="recoverable, for want of room"}' in figures
            assert server.log.read_bytes().count(b"the disk runs short: what can go") == 1
        assert disk.free > DISK // 5
        server.stop()
        recoverable = asyncio.run(examined(server))
        assert recoverable[HELD] > 2_700_000, "what the hold keeps was purged"


def test_the_bound_of_an_account_alone(tmp_path: Path) -> None:
    """Without any reserve: it never comes to that."""
    server = small_server(tmp_path / "server", disk_reserve='"0 B"', recoverable_size='"5 MB"')
    with disks.onto(server, disks.tmpfs(server.data, DISK // 2)):
        server.start()
        traffic = Traffic(server)
        traffic.run(DISK)
        assert {code for _, code in traffic.codes} == {250}
        server.stop()
        recoverable = asyncio.run(examined(server))
        assert recoverable[LOOPER] < 5_000_000 + OUTRUN + traffic.large


@pytest.mark.postgres
def test_the_bound_of_an_account_on_postgres(
    postgres_server: postgres.Server, tmp_path: Path
) -> None:
    dsn = asyncio.run(postgres_server.database())
    server = Server(tmp_path / "server", dsn, settings={"store": {"recoverable_size": '"5 MB"'}})
    server.folder.mkdir()
    asyncio.run(server.prepare(3))
    server.start()
    traffic = Traffic(server)
    try:
        traffic.run(60_000_000)
        assert {code for _, code in traffic.codes} == {250}
        server.stop()
        most = 5_000_000 + OUTRUN + traffic.large
        assert asyncio.run(examined(server))[LOOPER] < most
        assert asyncio.run(stored(server)) < most + 1_000_000, "content nobody uses is kept"
    finally:
        server.end()
    asyncio.run(postgres_server.drop(dsn))


async def stored(server: Server) -> int:
    async with server.open_store() as store:
        row = await store.reader.row("SELECT coalesce(sum(stored), 0) FROM blob")
        assert row is not None
        return int(row[0])
