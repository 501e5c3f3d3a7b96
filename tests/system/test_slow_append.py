"""A message of 50 MB that comes slowly: it is taken, it is whole, and it takes no memory meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.imap_client import signed_in
from support.server import PASSWORD, Server
from support.vital_signs import MIB, memory

SIZE = 50_000_000
"""What ``imap.max_append`` allows by default."""
PIECE = 64 * 1024
MORE = 12 * MIB
"""Above what the server holds at rest, all processes together; the message is four times that."""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with Server(tmp_path / "server", workers=2).running_beside(2) as server:
        yield server


def message() -> bytes:
    head = b"Subject: large\r\nContent-Type: text/plain\r\n\r\n"
    line = random.Random(6).randbytes(38).hex().encode() + b"\r\n"
    text = line * (SIZE // len(line))
    return (head + text)[: SIZE - 2].ljust(SIZE - 2, b"x") + b"\r\n"


@pytest.mark.timeout(180)
async def test_it_is_filed_whole_while_others_are_served(server: Server) -> None:
    octets = message()
    assert len(octets) == SIZE
    port = server.ports["imap"]
    async with (
        signed_in(port, "u1@example.test", PASSWORD) as slow,
        signed_in(port, "u1@example.test", PASSWORD) as other,
    ):
        # What the first commands and messages bring is there before.
        await other.command(b"SELECT INBOX")
        before = memory(server).pss
        highest = before
        slow.send(b"APPEND INBOX {%d}" % SIZE)
        assert (await slow.response()).startswith(b"+")
        for start in range(0, SIZE, PIECE):
            slow.raw(octets[start : start + PIECE])
            await slow._writer.drain()
            if start % (40 * PIECE) == 0:
                await asyncio.sleep(0.1)
                await other.command(b"NOOP")
                highest = max(highest, memory(server).pss)
        assert highest - before < MORE, (highest - before) / MIB
        slow.raw(b"\r\n")
        while not (said := await slow.response()).startswith(b"t"):
            assert said.startswith(b"* "), said
        assert b" OK [APPENDUID" in said, said
        await other.command(b"NOOP")
        answer = await other.command(b"FETCH 1 (RFC822.SIZE)")
        assert answer.fetched()[0].items[b"RFC822.SIZE"] == SIZE
        found = hashlib.sha256()
        for start in range(0, SIZE, MIB):
            answer = await other.command(b"FETCH 1 BODY.PEEK[]<%d.%d>" % (start, MIB))
            (row,) = answer.fetched()
            found.update(row.octets(b"BODY[]<%d>" % start))
        assert found.hexdigest() == hashlib.sha256(octets).hexdigest()
