"""The relaxed canonical forms of header fields and bodies (RFC 6376 §3.4.2, §3.4.4).

Work is linear in the octets given, whatever they are; of a body no more than two octets are held back
between pieces. Only CRLF ends a line of a body: a bare CR or LF is an octet like others there.
"""

import hashlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from malleposte.mime.headers import FIELD

_CRLFS: Final = b"\r\n" * 4_096


class HeaderField(NamedTuple):
    """``name`` in lower case; ``relaxed``: the whole field in its relaxed form, without a line end."""

    name: bytes
    relaxed: bytes


def header_fields(header: bytes) -> Iterator[HeaderField]:
    """The fields of a header from the top; lines that are none are passed over."""
    for match in FIELD.finditer(header):
        name = match[1].rstrip().lower()
        yield HeaderField(name, relaxed_field(name, match[2]))


def relaxed_field(name: bytes, value: bytes) -> bytes:
    """One field, as RFC 6376 §3.4.2 has it, without its line end; ``name`` in lower case."""
    unfolded = value.replace(b"\r\n", b"").replace(b"\n", b"").removesuffix(b"\r")
    return name + b":" + _single_spaced(unfolded).strip(b" ")


def _single_spaced(octets: bytes) -> bytes:
    """Each run of spaces and tabs as one space. Each pass halves the runs; an expression that looks for
    them takes several times as long."""
    octets = octets.replace(b"\t", b" ")
    while b"  " in octets:
        octets = octets.replace(b"  ", b" ")
    return octets


def _line_ends(octets: bytes) -> int:
    """Octets of the line ends at the end of others."""
    tail = octets[len(octets.rstrip(b"\r\n")) :]
    if not tail.endswith(b"\n"):
        return 0
    # Behind the last pair of the same, CR and LF take turns.
    broken = max(tail.rfind(b"\r\r"), tail.rfind(b"\n\n"))
    return (len(tail) - broken - 1) // 2 * 2


class BodyHash:
    """SHA-256 of a body that comes in pieces, in its relaxed form.

    A body whose last line has no end is taken as if it had one: it gets one on its way (RFC 5321
    §4.1.1.4)."""

    __slots__ = ("_any", "_ends", "_hash", "_held")

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._held = b""
        """White space, and perhaps a CR after it, that ended the last piece: what they are depends on
        what follows."""
        self._ends = 0
        """Line ends that count only if a line with something in it follows."""
        self._any = False

    def add(self, piece: bytes) -> None:
        """The next octets."""
        octets = self._held + piece
        kept = octets.removesuffix(b"\r").rstrip(b" \t")
        rest = octets[len(kept) :]
        self._held = _single_spaced(rest)
        self._take(_single_spaced(kept).replace(b" \r\n", b"\r\n"))

    def _take(self, octets: bytes) -> None:
        """Octets without white space at their end, lines without any at theirs."""
        length = _line_ends(octets)
        content = octets[: len(octets) - length]
        if content:
            self._flush()
            self._hash.update(content)
            self._any = True
        self._ends += length // 2

    def _flush(self) -> None:
        while self._ends:
            ends = min(self._ends, 4_096)
            self._hash.update(_CRLFS[: 2 * ends])
            self._ends -= ends

    def digest(self) -> bytes:
        """Of the whole. Nothing can be added after it."""
        self._take(self._held if self._held != b" " else b"")
        if self._any:
            self._hash.update(b"\r\n")
        return self._hash.digest()
