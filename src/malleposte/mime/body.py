"""Bodies decoded: transfer encodings (RFC 2045 §6) and charsets. Never raises."""

from __future__ import annotations

from binascii import a2b_qp
from typing import Final

from .charset import decode
from .encoded_words import decode_base64
from .part import Part
from .structure import Buffer

_UU: Final = frozenset(("x-uuencode", "x-uue", "uuencode", "x-uu"))


def decode_transfer(data: bytes, encoding: str) -> bytes:
    """`data` without its transfer encoding; of an unknown encoding as it stands."""
    if encoding == "base64":
        return decode_base64(data)
    if encoding == "quoted-printable":
        return a2b_qp(data)
    return data


def body_bytes(buffer: Buffer, part: Part) -> bytes:
    """The octets of a part's body without its transfer encoding."""
    return decode_transfer(bytes(buffer[part.body_start : part.body_end]), part.encoding)


def body_text(buffer: Buffer, part: Part) -> str:
    """The text of a text part, line ends as LF."""
    text = decode(body_bytes(buffer, part), part.charset)
    return text.replace("\r\n", "\n") if "\r" in text else text


def decode_body(buffer: Buffer, part: Part) -> str | bytes:
    """`body_text` of a text part, `body_bytes` of any other."""
    return body_text(buffer, part) if part.type == "text" else body_bytes(buffer, part)
