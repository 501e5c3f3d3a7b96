"""`kill -9` while messages are moved between two accounts: one may be there twice, none is lost.

The move is two commits, one in each account. Somebody moves messages from another's INBOX into his own
Archive and back; what a move that was not answered may have doubled is counted.
"""

import asyncio
import re
from contextlib import suppress
from pathlib import Path

import pytest

from faults.test_kill_imap import examined, storm
from support.imap_client import ImapClient, Literal, Lost, Refused
from support.server import PASSWORD, Server

MESSAGES = 60
AT_ONCE = 20
OWNER, MOVER = "u0@example.test", "u1@example.test"
BOXES = (f'"Other Users/{OWNER}"'.encode(), b"Archive")


async def _signed_in(server: Server, address: str) -> ImapClient:
    client = await ImapClient.connect(server.ports["imap"])
    await client.login(address, PASSWORD)
    return client


async def _subjects(client: ImapClient, box: bytes) -> list[bytes]:
    await client.command(b"EXAMINE %b" % box)
    answer = await client.command(b"UID FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]")
    return [found for line in answer.untagged for found in re.findall(rb"Subject: (\d+)", line)]


class _Mover:
    """Moves to and fro until it is stopped; ``moves`` were answered OK, ``doubts`` never."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.stopped = False
        self.moves = 0
        self.doubts = 0

    async def run(self) -> None:
        while not self.stopped:
            with suppress(Lost, Refused):
                async with await _signed_in(self.server, MOVER) as client:
                    await self._move(client)
            await asyncio.sleep(0.05)

    async def _move(self, client: ImapClient) -> None:
        here, there = BOXES
        while not self.stopped:
            answer = await client.command(b"SELECT %b" % here)
            exists = next(int(line.split()[1]) for line in answer.untagged if b"EXISTS" in line)
            if exists:
                self.doubts += 1
                await client.command(b"MOVE 1:%d %b" % (min(exists, AT_ONCE), there))
                self.doubts -= 1
                self.moves += 1
            here, there = there, here


@pytest.mark.timeout(240)
async def test_moves_between_accounts_lose_nothing(tmp_path: Path) -> None:
    server = Server(tmp_path)
    await server.prepare(2)
    await asyncio.to_thread(server.start)
    try:
        async with await _signed_in(server, OWNER) as owner:
            for number in range(MESSAGES):
                text = b"Subject: %d\r\n\r\nbody\r\n" % number
                await owner.command(b"APPEND INBOX ", Literal(text))
            await owner.command(f"SETACL INBOX {MOVER} lrswite".encode())
        mover = _Mover(server)
        task = asyncio.create_task(mover.run())
        await storm(server, 12, 5, ("writer", "worker"))
        await asyncio.to_thread(server.wait)
        mover.stopped = True
        await asyncio.wait_for(task, 60)
        async with await _signed_in(server, MOVER) as client:
            found = [await _subjects(client, box) for box in BOXES]
        assert {*found[0], *found[1]} == {b"%d" % number for number in range(MESSAGES)}
        assert mover.moves > 5
        assert mover.doubts, "no kill met a move: this shows nothing"
        assert len(found[0]) + len(found[1]) - MESSAGES <= mover.doubts * AT_ONCE
        assert await examined(server) == []
    finally:
        await asyncio.to_thread(server.end)
