"""A client's connection: bytes in and out, TLS, deadlines; nothing of any protocol.

One long-lived task a connection reads with ``read`` and writes with ``write`` and ``drain``. Deadlines
are looked at once a second for all connections of a worker (``Sweep``), so that waiting costs nothing
and an idle connection is a few hundred octets. Input is bounded: what the task has not taken yet stops
the socket. All connections of a listener under TLS read into one buffer (``Deciphered``): an idle one
keeps none. A protocol may have both ways compressed (``compression``): then ``read`` and ``write`` deal
in plain octets as before.
"""

import asyncio
import socket
import ssl
import time
from typing import TYPE_CHECKING

from malleposte.policy.connections import Admission
from malleposte.services.compression import PIECE, Deflated
from malleposte.services.deciphered import Deciphered
from malleposte.services.inbox import Inbox

if TYPE_CHECKING:
    from malleposte.services.listener import Listener

HANDSHAKE = 30.0
"""Seconds for a TLS handshake; the slowest honest ones take two round trips over a satellite."""
LINGER = 30.0
"""Seconds a client has to take what was queued when its connection was closed; then it is cut off."""


class ConnectionLost(Exception):
    """The client is gone, or was too slow; nothing can be sent."""


class TimedOut(Exception):
    """Nothing came before the deadline; what is written still goes out."""


class Draining(Exception):
    """The server stops: say goodbye and end, or end what is under way. Raised by ``read`` when nothing
    is waiting in it, once: from then on it waits as before, until the time to drain is over."""


class Connection(Inbox):
    """See the module. Made for a socket that was let in; ``start`` runs its task."""

    __slots__ = (
        "__weakref__",
        "_closing",
        "_deflated",
        "_ended",
        "_handshaking",
        "_owner",
        "_task",
        "_timed_out",
        "_told",
        "loopback",
        "peer",
    )

    def __init__(self, owner: "Listener", peer: str, admission: Admission | None) -> None:
        super().__init__(owner.loop, admission, tls=owner.tls is not None and owner.implicit)
        self._owner = owner
        self._task: asyncio.Task[None] | None = None
        self._deflated: Deflated | None = None
        self._closing = False
        self._timed_out = False
        self._told = False  # that the server stops
        self._ended = False  # reads no more
        self._handshaking = False
        self.peer = peer
        """The client's address, '' on a Unix socket."""
        self.loopback = not peer or peer == "::1" or peer.startswith("127.")

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        super().connection_lost(exc)
        self._owner.closed(self)

    def start(self, sock: socket.socket) -> None:
        """Take the socket over and serve it."""
        self._task = self._loop.create_task(self._run(sock))

    async def _run(self, sock: socket.socket) -> None:
        owner = self._owner
        try:
            await self._open(sock)
            await owner.serve(self)
        except (ConnectionLost, TimedOut, Draining, ConnectionError):
            pass
        except asyncio.CancelledError:
            self.abort()
            raise
        except Exception:  # noqa: BLE001 - a defect ends one connection, not the worker
            owner.failed(self)
            self.abort()
        finally:
            self.close()
            if self._transport is None or self._handshaking:
                # Of half a handshake the loop does not tell when it is gone.
                self.abort()
                self.connection_lost(None)

    async def _open(self, sock: socket.socket) -> None:
        """Hand the socket to the loop, with the handshake. Raises ``ConnectionLost``."""
        owner = self._owner
        context = owner.tls() if self.tls and owner.tls is not None else None
        if self.tls and context is None:
            sock.close()  # there is no certificate yet
            raise ConnectionLost
        try:
            await self._loop.connect_accepted_socket(
                lambda: self if context is None else Deciphered(self, owner.buffer),
                sock,
                ssl=context,
                ssl_handshake_timeout=HANDSHAKE if context is not None else None,
            )
        except OSError as error:  # also what ssl raises
            raise ConnectionLost from error
        if self._transport is None:
            raise ConnectionLost

    async def read(self, seconds: float, *, stoppable: bool = True) -> bytes:
        """What has come since; waits at most ``seconds`` for the first octet. b'' at the end.

        Raises ``TimedOut`` and, when the server stops, ``Draining``; not where it is told not to be
        ``stoppable``: something is under way that shall be finished. ``Garbled`` where what came cannot
        be decompressed.
        """
        deflated = self._deflated
        if deflated is None:
            return await self._read(seconds, stoppable)
        if deflated.has_input:
            # Little that arrived can be much: others run between its pieces.
            await asyncio.sleep(0)
        while not (octets := deflated.inflated()):
            if deflated.ended:
                self._eof = True
                self._inbox.clear()
                return b""
            arrived = await self._read(seconds, stoppable)
            if not arrived:
                return b""
            deflated.arrived(arrived)
        return octets

    async def _read(self, seconds: float, stoppable: bool) -> bytes:
        """The same of what came on the wire."""
        if self._ended:
            self.close()
            raise ConnectionLost
        if not self._inbox and not self._eof:
            if stoppable:
                self._stop_if_draining()
            self._deadline = time.monotonic() + seconds
            waiter = self._waiter = self._loop.create_future()
            try:
                await waiter
            finally:
                self._waiter = None
                if not self._closing:
                    self._deadline = 0.0
            if self._ended:
                raise ConnectionLost
            if self._timed_out:
                self._timed_out = False
                if not self._inbox:
                    raise TimedOut
            if stoppable and not self._inbox and not self._eof:
                self._stop_if_draining()
        inbox, self._inbox = self._inbox, []
        self._inbox_size = 0
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return inbox[0] if len(inbox) == 1 else b"".join(inbox)

    def _stop_if_draining(self) -> None:
        if self._owner.draining and not self._told:
            self._told = True
            raise Draining

    @property
    def made(self) -> bool:
        """Whether it is past the handshake, if there is one."""
        return self._transport is not None

    def poke(self) -> None:
        """Wake a ``read`` before its time: it returns b'' with ``at_end`` false."""
        self._wake()

    @property
    def has_input(self) -> bool:
        """Whether ``read`` would return at once."""
        return bool(self._inbox) or self._eof or self._inflates

    @property
    def at_end(self) -> bool:
        """The client sends no more."""
        return self._eof and not self._inbox and not self._inflates

    @property
    def _inflates(self) -> bool:
        return self._deflated is not None and self._deflated.has_input

    @property
    def lost(self) -> bool:
        """Nothing can be sent any more."""
        return self._lost

    def write(self, data: bytes) -> None:
        """Send, or queue for sending."""
        if data and self._transport is not None and not self._lost:
            if self._deflated is None:
                self._transport.write(data)
                return
            self._deflated.send(data)
            if self._deflated.waiting <= PIECE:
                self._press()

    def _press(self) -> None:
        """Compress and send a piece of what waits for it."""
        if self._deflated is not None and self._transport is not None and not self._lost:
            self._transport.write(self._deflated.deflated())

    async def drain(self, seconds: float = 300.0) -> None:
        """Wait until the client has taken enough. Raises ``ConnectionLost``, also if it takes nothing."""
        await self._drained(seconds)
        while self._deflated is not None and self._deflated.waiting:
            self._press()
            await asyncio.sleep(0)
            await self._drained(seconds)

    async def _drained(self, seconds: float) -> None:
        if self._drain is not None:
            try:
                async with asyncio.timeout(seconds):
                    while self._drain is not None:
                        await asyncio.shield(self._drain)
                        if self._lost:
                            break
            except TimeoutError:
                self.abort()
                raise ConnectionLost from None
        if self._lost:
            raise ConnectionLost

    @property
    def compressed(self) -> bool:
        """Whether octets are compressed, by ``compress`` or by TLS itself."""
        if self._deflated is not None:
            return True
        sslobject = self._transport.get_extra_info("ssl_object") if self._transport else None
        return sslobject is not None and sslobject.compression() is not None

    def compress(self) -> None:
        """Compress all that is written from now on, and decompress what is read; both ends change at
        the same octet, so that nothing may have come that was not read."""
        self._deflated = Deflated()

    async def start_tls(self, seconds: float = 30.0) -> None:
        """Do the server's side of a handshake. Raises ``ConnectionLost``.

        Octets that wait came in clear, and would be read as if they had come under TLS: whoever put
        them there is let go (CVE-2011-0411).
        """
        context = self._owner.tls() if self._owner.tls is not None else None
        if context is None or self._transport is None:
            raise ConnectionLost
        if self._inbox or self._eof:
            self.abort()
            raise ConnectionLost
        self._handshaking = True
        try:
            transport = await self._loop.start_tls(
                self._transport,
                Deciphered(self, self._owner.buffer),
                context,
                server_side=True,
                ssl_handshake_timeout=seconds,
            )
        except (OSError, ssl.SSLError, TimeoutError) as error:
            raise ConnectionLost from error
        if transport is None:
            raise ConnectionLost
        self._handshaking = False
        self._transport = transport
        self.tls = True

    @property
    def can_start_tls(self) -> bool:
        """Whether it is in the clear and ``start_tls`` may be called: there is a certificate."""
        return not self.tls and self._owner.tls is not None and self._owner.tls() is not None

    def tls_facts(self) -> tuple[str, str]:
        """(version, cipher) of the connection, '' where there is no TLS."""
        sslobject = self._transport.get_extra_info("ssl_object") if self._transport else None
        if sslobject is None:
            return "", ""
        cipher = sslobject.cipher()
        return str(sslobject.version() or ""), str(cipher[0]) if cipher else ""

    def close(self) -> None:
        """Send what is queued, then close; ``LINGER`` later at the latest."""
        if self._transport is not None and not self._closing:
            while self._deflated is not None and self._deflated.waiting and not self._lost:
                self._press()
            self._closing = True
            self._deadline = time.monotonic() + LINGER
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._closing = True
            self._transport.abort()

    def expire(self, now: float) -> None:
        """For ``Sweep``: end a ``read`` whose deadline is over, or a connection that does not close."""
        if self._deadline and now >= self._deadline:
            if self._closing:
                self.abort()
                return
            self._timed_out = True
            self._wake()

    def end(self) -> None:
        """Read no more: the time to drain is over. An answer that is due may still go out."""
        self._ended = True
        if self._waiter is not None:
            self.close()
        elif self._drain is not None:
            self.abort()
        elif self._transport is None or self._handshaking:
            self.cancel()

    def cancel(self) -> None:
        """End the task, or what is left of the connection: the server stops."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
        else:
            self.abort()
