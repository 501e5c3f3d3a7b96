"""The first address of a field of a stored ENVELOPE, for SORT (RFC 5256 §3, RFC 5957 §4).

The envelope is read as it was rendered (``mime.envelope``), from its beginning and no further than
needed; only our own renderings come here.
"""

import re
from typing import Final, NamedTuple

_STRING: Final = rb'(?:NIL|"(?:[^"\\]++|\\.)*+")'
_ADDRESS: Final = re.compile(
    rb"\((%b) %b (%b) (%b)\)" % (_STRING, _STRING, _STRING, _STRING), re.DOTALL
)
_LIST: Final = rb"(?:NIL|\((?:\(%b %b %b %b\))++\))" % (_STRING, _STRING, _STRING, _STRING)
_QUOTED: Final = re.compile(_STRING, re.DOTALL)
_LITERAL: Final = re.compile(rb"\{(\d+)\}\r\n")
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)

FROM: Final = 0
TO: Final = 3
CC: Final = 4
"""Which of the address lists: from, sender, reply-to, to, cc, bcc."""


def _usual(field: int) -> re.Pattern[bytes]:
    """An envelope without literals, up to the first address of a list."""
    before = rb"\(%b %b " % (_STRING, _STRING) + (_LIST + b" ") * field
    first = rb"(?:NIL|\(\((%b) %b (%b) (%b)\))" % (_STRING, _STRING, _STRING, _STRING)
    return re.compile(before + first, re.DOTALL)


_USUAL: Final = {field: _usual(field) for field in (FROM, TO, CC)}


class Incomplete(Exception):
    """The beginning of the envelope ends before the address does."""


class First(NamedTuple):
    """The first address of a field. For a group the ``mailbox`` is its name and the host None."""

    name: bytes | None
    mailbox: bytes | None
    host: bytes | None


def first_address(envelope: bytes, field: int) -> First | None:
    """The first address of a list, None where there is none. Raises ``Incomplete``."""
    usual = _USUAL[field].match(envelope)
    if usual is not None:
        name, mailbox, host = usual.groups()
        return None if host is None else First(_value(name), _value(mailbox), _value(host))
    at = 1
    for _ in range(2):  # the date and the subject
        at = _string(envelope, at)[1] + 1
    for _ in range(field):
        at = _skip_list(envelope, at) + 1
    if envelope.startswith(b"NIL", at):
        return None
    return _address(envelope, at + 1)[0]


def _skip_list(envelope: bytes, at: int) -> int:
    """Where an address list ends."""
    if envelope.startswith(b"NIL", at):
        return at + 3
    at += 1
    while envelope.startswith(b"(", at):
        at = _address(envelope, at)[1]
    if not envelope.startswith(b")", at):
        raise Incomplete
    return at + 1


def _address(envelope: bytes, at: int) -> tuple[First, int]:
    match = _ADDRESS.match(envelope, at)
    if match is not None:
        return First(_value(match[1]), _value(match[2]), _value(match[3])), match.end()
    # A literal is in it, or the end.
    values: list[bytes | None] = []
    at += 1
    for _ in range(4):
        value, at = _string(envelope, at)
        values.append(value)
        at += 1
    return First(values[0], values[2], values[3]), at


def _string(envelope: bytes, at: int) -> tuple[bytes | None, int]:
    """An nstring, and where it ends."""
    match = _QUOTED.match(envelope, at)
    if match is not None:
        return _value(match[0]), match.end()
    literal = _LITERAL.match(envelope, at)
    if literal is None:
        raise Incomplete
    end = literal.end() + int(literal[1])
    if end > len(envelope):
        raise Incomplete
    return envelope[literal.end() : end], end


def _value(text: bytes) -> bytes | None:
    if text == b"NIL":
        return None
    inner = text[1:-1]
    return _ESCAPED.sub(rb"\1", inner) if b"\\" in inner else inner
