"""What a submitted header says of who wrote the message: read before anything else is done with it.

Programs read From in many ways, so whatever in it can be taken for an address counts as one; and what
some take for a field and others do not is refused. Work is linear in the octets given, and they are
bounded: it is done in the loop.
"""

import re
from dataclasses import dataclass
from itertools import islice
from typing import Final

from malleposte.mime.address import addresses, mailboxes
from malleposte.mime.headers import FIELD

FIELDS: Final = 2_000
"""Fields of a submitted header."""
OCTETS: Final = 4_096
"""Octets of From, and of each other field that names an author, all of a name together."""
_AUTHORS: Final = (b"from", b"sender", b"resent-from", b"resent-sender")
_SINGLE: Final = frozenset({b"from", b"sender"})
"""What a message has once at most (RFC 5322 §3.6)."""
_MARK: Final = re.compile(rb"\\.|[\"()]", re.DOTALL)
_NAME: Final = re.compile(rb"[ -~]+[ \t]*")
_ODD_LINE: Final = re.compile(rb"^[^\s:][^:\n]*+\n[ \t]", re.MULTILINE)
"""A line without a colon that goes on in the next: "From", and then ": somebody"."""
_LIKE_ONE: Final = re.compile(rb"(?<![^\s<>,;:()\"@])[^\s<>,;:()\"@]++@[^\s<>,;:()\"@]++")


class NotAllowed(Exception):
    """A message that its sender may not send so; the words say why. ``code``, ``enhanced``: the reply."""

    def __init__(self, text: str, code: int = 550, enhanced: str = "5.7.1") -> None:
        super().__init__(text)
        self.text, self.code, self.enhanced = text, code, enhanced


@dataclass(frozen=True, slots=True)
class Claims:
    """``authors``: the addresses in From; ``named``: those, and whatever else there reads like one;
    ``has_from``: whether it is there at all. ``sender``: the addresses in Sender; ``resent``: whatever
    reads like an address in Resent-From and Resent-Sender."""

    authors: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    has_from: bool = False
    sender: tuple[str, ...] = ()
    resent: tuple[str, ...] = ()


def claims(header: bytes) -> Claims:
    """Who wrote and sent a message by its header. Raises ``NotAllowed`` for one that can be read in more
    ways than one, or is beyond the bounds."""
    values = _values(header)
    authors = _addresses(values[b"from"])
    resent = values[b"resent-from"] + values[b"resent-sender"]
    return Claims(
        tuple(authors),
        tuple(dict.fromkeys(authors + _like_addresses(values[b"from"]))),
        bool(values[b"from"]),
        tuple(_addresses(values[b"sender"])),
        tuple(dict.fromkeys(_addresses(resent) + _like_addresses(resent))),
    )


def _values(header: bytes) -> dict[bytes, list[bytes]]:
    """The values of the fields that name authors, the header being one that all read alike."""
    if b"\0" in header:
        raise _malformed("has a NUL octet")
    values: dict[bytes, list[bytes]] = {name: [] for name in _AUTHORS}
    octets = dict.fromkeys(_AUTHORS, 0)
    count = 0
    for field in islice(FIELD.finditer(header), FIELDS + 1):
        count += 1
        if not _NAME.fullmatch(field[1]):
            raise _malformed("has a field whose name is not printable ASCII")
        name = field[1].rstrip().lower()
        if name not in values:
            continue
        shown = name.decode("ascii").title()
        if values[name] and name in _SINGLE:
            raise _malformed(f"has {shown} more than once")
        octets[name] += len(field[2])
        if octets[name] > OCTETS:
            raise NotAllowed(f"{shown} is too long", 554, "5.6.0")
        values[name].append(field[2])
    if count > FIELDS:
        raise NotAllowed(f"The header has more than {FIELDS} fields", 554, "5.6.0")
    if count and _ODD_LINE.search(header):
        raise _malformed("has a line that is no field and goes on in the next")
    return values


def _malformed(what: str) -> NotAllowed:
    return NotAllowed(f"The header of the message {what}", 554, "5.6.0")


def _addresses(values: list[bytes]) -> list[str]:
    return [
        one.addr_spec.decode("utf-8", "replace")
        for value in values
        for one in mailboxes(addresses(value))
    ]


def _like_addresses(values: list[bytes]) -> list[str]:
    return [
        one.decode("utf-8", "replace")
        for value in values
        for one in _LIKE_ONE.findall(without_notes(value))
    ]


def without_notes(value: bytes) -> bytes:
    """A value without its comments and quoted texts, in one pass. What is not closed is no comment and no
    quote, and stays; so does a quoted local part."""
    kept: list[bytes] = []
    at = opened = depth = 0
    quoted = False
    for mark in _MARK.finditer(value):
        octets = mark[0]
        octet = octets[-1:]
        if quoted:
            if octets == b'"':
                quoted = False
                if value[mark.end() : mark.end() + 1] != b"@":
                    kept.append(value[at:opened])
                    at = mark.end()
        elif depth:
            depth += (octets == b"(") - (octets == b")")
            if not depth:
                kept.append(value[at:opened])
                at = mark.end()
        elif octet in (b'"', b"("):
            # Outside of both a backslash means nothing (RFC 5322 §3.2.3).
            opened = mark.end() - 1
            quoted, depth = octet == b'"', int(octet == b"(")
    kept.append(value[at:])
    return b" ".join(kept)
