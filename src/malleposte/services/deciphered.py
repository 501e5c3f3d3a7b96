"""What comes out of TLS, read into a buffer that many connections share.

The octets are taken out of the buffer before another connection may ask for it. Without this uvloop
makes an object of 256 KiB for every read under TLS, and its pages stay behind in the heap.
"""

import asyncio


class Deciphered(asyncio.BufferedProtocol):
    """Stands between TLS and a protocol that wants its octets as ``bytes``."""

    __slots__ = ("_buffer", "_inner")

    def __init__(self, inner: asyncio.Protocol, buffer: memoryview) -> None:
        self._inner = inner
        self._buffer = buffer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.BufferedProtocol``."""
        self._inner.connection_made(transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """See ``asyncio.BufferedProtocol``."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """See ``asyncio.BufferedProtocol``."""
        self._inner.data_received(self._buffer[:nbytes].tobytes())

    def eof_received(self) -> bool | None:
        """See ``asyncio.BufferedProtocol``."""
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.BaseProtocol``."""
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        """See ``asyncio.BaseProtocol``."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """See ``asyncio.BaseProtocol``."""
        self._inner.resume_writing()
