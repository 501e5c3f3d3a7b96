"""BINARY and BINARY.SIZE: parts with their transfer encoding undone (RFC 9051 §6.4.5, RFC 3516).

A small part is decoded at once. A large one is decoded twice, piece by piece: to learn its size, then
to send it.
"""

from collections.abc import AsyncIterator
from typing import Final

from malleposte.mime import Part
from malleposte.mime.body import decode_transfer
from malleposte.mime.part import Kind
from malleposte.mime.transfer import KNOWN, decoder
from malleposte.services.imapd.octets import Literal, Passage
from malleposte.store.opened import Opened
from malleposte.wire.imap.commands.fetch import Binary, BinarySize

AT_ONCE: Final = 256 * 1024
"""Octets of an encoded part that are decoded at once: under 1 ms."""


class UnknownEncoding(Exception):
    """The part's encoding cannot be undone (RFC 3516 §4.3)."""


def _encoding(part: Part) -> str:
    if part.kind != Kind.LEAF:
        return ""  # RFC 2045 §6.4: containers are never encoded
    if part.encoding not in KNOWN:
        raise UnknownEncoding
    return part.encoding


def _place(opened: Opened, numbers: tuple[int, ...], part: Part) -> tuple[int, int]:
    return opened.body(part) if numbers else (0, opened.stored.size)


async def binary(opened: Opened, item: Binary) -> bytes | Literal | Passage | None:
    """The octets of BINARY; raises ``UnknownEncoding``."""
    part = await opened.part(item.part)
    if part is None:
        return None
    encoding = _encoding(part) if item.part else ""
    start, end = _place(opened, item.part, part)
    if end - start <= AT_ONCE:
        octets = decode_transfer(await opened.octets(start, end), encoding)
        if item.partial is not None:
            first, count = item.partial
            octets = octets[first : first + count]
        return Literal(octets) if b"\0" in octets else octets
    size, nul = 0, False
    async for piece in _decoded(opened, start, end, encoding):
        size += len(piece)
        nul = nul or b"\0" in piece
    first, count = item.partial or (0, size)
    first = min(first, size)
    count = min(count, size - first)
    pieces = _within(_decoded(opened, start, end, encoding), first, first + count)
    # A literal8 wherever NUL may be; the size of other text is the same either way.
    return Passage(count, pieces, binary=nul)


async def binary_size(opened: Opened, item: BinarySize) -> int:
    """BINARY.SIZE; raises ``UnknownEncoding``. 0 where there is no such part."""
    part = await opened.part(item.part)
    if part is None:
        return 0
    encoding = _encoding(part) if item.part else ""
    start, end = _place(opened, item.part, part)
    if not encoding or end - start <= AT_ONCE:
        return (
            len(decode_transfer(await opened.octets(start, end), encoding))
            if encoding
            else (end - start)
        )
    size = 0
    async for piece in _decoded(opened, start, end, encoding):
        size += len(piece)
    return size


async def _decoded(opened: Opened, start: int, end: int, encoding: str) -> AsyncIterator[bytes]:
    undo = decoder(encoding)
    async for piece in opened.pieces(start, end):
        octets = undo.feed(piece)
        if octets:
            yield octets
    rest = undo.end()
    if rest:
        yield rest


async def _within(pieces: AsyncIterator[bytes], first: int, last: int) -> AsyncIterator[bytes]:
    """Octets ``first`` to ``last`` of what comes in pieces."""
    at = 0
    async for piece in pieces:
        low, high = max(first - at, 0), min(last - at, len(piece))
        if low < high:
            yield piece[low:high]
        at += len(piece)
        if at >= last:
            return
