"""The clock jumps, back too: numbers that may only grow do, dates are those of the clock.

On a running server by Debian's libfaketime, whose file of the time the test changes while it serves; in
the store alone by the fixture ``clock``, on both databases.
"""

import asyncio
import imaplib
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from malleposte.store.commands import DeleteMailbox
from malleposte.store.fsck import check
from malleposte.store.results import Done
from support import mailbox
from support.programs import need
from support.server import PASSWORD, Server
from support.store import House

USER = "u1@example.test"
YEAR = 365 * 86_400
JUMPS = (-2 * YEAR, +1 * YEAR, -10 * YEAR, 0)
"""Offsets to the true time, one after the other."""


class Clock:
    """The time of a server's processes."""

    def __init__(self, file: Path, library: Path) -> None:
        self._file = file
        self._library = library
        self._offset = 0
        self.turn(0)

    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def turn(self, offset: int) -> None:
        self._offset = offset
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{offset:+d}")
        fresh.rename(self._file)

    def now(self) -> float:
        return time.time() + self._offset


@pytest.fixture
def turned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Server, Clock]]:
    """A running server and its clock."""
    need("faketime")
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert libraries, "faketime is installed without its library"
    clock = Clock(tmp_path / "time", libraries[0])
    server = Server(tmp_path / "server")
    asyncio.run(server.prepare(2))
    for name, value in clock.environment().items():
        monkeypatch.setenv(name, value)
    server.start()
    for name in clock.environment():
        monkeypatch.delenv(name)
    try:
        yield server, clock
    finally:
        server.end()


def numbers(client: imaplib.IMAP4, name: str) -> tuple[int, int, int]:
    """UIDVALIDITY, UIDNEXT, HIGHESTMODSEQ."""
    kind, (line,) = client.status(name, "(UIDVALIDITY UIDNEXT HIGHESTMODSEQ)")
    assert kind == "OK"
    found = re.search(rb"UIDVALIDITY (\d+) UIDNEXT (\d+) HIGHESTMODSEQ (\d+)", line)
    assert found is not None, line
    return int(found[1]), int(found[2]), int(found[3])


def test_nothing_goes_back_on_a_running_server(turned: tuple[Server, Clock]) -> None:
    server, clock = turned
    validity, uid, modseq = 0, 0, 0
    made: list[int] = []
    for number, offset in enumerate(JUMPS, 1):
        clock.turn(offset)
        mailbox.fill(server, USER, b"Subject: %d\r\n\r\nx\r\n" % number)
        with mailbox.opened(server, USER, PASSWORD) as client:
            assert client.append("Archive", "", "", b"Subject: a\r\n\r\nx\r\n")[0] == "OK"
            client.select("INBOX")
            assert client.store("1:*", "FLAGS", f"(Round{number})")[0] == "OK"

            before = validity, uid, modseq
            validity, uid, modseq = numbers(client, "INBOX")
            assert number == 1 or validity == before[0]
            assert uid == number + 1
            assert modseq > before[2]

            # A mailbox of the same name as one before it.
            assert client.create("Again")[0] == "OK"
            made.append(numbers(client, "Again")[0])
            assert client.append("Again", "", "", b"Subject: g\r\n\r\nx\r\n")[0] == "OK"
            assert client.delete("Again")[0] == "OK"

            for name in ("INBOX", "Archive"):
                client.select(name, readonly=True)
                _, (row,) = client.fetch("*", "(INTERNALDATE)")
                assert isinstance(row, bytes)
                arrived = imaplib.Internaldate2tuple(row)
                assert arrived is not None
                assert abs(time.mktime(arrived) - clock.now()) < 120
    assert made == sorted(set(made)), "a UIDVALIDITY was given out twice, or a lower one later"
    clock.turn(0)
    found = mailbox.messages(server, USER, PASSWORD)
    assert len(found) == len(JUMPS)
    server.stop()

    async def examine() -> list[object]:
        async with server.open_store() as store:
            return [one async for one in check(store.reader, store.blobs, deep=True)]

    assert asyncio.run(examine()) == []


async def test_nothing_goes_back_in_the_store(house: House) -> None:
    account = await house.account()
    modseq = 0
    made: list[int] = []
    for offset in (0, -2 * YEAR, +5 * YEAR, -20 * YEAR):
        house.clock.turn(offset)
        name = await house.mailbox(account, "Again")
        made.append((await house.info(name)).uidvalidity)
        filed = await house.deliver(account, mailbox=name)
        assert filed.uid == 1
        await house.flag(name, flags=1)
        await house.do(DeleteMailbox(actor=account, mailbox=name), Done)
        before, modseq = (
            modseq,
            await house.value("SELECT modseq FROM account_head WHERE account = $1", account),
        )
        assert modseq > before
    assert made == sorted(set(made))
