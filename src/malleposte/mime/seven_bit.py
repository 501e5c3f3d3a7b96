"""A message in 7-bit octets: its leaves in base64 or quoted-printable (RFC 6152 §3, RFC 2045 §6).

What is signed or encrypted stays as it is, octet by octet: everything inside multipart/signed and
multipart/encrypted (RFC 1847 §2.1). So does what cannot be encoded: headers, text between parts, leaves
that say they are encoded and are not, message/* but for an embedded message, whose leaves are recoded in
it. ``recoded`` says nothing where there is nothing it could do.

Never raises on any octets; work linear in the message, in pieces.
"""

from __future__ import annotations

import binascii
import bisect
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from .content import content_type
from .headers import FIELD, last_values
from .part import Kind, Part
from .scanner import Buffer

PIECE: Final = 57 * 4_096
"""Octets encoded at a time, some 0.5 ms; whole lines of base64."""
LONG: Final = 76
"""Characters of an encoded line (RFC 2045 §6.7, §6.8)."""

_HEADER: Final = 64 * 1024
"""Octets of a part's header in which its type is looked for."""
_IDENTITY: Final = frozenset(("", "7bit", "8bit", "binary"))
_SEALED: Final = frozenset(("signed", "encrypted"))
_ENCODING: Final = b"content-transfer-encoding"
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_LAST_LINE: Final = re.compile(rb"(?:\A|\n)(\r?\n)\Z")


class Change(NamedTuple):
    """Octets of the message that something else stands for: ``octets``, or where ``encoding`` is given,
    the same in that encoding."""

    start: int
    end: int
    octets: bytes
    encoding: str = ""


def is_seven_bit(buffer: Buffer, start: int = 0, end: int | None = None) -> bool:
    """Whether all octets are ASCII."""
    end = len(buffer) if end is None else end
    return all(
        bytes(buffer[at : min(at + PIECE, end)]).isascii() for at in range(start, end, PIECE)
    )


def recoding(buffer: Buffer, parts: Sequence[Part]) -> list[Change]:
    """What to change so that as much as can be is in 7 bits, in the order of the message."""
    changes: list[Change] = []
    sealed = _sealed(parts)
    wanting: set[int] = set()
    staying: list[int] = []
    for number, part in enumerate(parts):
        if part.kind != Kind.LEAF or is_seven_bit(buffer, part.body_start, part.body_end):
            continue
        if number in sealed or part.encoding not in _IDENTITY or not _encodes(buffer, part):
            staying.append(number)
            continue
        encoding = _encoding(part, buffer)
        wanting.add(number)
        changes.append(_header(buffer, part, encoding, root=_is_root(parts, part)))
        changes.append(Change(part.body_start, part.body_end, b"", encoding))
    for number in _around(parts, wanting):
        part = parts[number]
        if part.encoding in ("8bit", "binary"):
            # Where something in it stays as it was, the label it had stays true.
            after = bisect.bisect(staying, number)
            if after == len(staying) or parts[staying[after]].body_start >= part.body_end:
                changes.append(_header(buffer, part, "7bit", root=_is_root(parts, part)))
        elif _is_root(parts, part):
            changes.append(_header(buffer, part, "", root=True))
    return sorted(change for change in changes if change.end > change.start or change.octets)


def _encodes(buffer: Buffer, part: Part) -> bool:
    """Whether its type may be encoded (RFC 2045 §6.4). A multipart that falls into no parts is taken for
    a text when it is read; what it calls itself counts here."""
    end = min(part.body_start, part.header_start + _HEADER)
    value = last_values(bytes(buffer[part.header_start : end])).get(b"content-type")
    said = content_type(value) if value is not None else None
    return {part.type, said.type if said is not None else ""}.isdisjoint(("message", "multipart"))


def _is_root(parts: Sequence[Part], part: Part) -> bool:
    """Whether its header is that of a message, the whole or an embedded one."""
    return part.parent < 0 or parts[part.parent].kind == Kind.MESSAGE


def _sealed(parts: Sequence[Part]) -> set[int]:
    found: set[int] = set()
    for number, part in enumerate(parts):
        if part.parent in found or (part.type == "multipart" and part.subtype in _SEALED):
            found.add(number)
    return found


def _around(parts: Sequence[Part], wanting: set[int]) -> set[int]:
    """The containers of what is changed."""
    found: set[int] = set()
    for number in wanting:
        parent = parts[number].parent
        while parent >= 0 and parent not in found:
            found.add(parent)
            parent = parts[parent].parent
    return found


def _encoding(part: Part, buffer: Buffer) -> str:
    """What is shorter for a text; base64 for everything else."""
    if part.type != "text":
        return "base64"
    ascii_only = 0
    for at in range(part.body_start, part.body_end, PIECE):
        piece = bytes(buffer[at : min(at + PIECE, part.body_end)])
        if b"\0" in piece:
            return "base64"
        ascii_only += len(piece.translate(None, _BEYOND))
    # Three characters for each octet beyond ASCII, against four for each three of all.
    return "base64" if (part.size - ascii_only) * 6 > part.size else "quoted-printable"


_BEYOND: Final = bytes(range(0x80, 0x100))


def _header(buffer: Buffer, part: Part, encoding: str, *, root: bool) -> Change:
    """A part's header with another encoding ('': as it was); of a message that is not MIME, with what
    makes it so."""
    header = bytes(buffer[part.header_start : part.body_start])
    kept: list[bytes] = []
    names: set[bytes] = set()
    at = 0
    for field in FIELD.finditer(header):
        name = field[1].rstrip().lower()
        names.add(name)
        if encoding and name == _ENCODING:
            kept.append(header[at : field.start()])
            at = min(field.end() + 1, len(header))
    last = _LAST_LINE.search(header, max(0, at - 1))
    cut = last.start(1) if last is not None else len(header)
    kept.append(header[at:cut])
    if kept[-1] and not kept[-1].endswith(b"\n"):
        kept.append(b"\r\n")
    if root and b"mime-version" not in names:
        kept.append(b"MIME-Version: 1.0\r\n")
        if b"content-type" not in names:
            charset = b"utf-8" if _is_utf8(buffer, part) else b"unknown-8bit"  # RFC 1428 §3
            kept.append(b"Content-Type: text/plain; charset=" + charset + b"\r\n")
    if encoding:
        kept.append(b"Content-Transfer-Encoding: " + encoding.encode("ascii") + b"\r\n")
    kept.append(header[cut:] or b"\r\n")
    changed = b"".join(kept)
    if changed == header:
        return Change(part.header_start, part.header_start, b"")
    return Change(part.header_start, part.body_start, changed)


def _is_utf8(buffer: Buffer, part: Part) -> bool:
    try:
        str(bytes(buffer[part.body_start : min(part.body_end, part.body_start + PIECE)]), "utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True


def recoded(buffer: Buffer, changes: Sequence[Change]) -> Iterator[bytes]:
    """The message with these changes, in pieces of some 300 kB at most."""
    at = 0
    for change in changes:
        yield from _pieces(buffer, at, change.start)
        if change.encoding == "base64":
            yield from _base64(buffer, change.start, change.end)
            if change.end == len(buffer):
                yield b"\r\n"
        elif change.encoding:
            yield from _quoted(buffer, change.start, change.end)
        else:
            yield change.octets
        at = change.end
    yield from _pieces(buffer, at, len(buffer))


def _pieces(buffer: Buffer, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, PIECE):
        yield bytes(buffer[at : min(at + PIECE, end)])


def _base64(buffer: Buffer, start: int, end: int) -> Iterator[bytes]:
    """In lines; without a line end after the last, which is the delimiter's or the message's."""
    first = True
    for piece in _pieces(buffer, start, end):
        text = binascii.b2a_base64(piece, newline=False)
        lines = b"\r\n".join(text[at : at + LONG] for at in range(0, len(text), LONG))
        yield lines if first else b"\r\n" + lines
        first = False


def _quoted(buffer: Buffer, start: int, end: int) -> Iterator[bytes]:
    """Line ends of every kind become CRLF, as on the wire; what a piece cuts goes on by a soft break."""
    held = b""
    at = start
    while at < end:
        piece = held + bytes(buffer[at : min(at + PIECE, end)])
        at = min(at + PIECE, end)
        held = b""
        if at < end:
            cut = piece.rfind(b"\n") + 1
            if cut:
                piece, held = piece[:cut], piece[cut:]
            elif piece.endswith(b"\r"):
                piece, held = piece[:-1], b"\r"
        piece = _LINE_END.sub(b"\r\n", piece)
        coded = binascii.b2a_qp(piece, istext=True)
        if b"\r\n" not in piece:
            coded = coded.replace(b"\n", b"\r\n")  # soft breaks of a text without a line end
        yield coded if at >= end or piece.endswith(b"\n") else coded + b"=\r\n"
