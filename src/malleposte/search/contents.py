"""BODY and TEXT: searching what messages say, decoded (RFC 9051 §6.4.4).

Text parts are searched without their transfer encoding and in their charset, embedded messages with
their headers, attachments not at all. TEXT searches every header besides. A large part is read through
a window, so that memory stays small and the loop free.
"""

import re
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from malleposte.mime import Part, body_text, decode_text
from malleposte.mime.charset import TextDecoder, codec_of
from malleposte.mime.part import Kind
from malleposte.mime.transfer import IDENTITIES, decoder
from malleposte.search.needle import Needle
from malleposte.store.opened import HEADER_BYTES, Opened

AT_ONCE: Final = 64 * 1024
"""Octets of a part that are decoded at once: some 2 ms."""

PARTS: Final = 16
"""Parts, or lines of a header that must be decoded, between two looks at the clock."""

_ASCII_BASED: Final = frozenset(("ascii", "utf-8", "cp1252", "iso8859-15", "iso8859-2", "cp1251"))
"""Codecs in which octets below 128 are ASCII and nothing else is: searched without decoding."""


def _searched(part: Part) -> bool:
    return part.kind == Kind.LEAF and part.type in ("text", "message")


async def holds(opened: Opened, needle: Needle, *, headers: bool) -> bool:
    """Whether what an email says holds a text; ``headers``: or any field of its header. Raises
    ``Damaged``."""
    data = opened.data
    absent = skip_headers = False
    if data is not None and needle.octets is not None and data.isascii():
        # A small message that does not hold the octets holds the text at most where it is encoded.
        absent = needle.octets not in data.lower()
        skip_headers = absent and b"=?" not in data and " " not in needle.text
    parts = await opened.parts()
    for n, part in enumerate(parts, 1):
        if n % PARTS == 0:
            await opened.pause()
        # The header of an embedded message is part of the body around it.
        embedded = part.parent >= 0 and parts[part.parent].kind == Kind.MESSAGE
        if (headers or embedded) and not skip_headers and await _in_header(opened, part, needle):
            return True
        if not _searched(part) or (absent and as_it_stands(part)):
            continue
        if await _in_body(opened, part, needle):
            return True
    return False


def as_it_stands(part: Part) -> bool:
    """Whether ASCII text in the body is the same octets in the message."""
    return part.encoding in IDENTITIES and (codec_of(part.charset) or "ascii") in _ASCII_BASED


async def _in_header(opened: Opened, part: Part, needle: Needle) -> bool:
    start, end = opened.header(part)
    octets = await opened.octets(start, min(end, start + HEADER_BYTES))
    if needle.octets is not None:
        lower = octets.lower()
        if needle.octets in lower:
            return True
        if needle.folded is not None and needle.folded.search(lower):
            return True
        if octets.isascii() and b"=?" not in octets:
            return False
    for n, line in enumerate(_LINE.finditer(octets), 1):
        if n % PARTS == 0:
            await opened.pause()
        unfolded = _FOLD.sub(b" ", line[0])
        if await needle.in_text(decode_text(unfolded), opened.pause):
            return True
    return False


_LINE: Final = re.compile(rb"[^\n]++(?:\n[ \t][^\n]*+)*+")
_FOLD: Final = re.compile(rb"\r?\n[ \t]")


async def _in_body(opened: Opened, part: Part, needle: Needle) -> bool:
    start, end = opened.body(part)
    if needle.octets is not None and as_it_stands(part):
        found = await _in_octets(opened, start, end, needle.octets)
        if found is not None:
            return found
    if end - start > AT_ONCE:
        return await _in_large(opened, part, needle)
    octets = await opened.octets(start, end)
    alone = _alone(part, len(octets))
    return await needle.in_text(body_text(octets, alone), opened.pause)


def _alone(part: Part, size: int) -> Part:
    """The part as if its body were all there is."""
    return msgspec.structs.replace(part, header_start=0, body_start=0, body_end=size)


async def _in_octets(opened: Opened, start: int, end: int, needle: bytes) -> bool | None:
    """ASCII in octets as they stand, a frame at a time; None where some are no ASCII and may stand
    for it all the same."""
    if opened.data is not None:
        octets = opened.data[start:end]
        return True if needle in octets.lower() else (False if octets.isascii() else None)
    before = b""
    async for piece in opened.pieces(start, end):
        if not piece.isascii():
            return None
        octets = before + piece.lower()
        if needle in octets:
            return True
        before = octets[len(octets) - len(needle) + 1 :]
        await opened.pause()
    return False


async def chunks(opened: Opened, start: int, end: int) -> AsyncIterator[bytes]:
    """Octets in pieces that are decoded at once."""
    if opened.data is not None:
        for at in range(start, end, AT_ONCE):
            yield opened.data[at : min(at + AT_ONCE, end)]
        return
    async for piece in opened.pieces(start, end):
        for at in range(0, len(piece), AT_ONCE):
            yield piece[at : at + AT_ONCE]


async def _in_large(opened: Opened, part: Part, needle: Needle) -> bool:
    """Through a window that overlaps by the length of what is searched for."""
    start, end = opened.body(part)
    undo = decoder(part.encoding)
    read = TextDecoder(part.charset)
    overlap = 4 * len(needle.text) + 4
    before = ""
    async for piece in chunks(opened, start, end):
        text = (before + read.feed(undo.feed(piece))).replace("\r\n", "\n")
        if await needle.in_text(text, opened.pause):
            return True
        before = text[-overlap:]
        await opened.pause()
    return await needle.in_text(before + read.feed(undo.end(), final=True), opened.pause)
