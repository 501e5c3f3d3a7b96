"""A message on its way out, in slices: lines that begin with a dot get another, and a lone dot ends it
(RFC 1939 §3); TOP's cut. Memory: a few octets.

Octets are otherwise given as they are stored, so that LIST tells exactly what is sent; but NUL, which has
no place in a line, is shown as 0x80. Programs differ in what they take for a line's end: a dot behind a
bare LF is doubled too, so that none can take it for the end, and the rest of the message for responses.
"""

import re
from typing import Final

_END_OF_HEADER: Final = re.compile(rb"\n\r?\n")
_TAIL: Final = 2
"""Octets before a slice that may begin the empty line which ends a header."""


class DotWriter:
    """One message: `feed` its slices in order, then `end`."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = b"\r\n"

    def feed(self, octets: bytes) -> bytes:
        """A slice as it goes on the wire."""
        if not octets:
            return b""
        first = b"." if self._last.endswith(b"\n") and octets.startswith(b".") else b""
        self._last = (self._last + octets[-2:])[-2:]
        if b"\0" in octets:
            octets = octets.replace(b"\0", b"\x80")
        return first + octets.replace(b"\n.", b"\n..")

    def end(self) -> bytes:
        """What ends it; a last line without CRLF gets one, since the end is a line of its own."""
        return b".\r\n" if self._last == b"\r\n" else b"\r\n.\r\n"


class TopCutter:
    """The header of a message, the empty line behind it, and so many lines of the body.

    A line ends with LF, with or without CR: one that was stored with bare LFs has a header as well.
    """

    __slots__ = ("_body", "_left", "_tail", "done")

    def __init__(self, lines: int) -> None:
        self._left = lines
        self._body = False
        self._tail = b"\n"
        self.done = False
        """Nothing that comes further is wanted."""

    def feed(self, octets: bytes) -> bytes:
        """What is wanted of a slice."""
        if self.done:
            return b""
        if self._body:
            return self._lines(octets)
        before = self._tail
        found = _END_OF_HEADER.search(before + octets)
        if found is None:
            self._tail = (before + octets)[-_TAIL:]
            return octets
        end = found.end() - len(before)
        self._body = True
        return octets[:end] + self._lines(octets[end:])

    def _lines(self, octets: bytes) -> bytes:
        count = octets.count(b"\n")
        if count < self._left:
            self._left -= count
            return octets
        rest = octets.split(b"\n", self._left)[-1] if self._left else octets
        self._left = 0
        self.done = True
        return octets[: len(octets) - len(rest)]
