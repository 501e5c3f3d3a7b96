"""A connection to another server as octets: TLS, deadlines, bounded input; nothing of SMTP.

``receive`` gives what came, b'' at the end; ``send`` returns when the system has taken what was written
but for a little. What was not received yet is bounded: past it the socket waits.
"""

import asyncio
import socket
import ssl
from typing import cast

from .resolver import IpAddress

MOST_UNREAD = 64 * 1024


class Channel(asyncio.Protocol):
    """See the module."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._unread = bytearray()
        self._paused = False
        self._ended = False
        self._error: Exception | None = None
        self._reading: asyncio.Future[None] | None = None
        self._writing: asyncio.Future[None] | None = None
        self._full = False

    @classmethod
    async def open(
        cls, address: IpAddress, port: int, *, source: str = "", seconds: float
    ) -> "Channel":
        """Connect. Raises ``OSError`` (``TimeoutError`` among them)."""
        channel = cls()
        loop = channel._loop
        local = (source, 0) if source else None
        async with asyncio.timeout(seconds):
            await loop.create_connection(
                lambda: channel, str(address), port, local_addr=local, family=_family(address)
            )
        return channel

    # asyncio.Protocol -----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        self._unread += data
        if len(self._unread) > MOST_UNREAD and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        _wake(self._reading)

    def eof_received(self) -> bool:
        """See ``asyncio.Protocol``: who says no more gets no more."""
        self._ended = True
        _wake(self._reading)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._ended = True
        self._error = exc
        _wake(self._reading)
        _wake(self._writing)

    def pause_writing(self) -> None:
        """See ``asyncio.Protocol``."""
        self._full = True

    def resume_writing(self) -> None:
        """See ``asyncio.Protocol``."""
        self._full = False
        _wake(self._writing)

    # For the conversation -------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Whether the other side has closed, or said something nobody asked for."""
        return self._ended or bool(self._unread)

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The session's TLS."""
        if self._transport is None:
            return None
        found: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object")
        return found

    @property
    def local(self) -> str:
        """Our own address."""
        name = self._transport.get_extra_info("sockname") if self._transport is not None else None
        return str(name[0]) if name else ""

    async def receive(self, until: float) -> bytes:
        """What came; b'' once the other side has closed. Raises ``TimeoutError`` at ``until`` (the
        loop's time)."""
        if not self._unread and not self._ended:
            self._reading = self._loop.create_future()
            try:
                async with asyncio.timeout_at(until):
                    await self._reading
            finally:
                self._reading = None
        octets = bytes(self._unread)
        self._unread.clear()
        if self._paused and self._transport is not None and not self._ended:
            self._paused = False
            self._transport.resume_reading()
        return octets

    async def send(self, octets: bytes, until: float) -> None:
        """Write. Raises ``TimeoutError`` where the other side does not take it before ``until``; that it
        has closed shows when its answer is waited for."""
        transport = self._transport
        if transport is None or transport.is_closing():
            self._ended = True
            return
        transport.write(octets)
        if self._full and not self._ended:
            self._writing = self._loop.create_future()
            try:
                async with asyncio.timeout_at(until):
                    await self._writing
            finally:
                self._writing = None

    async def start_tls(self, context: ssl.SSLContext, name: str, seconds: float) -> None:
        """Shake hands; what came in clear is gone. Raises ``OSError`` and ``ssl.SSLError``."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the connection was cut")
        self._unread.clear()
        started = await self._loop.start_tls(
            transport,
            self,
            context,
            server_hostname=name or None,
            ssl_handshake_timeout=seconds,
        )
        if started is None:
            raise ConnectionResetError("the connection was cut")
        self._transport = started

    def finish(self, octets: bytes) -> None:
        """Say the last and close; nobody waits for it."""
        if self._transport is not None and not self._transport.is_closing():
            if octets:
                self._transport.write(octets)
            self._transport.close()

    def close(self) -> None:
        """Close at once; what was written and not sent is lost."""
        if self._transport is not None:
            self._transport.abort()


def _family(address: IpAddress) -> int:
    return socket.AF_INET if address.version == 4 else socket.AF_INET6


def _wake(future: "asyncio.Future[None] | None") -> None:
    if future is not None and not future.done():
        future.set_result(None)
