"""What has been received and not yet read: lines, runs of octets, and what is thrown away."""

from __future__ import annotations

import re
from typing import Final

from malleposte.wire.imap.errors import Cause, LineError
from malleposte.wire.imap.literals import ANNOUNCEMENT_MAX, announced

_EMPTY_LINES: Final = re.compile(rb"(?:\r\n)+")


class InputBuffer:
    """Octets in order. Each is looked at once for a line end, however small the pieces are in
    which they arrive."""

    __slots__ = ("_octets", "_scanned")

    def __init__(self) -> None:
        self._octets = bytearray()
        self._scanned = 0  # no line end before this offset

    def __len__(self) -> int:
        return len(self._octets)

    def feed(self, data: bytes) -> None:
        self._octets += data

    def clear(self) -> None:
        self._octets.clear()
        self._scanned = 0

    def peek(self, count: int) -> bytes:
        return bytes(self._octets[:count])

    def line(self, limit: int) -> bytes | None:
        """The next line without its CRLF; None where it is not complete.

        Raises LineError for one of more than `limit` octets, complete or not, and for a bare LF:
        only CRLF ends a line (RFC 9051 §2.2).
        """
        octets = self._octets
        end = octets.find(b"\n", self._scanned)
        # The last octet may be the CR of a line whose LF has not come.
        if (len(octets) if end < 0 else end) - 1 > limit:
            self._scanned = 0
            text = f"A command may hold {limit} octets at most"
            raise LineError(text, code=b"TOOBIG", cause=Cause.TOO_BIG)
        if end < 0:
            self._scanned = len(octets)
            return None
        self._scanned = 0
        if end == 0 or octets[end - 1] != 13:
            raise LineError(
                "Lines end with CRLF, not with LF alone (openssl s_client: -crlf)",
                cause=Cause.LINE_END,
            )
        line = bytes(octets[: end - 1])
        del octets[: end + 1]
        return line

    def skip_empty_lines(self) -> None:
        """Many at once, so that a flood of them costs no more than its octets."""
        match = _EMPTY_LINES.match(self._octets)
        if match is not None:
            end = match.end()
            del match  # it holds the buffer
            del self._octets[:end]

    def take(self, count: int) -> bytes:
        """So many octets, or as many as there are."""
        octets = self._octets
        if count >= len(octets):
            taken = bytes(octets)
            octets.clear()
        else:
            taken = bytes(octets[:count])
            del octets[:count]
        self._scanned = 0
        return taken


class Discard:
    """Throws away the rest of a command: a literal, the line behind it, and literals that are
    announced there in turn, so that the next command is found where it begins (RFC 7888 §4)."""

    __slots__ = ("_left", "thrown_away")

    def __init__(self, octets: int = 0) -> None:
        """`octets` of a literal, then the rest of its line."""
        self._left = octets
        self.thrown_away = octets
        """How much the peer sends, or has announced, for nothing."""

    def run(self, source: InputBuffer) -> bool:
        """Whether the last line end has gone by; False: more must come."""
        octets = source._octets
        while True:
            count = min(self._left, len(octets))
            del octets[:count]
            self._left -= count
            if self._left:
                return False
            end = octets.find(b"\r\n")
            if end < 0:
                # Enough is kept to know an announcement and a CRLF that come in two pieces.
                surplus = len(octets) - ANNOUNCEMENT_MAX - 1
                if surplus > 0:
                    del octets[:surplus]
                    self.thrown_away += surplus
                return False
            literal = announced(octets[max(0, end - ANNOUNCEMENT_MAX) : end])
            del octets[: end + 2]
            self.thrown_away += end + 2
            # A client whose literal waits for a continuation will not send it now.
            if literal is None or literal.waits:
                return True
            self._left = literal.size
            self.thrown_away += literal.size
