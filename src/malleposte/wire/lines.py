"""Received octets that wait, and lines cut from them, for SMTP and POP3. Only CRLF ends one (RFC 5321
§2.3.8, RFC 1939 §3)."""

from enum import Enum, auto
from typing import Final


class NoLine(Enum):
    INCOMPLETE = auto()
    TOO_LONG = auto()
    """A line over its limit has been thrown away whole; the next one is in step."""
    ENDLESS = auto()
    """More of one line has been thrown away than makes sense to go on with."""


INCOMPLETE: Final = NoLine.INCOMPLETE


class LineBuffer:
    """`octets` is everything that waits; content readers take from it directly.

    A line longer than allowed is dropped as it comes, so that it never fills memory.
    """

    __slots__ = ("_dropped", "_dropping", "_most_dropped", "octets")

    def __init__(self, most_dropped: int) -> None:
        self.octets = bytearray()
        self._dropping = False
        self._dropped = 0
        self._most_dropped = most_dropped

    def take_line(self, limit: int) -> bytes | NoLine:
        """The next line without its CRLF. `limit` is in octets, CRLF included."""
        octets = self.octets
        end = octets.find(b"\r\n")
        if 0 <= end <= limit - 2 and not self._dropping:
            line = bytes(octets[:end])
            del octets[: end + 2]
            return line
        if end < 0:
            if not self._dropping and len(octets) <= limit:
                return NoLine.INCOMPLETE
            self._dropping = True
            self._drop(len(octets) - octets.endswith(b"\r"))
            return NoLine.ENDLESS if self._dropped > self._most_dropped else NoLine.INCOMPLETE
        self._drop(end)
        del octets[:2]
        dropped, self._dropped, self._dropping = self._dropped, 0, False
        return NoLine.ENDLESS if dropped > self._most_dropped else NoLine.TOO_LONG

    def _drop(self, count: int) -> None:
        self._dropped += count
        del self.octets[:count]
