"""Bodies decoded: transfer encodings (RFC 2045 §6) and charsets. Never raises.

Whole (`decode_body`) or in slices for what is searched or indexed (`byte_slices`,
`text_slices`): the slices of octets are together what `body_bytes` gives.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, a2b_qp
from collections.abc import Iterator
from typing import Final

from .charset import TextDecoder, decode
from .encoded_words import NOT_BASE64, decode_base64
from .limits import SLICE_BYTES
from .part import Part
from .scanner import Buffer


def decode_transfer(data: bytes, encoding: str) -> bytes:
    """`data` without its transfer encoding; of an unknown encoding as it stands."""
    if encoding == "base64":
        return decode_base64(data)
    if encoding == "quoted-printable":
        return decode_quoted_printable(data)
    return data


PADDING: Final = 1_000
"""White space before a line end that slices recognise; RFC 5322 lines are shorter."""

# Tried once for a run of white space, so that long runs cost no more than their octets.
_PADDED: Final = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n)")
_PADDED_ENDS: Final = (b" \r", b" \n", b"\t\r", b"\t\n")
_LAST_PADDING: Final = (b" ", b"\t")
_ODD: Final = re.compile(rb"=(?==|\r(?!\n)|[ \t])")


def decode_quoted_printable(data: bytes, *, final: bool = True) -> bytes:
    """Quoted-printable (RFC 2045 §6.7); an `=` that begins no escape stands for itself.

    White space before a line end, and before the end of `final` data, was added on the way (rule 3).
    """
    if any(two in data for two in _PADDED_ENDS):
        data = _PADDED.sub(b"", data)
    if final and data.endswith(_LAST_PADDING):
        data = data.rstrip(b" \t")
    if _ODD.search(data) is not None:
        # The C function takes `==` for one sign and drops text after `=` CR.
        data = _ODD.sub(b"=3D", data)
    return a2b_qp(data)


def body_bytes(buffer: Buffer, part: Part) -> bytes:
    """The octets of a part's body without its transfer encoding."""
    return decode_transfer(bytes(buffer[part.body_start : part.body_end]), part.encoding)


def body_text(buffer: Buffer, part: Part) -> str:
    """The text of a part, line ends as LF (RFC 8621 §4.1.4)."""
    text = decode(body_bytes(buffer, part), part.charset)
    return text.replace("\r\n", "\n") if "\r" in text else text


def decode_body(buffer: Buffer, part: Part) -> str | bytes:
    """`body_text` of a text part, `body_bytes` of any other."""
    return body_text(buffer, part) if part.type == "text" else body_bytes(buffer, part)


def byte_slices(buffer: Buffer, part: Part, size: int = SLICE_BYTES) -> Iterator[bytes]:
    """`body_bytes` in slices of about `size` octets of the encoded body."""
    raw = (
        bytes(buffer[at : min(at + size, part.body_end)])
        for at in range(part.body_start, part.body_end, size)
    )
    if part.encoding == "base64":
        return _base64_slices(raw)
    if part.encoding == "quoted-printable":
        return _quoted_printable_slices(raw)
    return raw


def text_slices(buffer: Buffer, part: Part, size: int = SLICE_BYTES) -> Iterator[str]:
    """The text of a part in slices, as `TextDecoder` reads it; line ends as they stand."""
    decoder = TextDecoder(part.charset)
    for piece in byte_slices(buffer, part, size):
        if text := decoder.feed(piece):
            yield text
    if text := decoder.feed(b"", final=True):
        yield text


def _base64_slices(raw: Iterator[bytes]) -> Iterator[bytes]:
    carry = b""
    for piece in raw:
        head, padding, _ = piece.partition(b"=")
        clean = carry + head.translate(None, NOT_BASE64)
        if padding:
            carry = clean
            break
        whole = len(clean) - len(clean) % 4
        carry = clean[whole:]
        if whole:
            yield a2b_base64(clean[:whole])
    if carry:
        yield decode_base64(carry)


# An escape, or white space before a line end, that what comes next may complete.
_OPEN: Final = re.compile(rb"(?:=?[ \t]{0,%d}\r?|=[0-9A-Fa-f])\Z" % PADDING)


def _quoted_printable_slices(raw: Iterator[bytes]) -> Iterator[bytes]:
    carry = b""
    for piece in raw:
        data = carry + piece
        match = _OPEN.search(data, max(0, len(data) - PADDING - 2))
        cut = len(data) if match is None else match.start()
        carry = data[cut:]
        # An equals sign before another one stands for itself.
        done = data[:cut] + b"3D" if data[:cut].endswith(b"=") else data[:cut]
        if done:
            yield decode_quoted_printable(done, final=False)
    if carry:
        yield decode_quoted_printable(carry)
