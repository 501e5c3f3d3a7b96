"""Octets compressed both ways, raw DEFLATE (RFC 1951), for a connection: what arrives and what is sent.

Memory is bounded. What is sent is compressed by a compressor that lives for one piece and is given the
end of what was sent before as its dictionary: the client sees one stream, as blocks may refer to all of
the last 32 KiB, and an idle connection keeps ``HISTORY`` octets instead of a compressor of 268 KB (with
pieces of 2 KB this compresses as well as a kept one with a window of 4 KiB, with longer ones better).
What arrives is decompressed as it is asked for, at most ``PIECE`` octets at a time, however little it
was; the window of 32 KiB is what a client may use without asking (RFC 4978 knows no smaller one).
"""

import zlib
from collections import deque
from typing import Final

HISTORY: Final = 4 * 1024
"""Octets sent that are remembered."""
PIECE: Final = 64 * 1024
"""Octets compressed or decompressed at a time: some 1 to 2 ms."""
LEVEL: Final = 3
"""Of zlib; 5 takes 1.5 times as long for 7 % less (measured on the corpus of real mail)."""
_TASTE: Final = 4 * 1024
"""Octets given to the decompressor at a time: what it leaves of them it copies."""
_WINDOW: Final = -15
"""32 KiB, without header and checksum."""


class Garbled(Exception):
    """What arrived is not DEFLATE; nothing behind it can be read."""


class Deflated:
    """See the module. One for each connection; both directions begin with nothing."""

    __slots__ = ("_arrived", "_at", "_full", "_history", "_inflate", "_out", "waiting")

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(_WINDOW)
        self._arrived: deque[bytes] = deque()
        self._at = 0  # in the first of them
        self._full = False  # the decompressor stopped for want of room and may hold more
        self._history = b""
        self._out: deque[memoryview] = deque()
        self.waiting = 0
        """Octets to be sent that are not compressed yet."""

    # What arrives -----------------------------------------------------------------------------------

    def arrived(self, octets: bytes) -> None:
        """Take compressed octets."""
        if octets:
            self._arrived.append(octets)

    @property
    def has_input(self) -> bool:
        """Whether something that arrived was not handed out yet."""
        return self._full or bool(self._arrived)

    @property
    def ended(self) -> bool:
        """Whether the client has ended its stream; what follows it means nothing."""
        return self._inflate.eof

    def inflated(self) -> bytes:
        """The next ``PIECE`` octets at most; b'' where more must arrive. Raises ``Garbled``."""
        inflate = self._inflate
        try:
            while self.has_input and not inflate.eof:
                taste = inflate.unconsumed_tail or self._next()
                found = inflate.decompress(taste, PIECE)
                self._full = len(found) == PIECE
                if found:
                    return found
        except zlib.error as error:
            raise Garbled(str(error)) from None
        if inflate.eof:
            self._arrived.clear()
            self._full = False
        return b""

    def _next(self) -> bytes:
        if not self._arrived:
            return b""
        first = self._arrived[0]
        taste = first[self._at : self._at + _TASTE]
        self._at += _TASTE
        if self._at >= len(first):
            self._arrived.popleft()
            self._at = 0
        return taste

    # What is sent -----------------------------------------------------------------------------------

    def send(self, octets: bytes) -> None:
        """Take octets to be sent."""
        self._out.append(memoryview(octets))
        self.waiting += len(octets)

    def deflated(self) -> bytes:
        """The next ``PIECE`` octets at most of what is to be sent, compressed and complete: all of them
        can be read by who receives this. b'' for none."""
        if not self._out:
            return b""
        first = self._out.popleft()
        piece = first[:PIECE]
        if len(first) > PIECE:
            self._out.appendleft(first[PIECE:])
        elif len(first) < PIECE and self._out:
            piece = memoryview(b"".join([first, *self._more(PIECE - len(first))]))
        self.waiting -= len(piece)
        deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, _WINDOW, zdict=self._history)
        pressed = deflate.compress(piece) + deflate.flush(zlib.Z_SYNC_FLUSH)
        if len(piece) >= HISTORY:
            self._history = bytes(piece[-HISTORY:])
        else:
            self._history = (self._history + bytes(piece))[-HISTORY:]
        return pressed

    def _more(self, room: int) -> list[memoryview]:
        """What else waits, up to ``room`` octets."""
        found: list[memoryview] = []
        while self._out and room:
            piece = self._out.popleft()
            if len(piece) > room:
                self._out.appendleft(piece[room:])
                piece = piece[:room]
            room -= len(piece)
            found.append(piece)
        return found
