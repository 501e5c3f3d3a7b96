"""Reports about messages (RFC 6522): what delivery status and disposition notifications have in common.

Such a report has a text for people, fields for programs in blocks, and what came back of the message.
Invariants: any text given for a field becomes one field of ASCII in short lines; reading never
raises and is bounded by `REPORT_BYTES` and `REPORT_BLOCKS`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.utils import formatdate
from typing import Final

import msgspec

from . import compose
from .body import body_bytes
from .charset import guess, plain_text
from .encoded_words import decode_text
from .headers import fields
from .limits import REPORT_BLOCKS, REPORT_BYTES, REPORT_PARTS, TEXT_BYTES
from .part import Part
from .scanner import Buffer
from .structure import parse

Block = dict[str, bytes]
"""Fields by lower-case name, raw; of repeated ones the first."""


# Building -------------------------------------------------------------------------------------------


def report(
    kind: str, text: str, machine: bytes, returned: compose.Leaf | None = None
) -> compose.Multipart:
    """`multipart/report` of a type (`delivery-status`, `disposition-notification`)."""
    parts = [compose.text(text), compose.enclosed(machine, f"message/{kind}")]
    if returned is not None:
        parts.append(returned)
    return compose.Multipart("report", tuple(parts), (("report-type", kind),))


def returned_header(header: bytes) -> compose.Leaf:
    """The header of a message as a part of a report about it: 7-bit, whatever is in it."""
    if _is_plain(header):
        return compose.enclosed(header, "text/rfc822-headers")
    if is_utf8(header):
        return compose.in_ascii(header, "message/global-headers")  # RFC 6533 §6
    return compose.in_ascii(header, "text/rfc822-headers")  # RFC 6522 §4


def returned_whole(message: bytes, header_size: int) -> compose.Leaf | None:
    """A whole message as a part of a report about it; None where it cannot stand there: `message/rfc822`
    is never encoded (RFC 2046 §5.2.1), and no server takes such lines or NUL."""
    if is_utf8(message[:header_size]):
        return compose.in_ascii(message, "message/global")  # RFC 6532 §3.7 lets it be encoded
    if b"\0" in message or _has_long_line(message):
        return None
    return compose.enclosed(message, "message/rfc822")


def line(name: str, value: str) -> bytes:
    """One field: controls become spaces, what is not ASCII becomes `?`, words are cut to fit lines."""
    words = [word[:WORD] for word in plain_text(value[:VALUE]).split()]
    return compose.field(name, " ".join(words))


def date_line(name: str, at: int) -> bytes:
    """A field of a time; nothing without one."""
    return line(name, formatdate(at).replace("-0000", "+0000")) if at else b""


def typed_address(address: str) -> str:
    """An address with its type: `rfc822`, or `utf-8` in its 7-bit form (RFC 6533 §3). One that has a type
    already (`type;address`, as ORCPT) keeps it."""
    match = _TYPED.match(address)
    kind, bare = (match[1].lower(), address[match.end() :]) if match else ("", address)
    if (kind in ("", "rfc822") and bare.isascii()) or (kind not in ("", "rfc822", "utf-8")):
        return f"{kind or 'rfc822'}; {bare}"
    return f"utf-8; {_NOT_QCHAR.sub(_embedded, plain_text(bare))}"


def _embedded(match: re.Match[str]) -> str:
    return f"\\x{{{ord(match[0]):02X}}}"


def is_utf8(octets: bytes) -> bool:
    """Whether it goes beyond ASCII, and is UTF-8."""
    if octets.isascii():
        return False
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_plain(octets: bytes) -> bool:
    return octets.isascii() and b"\0" not in octets and not _has_long_line(octets)


def _has_long_line(octets: bytes) -> bool:
    return any(len(each) > 998 for each in _LINE_END.split(octets))  # RFC 5322 §2.1.1


WORD: Final = 400
"""Characters of one word of a field; a line has 998 octets (RFC 5322 §2.1.1)."""
VALUE: Final = 2_000
"""Characters of a field's value."""
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_TYPED: Final = re.compile(r"\s*([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,40});\s*")
_NOT_QCHAR: Final = re.compile(r"[^!-*,-<>-\[\]-~]")
_EMBEDDED: Final = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")


# Reading --------------------------------------------------------------------------------------------


def report_part(
    buffer: Buffer, kinds: Sequence[str], parts: Sequence[Part] | None = None
) -> Part | None:
    """The part for programs of a message that is a report: `message/<kind>` inside `multipart/report`, or,
    since some forget it, inside any multipart."""
    parts = parse(buffer) if parts is None else parts
    if not parts or parts[0].type != "multipart":
        return None
    for part in parts[1:REPORT_PARTS]:
        if part.parent == 0 and part.type == "message" and part.subtype in kinds:
            return part
    return None


def blocks(buffer: Buffer, part: Part) -> list[Block]:
    """The blocks of fields of such a part, in order; those without a field are left out."""
    body = body_bytes(buffer[part.body_start : part.body_start + REPORT_BYTES], _whole(part))
    found: list[Block] = []
    for text in _BLANK.split(body.lstrip(b"\r\n"), REPORT_BLOCKS)[:REPORT_BLOCKS]:
        block: Block = {}
        for one in fields(text):
            block.setdefault(guess(one.name).lower(), one.value)
        if block:
            found.append(block)
    return found


def _whole(part: Part) -> Part:
    """The part, as it stands in a buffer of its own body alone."""
    size = min(part.size, REPORT_BYTES)
    return msgspec.structs.replace(part, header_start=0, body_start=0, body_end=size)


_BLANK: Final = re.compile(rb"\r?\n(?:[ \t]*\r?\n)+")


def text_of(block: Block, name: str) -> str:
    """A field's text on one line, '' where it is not there."""
    return decode_text(block[name][:TEXT_BYTES]) if name in block else ""


def address_of(block: Block, name: str) -> str:
    """The address of a typed field (`rfc822; user@example.org`) without its type, '' for none."""
    kind, separator, bare = text_of(block, name).partition(";")
    bare = (bare if separator else kind).strip().strip("<>")
    if separator and kind.strip().lower() == "utf-8":
        bare = plain_text(_EMBEDDED.sub(_character, bare))
    return bare


def _character(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    return chr(number) if number < 0x110000 else match[0]


def typed_of(block: Block, name: str) -> tuple[str, str]:
    """Type (lower case) and value of a typed field (`dns; mx.example`, `smtp; 550 …`)."""
    kind, separator, value = text_of(block, name).partition(";")
    return (kind.strip().lower(), value.strip()) if separator else ("", kind.strip())
