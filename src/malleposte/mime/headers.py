"""Header fields as raw bytes: finding, unfolding and selecting them.

Invariants: work is linear in the bytes given; nothing raises; names are compared without case.
A line that is no field (no colon, or a colon first) is passed over, as is an mbox `From ` line.
Decoding of values is the business of the modules named after what they decode.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final, NamedTuple

from .limits import DEFAULT_LIMITS, Limits

# Possessive quantifiers: the pattern never goes back, so no value makes it quadratic. White
# space before the colon is the obsolete form (RFC 5322 §4.5).
FIELD: Final = re.compile(rb"^([^\s:][^\n:]*+):([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.MULTILINE)
_MBOX: Final = re.compile(rb">?From [^\n:]*+[^\n]*+(?:\n|\Z)")


class Field(NamedTuple):
    """One header field with offsets relative to what was scanned.

    `start` is its first octet, `value_start` the one after the colon, `end` the one after its
    last line end. `value` is raw: folded, undecoded, without the final line end.
    """

    name: bytes
    value: bytes
    start: int
    value_start: int
    end: int


def fields(header: bytes, limits: Limits = DEFAULT_LIMITS) -> list[Field]:
    """The fields of one header block in order, at most `limits.header_fields`."""
    found: list[Field] = []
    size = len(header)
    for match in islice(FIELD.finditer(header, _mbox_line(header)), limits.header_fields):
        end = match.end()
        found.append(
            Field(
                match[1].rstrip(),
                match[2].removesuffix(b"\r"),
                match.start(),
                match.start(2),
                end + 1 if end < size else end,
            )
        )
    return found


def last_values(header: bytes, limits: Limits = DEFAULT_LIMITS) -> dict[bytes, bytes]:
    """Raw value by lower-case name; of repeated fields the last, as JMAP has it.

    RFC 8621 §4.1.3 names the last instance, which is also the one that DKIM signs first.
    """
    start = _mbox_line(header)
    if len(header) > _SMALL:
        matches = islice(FIELD.finditer(header, start), limits.header_fields)
        return {m[1].rstrip().lower(): m[2] for m in matches}
    usual = _USUAL.get
    return {usual(n) or n.rstrip().lower(): v for n, v in FIELD.findall(header, start)}


_USUAL: Final = {
    name: name.lower()
    for name in (
        b"From To Cc Subject Date Message-ID Message-Id Received Return-Path Delivered-To"
        b" Reply-To Sender In-Reply-To References MIME-Version Mime-Version Content-Type"
        b" Content-Transfer-Encoding Content-Disposition Content-ID X-Mailer User-Agent"
        b" Precedence List-Id List-Unsubscribe DKIM-Signature Authentication-Results"
    ).split()
}
"""Names as they are usually written: a look-up costs less than making one lower case."""

_SMALL: Final = 12 * 1024
"""A block this small cannot hold more fields (of 2 octets and a line end) than any sane limit."""


def unfold(value: bytes) -> bytes:
    """The value on one line: line ends removed as RFC 5322 §2.2.3 says, NUL and bare CR too."""
    if b"\n" in value or b"\r" in value or b"\0" in value:
        return value.translate(None, b"\r\n\0").strip(b" \t")
    return value.strip(b" \t")


def collapse(value: bytes) -> bytes:
    """The value on one line, each fold with the white space about it made one space."""
    if b"\n" in value:
        value = b" ".join([line.strip(b" \t\r") for line in value.split(b"\n")])
    if b"\r" in value or b"\0" in value:
        value = value.translate(None, b"\r\0")
    return value.strip(b" \t")


def header_fields(header: bytes, names: Iterable[bytes], negate: bool = False) -> bytes:
    """BODY[HEADER.FIELDS (…)] or, negated, HEADER.FIELDS.NOT (RFC 9051 §6.4.5.1).

    `header` is a whole header block with its blank line; the answer holds the wanted fields as
    they stand and ends with a blank line, in CRLF. The rest of the block beyond the limit on
    fields is left out.
    """
    wanted = {name.lower() for name in names}
    size = len(header)
    chosen: list[bytes] = []
    for match in islice(FIELD.finditer(header, _mbox_line(header)), DEFAULT_LIMITS.header_fields):
        if (match[1].rstrip().lower() in wanted) is not negate:
            end = match.end()
            if end < size:
                chosen.append(header[match.start() : end + 1])
            else:
                chosen.append(match[0] + b"\r\n")
    chosen.append(b"\r\n")
    return b"".join(chosen)


def _mbox_line(header: bytes) -> int:
    """Where the first field can begin: after the `From ` line of an mbox, if there is one."""
    if header.startswith((b"From ", b">From ")):
        match = _MBOX.match(header)
        if match is not None:
            return match.end()
    return 0
