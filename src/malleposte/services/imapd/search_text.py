"""BODY and TEXT: searching what messages say, decoded (RFC 9051 §6.4.4).

Text parts are searched without their transfer encoding and in their charset, embedded messages with
their headers, attachments not at all. TEXT searches every header besides. A large part is read through
a window, so that memory stays small and the loop free.
"""

import asyncio
from typing import Final

import msgspec

from malleposte.mime import Part, body_text, decode_text
from malleposte.mime.charset import TextDecoder, codec_of
from malleposte.mime.part import Kind
from malleposte.services.imapd.folding import fold
from malleposte.services.imapd.opened import HEADER_BYTES, Opened
from malleposte.services.imapd.search_headers import Test
from malleposte.services.imapd.transfer import IDENTITIES, decoder
from malleposte.wire.imap.commands import search_keys as keys

AT_ONCE: Final = 256 * 1024
"""Octets of a part that are decoded at once: some 3 ms."""

AT_ONCE_PARTS: Final = 200
"""Parts looked at before others run: some 2 ms."""

_ASCII_BASED: Final = frozenset(("ascii", "utf-8", "cp1252", "iso8859-15", "iso8859-2", "cp1251"))
"""Codecs in which octets below 128 are ASCII and nothing else is: searched without decoding."""


class Needle:
    """What is searched for, in the forms it is compared in."""

    __slots__ = ("octets", "text")

    def __init__(self, text: str) -> None:
        self.text = fold(text.replace("\r\n", "\n"))
        ascii_only = self.text.isascii() and "\n" not in self.text
        self.octets = self.text.encode("ascii") if ascii_only else None

    def in_text(self, text: str) -> bool:
        """Whether decoded text holds it."""
        return self.text in fold(text)


def _searched(part: Part) -> bool:
    return part.kind == Kind.LEAF and part.type in ("text", "message")


async def _holds(opened: Opened, needle: Needle, *, headers: bool) -> bool:
    data = opened.data
    raw = data.lower() if data is not None and needle.octets is not None else b""
    # A small message that does not hold the octets holds the text at most where it is encoded.
    absent = data is not None and needle.octets is not None and needle.octets not in raw
    skip_headers = absent and b"=?" not in raw and " " not in needle.text
    parts = await opened.parts()
    for n, part in enumerate(parts):
        if n % AT_ONCE_PARTS == AT_ONCE_PARTS - 1:
            await asyncio.sleep(0)
        # The header of an embedded message is part of the body around it.
        embedded = n > 0 and parts[part.parent].kind == Kind.MESSAGE
        if (headers or embedded) and not skip_headers and await _in_header(opened, part, needle):
            return True
        if not _searched(part) or (absent and _as_it_stands(part)):
            continue
        if await _in_body(opened, part, needle):
            return True
    return False


def _as_it_stands(part: Part) -> bool:
    """Whether ASCII text in the body is the same octets in the message."""
    return part.encoding in IDENTITIES and (codec_of(part.charset) or "ascii") in _ASCII_BASED


async def _in_header(opened: Opened, part: Part, needle: Needle) -> bool:
    start, end = opened.header(part)
    octets = await opened.octets(start, min(end, start + HEADER_BYTES))
    if needle.octets is not None and needle.octets in octets.lower():
        return True
    if b"=?" not in octets and octets.isascii():
        # A text may be folded where it is searched for with a space.
        return b"\n" in octets and needle.text in fold(_unfolded(octets))
    return any(needle.in_text(decode_text(line)) for line in _unfolded_lines(octets))


def _unfolded_lines(octets: bytes) -> list[bytes]:
    joined = octets.replace(b"\r\n", b"\n").replace(b"\n ", b" ").replace(b"\n\t", b" ")
    return joined.split(b"\n")


def _unfolded(octets: bytes) -> str:
    return b"\n".join(_unfolded_lines(octets)).decode("ascii", "replace")


async def _in_body(opened: Opened, part: Part, needle: Needle) -> bool:
    start, end = opened.body(part)
    if opened.data is None and end - start > AT_ONCE:
        return await _in_large(opened, part, needle)
    octets = await opened.octets(start, end)
    if needle.octets is not None and _as_it_stands(part):
        return needle.octets in octets.lower()
    alone = _alone(part, len(octets))
    return needle.in_text(body_text(octets, alone))


def _alone(part: Part, size: int) -> Part:
    """The part as if its body were all there is."""
    return msgspec.structs.replace(part, header_start=0, body_start=0, body_end=size)


async def _in_large(opened: Opened, part: Part, needle: Needle) -> bool:
    """Through a window that overlaps by the length of what is searched for."""
    start, end = opened.body(part)
    undo = decoder(part.encoding)
    read = TextDecoder(part.charset)
    overlap = 4 * len(needle.text) + 4
    before = ""
    async for piece in opened.pieces(start, end):
        text = before + read.feed(undo.feed(piece)).replace("\r\n", "\n")
        if needle.in_text(text):
            return True
        before = text[-overlap:]
        await asyncio.sleep(0)
    return needle.in_text(before + read.feed(undo.end(), final=True))


def body_test(key: keys.BodyText) -> Test:
    """BODY."""
    needle = Needle(key.text)
    return lambda opened: _holds(opened, needle, headers=False)


def text_test(key: keys.AnyText) -> Test:
    """TEXT."""
    needle = Needle(key.text)
    return lambda opened: _holds(opened, needle, headers=True)
