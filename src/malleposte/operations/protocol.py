"""What the admin socket and its clients say to each other.

A line of JSON each way, ended by LF, at most ``MAX_LINE`` octets; after a line whose ``body`` is true
follow the octets of a parcel as chunks: their length (u32, big-endian) and that many octets, ended by a
length of 0, or of ``BROKEN`` where the sender could not go on. The server speaks first (``hello``, or
an ``error`` for whom it does not serve). Then, one operation after the other:

    client   {"id": 1, "operation": "mail.import", "request": {…}}
    client   {"id": 1, "parcel": {…}, "body": true} chunks …            only operations that stream
    client   {"id": 1, "end": true}
    server   {"id": 1, "progress": {…}}  {"id": 1, "parcel": {…}}       any number, any time
    server   {"id": 1, "result": {…}}  or  {"id": 1, "error": {…}}
"""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Iterable

import msgspec

from malleposte.operations.exchange import BrokenBody

MAX_LINE = 4 * 1024 * 1024
"""Octets of a line: the names of 10,000 mailboxes, or 500 accounts with the longest names there are."""
MAX_CHUNK = 256 * 1024
"""Octets of a chunk, as much as a frame of the store."""
BROKEN = 0xFFFF_FFFF
_LENGTH = struct.Struct(">I")


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """``version`` of the program that answers; ``actor`` whom it takes the caller for; ``server``:
    False where it is the command line's own helper process."""

    version: str
    actor: str
    server: bool


class ProgressLine(msgspec.Struct, frozen=True, kw_only=True):
    """See ``Progress.report``."""

    done: int
    total: int
    words: str = ""


class ErrorLine(msgspec.Struct, frozen=True, kw_only=True):
    """See ``OperationError``."""

    kind: str
    reason: str
    text: str


_NOTHING = msgspec.Raw()


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Any line; what is empty is left out."""

    id: int = 0
    operation: str | None = None
    request: msgspec.Raw = _NOTHING
    parcel: msgspec.Raw = _NOTHING
    body: bool = False
    end: bool = False
    hello: Hello | None = None
    progress: ProgressLine | None = None
    result: msgspec.Raw = _NOTHING
    error: ErrorLine | None = None


class ProtocolError(Exception):
    """The other side does not speak this protocol, or broke off in the middle of something."""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line).decode


def raw(value: msgspec.Struct) -> msgspec.Raw:
    """A struct as it goes into a line."""
    return msgspec.Raw(_encode(value))


class Channel:
    """Lines and bodies over a stream whose reader was made with ``limit=MAX_LINE``."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def put(self, line: Line) -> None:
        """Send a line without waiting; for small ones (progress). Raises ``ConnectionError``."""
        octets = _encode(line) + b"\n"
        if len(octets) > MAX_LINE:
            raise ProtocolError(f"a line of {len(octets):,} octets is too long")
        self._write(octets)

    def _write(self, octets: bytes) -> None:
        if self._writer.is_closing():
            # uvloop would raise RuntimeError.
            raise ConnectionResetError("the other side went away")
        self._writer.write(octets)

    async def send(self, line: Line) -> None:
        """Send a line. Raises ``ConnectionError``."""
        self.put(line)
        await self._writer.drain()

    async def send_body(self, pieces: AsyncIterator[bytes] | Iterable[bytes]) -> None:
        """Send the chunks of a body. Whatever ``pieces`` raises breaks the body off and comes out."""
        write = self._write
        try:
            async for piece in _each(pieces):
                for at in range(0, len(piece), MAX_CHUNK):
                    part = piece[at : at + MAX_CHUNK]
                    write(_LENGTH.pack(len(part)))
                    write(part)
                    await self._writer.drain()
        except ConnectionError:
            raise
        except BaseException:
            with contextlib.suppress(ConnectionError):
                write(_LENGTH.pack(BROKEN))
            raise
        write(_LENGTH.pack(0))
        await self._writer.drain()

    async def receive(self) -> Line | None:
        """The next line; None at the end. Raises ``ProtocolError`` and ``ConnectionError``."""
        try:
            octets = await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise ProtocolError("the connection ended within a line") from None
            return None
        except asyncio.LimitOverrunError:
            raise ProtocolError(f"a line of more than {MAX_LINE:,} octets") from None
        try:
            return _decode(octets)
        except msgspec.DecodeError as error:
            raise ProtocolError(f"not a line of this protocol: {error}") from None

    async def pieces(self) -> AsyncIterator[bytes]:
        """The chunks of the body that follows. Raises ``BrokenBody`` and ``ProtocolError``."""
        try:
            while True:
                (length,) = _LENGTH.unpack(await self._reader.readexactly(4))
                if length == 0:
                    return
                if length == BROKEN:
                    raise BrokenBody("the sender could not go on")
                if length > MAX_CHUNK:
                    raise ProtocolError(f"a chunk of {length:,} octets")
                yield await self._reader.readexactly(length)
        except asyncio.IncompleteReadError:
            raise ProtocolError("the connection ended within a message") from None

    @property
    def ended(self) -> bool:
        """Whether the other side is gone, and everything it sent was read."""
        return self._reader.at_eof() or self._writer.is_closing()

    async def discard(self, seconds: float) -> None:
        """Throw away what still comes, so that the other side can read what was sent to it."""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(seconds):
                while await self._reader.read(MAX_CHUNK):
                    pass

    async def close(self) -> None:
        """Let go."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


async def _each(pieces: AsyncIterator[bytes] | Iterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(pieces, AsyncIterator):
        async for piece in pieces:
            yield piece
    else:
        for piece in pieces:
            yield piece
