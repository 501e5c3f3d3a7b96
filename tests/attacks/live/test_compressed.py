"""What little, compressed, becomes much; and what is not what it says (RFC 4978)."""

from __future__ import annotations

import asyncio
import os
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from attacks.live.wire import Raw, conditions, raw
from support.server import PASSWORD, Server
from support.vital_signs import MIB, VitalSigns, lively

ACCOUNT = "u6@example.test"


@asynccontextmanager
async def compressing(target: Server) -> AsyncIterator[Raw]:
    """A connection that has signed in and was told that all is compressed from here on."""
    async with raw(target.ports["imap"]) as wire:
        await wire.line()
        await wire.send(f'a LOGIN "{ACCOUNT}" "{PASSWORD}"\r\n'.encode())
        await wire.tagged(b"a")
        await wire.send(b"b COMPRESS DEFLATE\r\n")
        assert b"b OK" in await wire.tagged(b"b")
        yield wire


def pressed(*parts: bytes, end: bool = False) -> bytes:
    deflate = zlib.compressobj(9, wbits=-15)
    out = [deflate.compress(part) for part in parts]
    out.append(deflate.flush(zlib.Z_FINISH if end else zlib.Z_SYNC_FLUSH))
    return b"".join(out)


def unpressed(octets: bytes) -> bytes:
    return zlib.decompressobj(-15).decompress(octets)


EMPTY = b"\x00\x00\x00\xff\xff"
"""A block without octets, as a flush leaves it."""

MEGABYTE = bytes(1_000_000)
SAID = {
    # name: (what is sent, what is answered)
    "a line without end": (pressed(b"c NOOP ", *[MEGABYTE] * 300), ["BAD", "BYE"]),
    "empty lines": (pressed(b"\r\n" * 20_000_000, b"c NOOP\r\n", end=True), ["OK"]),
    "bad commands": (pressed(b"x\r\n" * 5_000_000), ["BAD"] * 20 + ["BYE"]),
    "a literal of no use": (
        pressed(b"c APPEND nowhere {200000000+}\r\n", *[MEGABYTE] * 200, b"\r\n", end=True),
        ["NO"],
    ),
    "literals of no use": (
        pressed(*[b"c FROB {250000000+}\r\n", *[MEGABYTE] * 250, b"\r\n"] * 2),
        ["BAD", "BYE"],
    ),
    "commands": (pressed(b"c NOOP\r\n" * 50_000, end=True), ["OK"] * 50_000),
    "nothing, at length": (EMPTY * 1_000_000 + pressed(b"c NOOP\r\n", end=True), ["OK"]),
    "what is no DEFLATE": (b"c NOOP\r\n" * 1_000, ["BYE"]),
    "noise": (os.urandom(1_000_000), ["BYE"]),
    "what follows the end": (pressed(b"c NOOP\r\n", end=True) + b"d LOGOUT\r\n" * 9_999, ["OK"]),
    "half a command": (pressed(b"c NO", end=True), []),
}


@pytest.mark.parametrize("what", SAID)
async def test_little_that_becomes_much(target: Server, signs: VitalSigns, what: str) -> None:
    """Others are answered in time meanwhile, memory stays as it was."""
    said, answers = SAID[what]
    with lively(target):
        async with compressing(target) as wire:
            await wire.send(said)
            wire.half_close()
            heard = conditions(unpressed(await wire.rest()))
    assert heard == answers
    signs.check(16 * MIB)


async def test_messages_that_were_little(target: Server, signs: VitalSigns) -> None:
    """Large ones, several at once. While they are read their files are mapped, nothing else stays."""
    head = b"c APPEND Drafts {40000000+}\r\n"
    said = pressed(head, *[MEGABYTE] * 40, b"\r\n", end=True)
    with lively(target):
        async with AsyncExitStack() as stack:
            wires = [await stack.enter_async_context(compressing(target)) for _ in range(3)]
            for wire in wires:
                await wire.send(said)
            for wire in wires:
                assert conditions(unpressed(await wire.rest())) == ["OK"]
    signs.check(32 * MIB)


async def test_deaf_readers_who_compress_cost_little(target: Server, signs: VitalSigns) -> None:
    asks = pressed(b'd LIST "" * RETURN (STATUS (MESSAGES UIDNEXT SIZE))\r\n' * 2_000)
    with lively(target):
        async with AsyncExitStack() as stack:
            for _ in range(10):
                wire = await stack.enter_async_context(compressing(target))
                wire.transport.pause_reading()
                await wire.send(asks)
            await asyncio.sleep(1.0)
            assert signs.grown() < 20 * MIB
    signs.check(20 * MIB)
