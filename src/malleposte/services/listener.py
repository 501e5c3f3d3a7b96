"""Where a service listens: takes connections in, counts them, looks at their deadlines, drains them."""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Awaitable, Callable

from malleposte.policy.connections import ConnectionLimit
from malleposte.services.accepting import Accepting
from malleposte.services.connection import Connection
from malleposte.services.proxied import IpNetwork, Proxied

READ_AT_ONCE = 128 * 1024
"""Octets of a connection under TLS taken at a time: the buffer of a listener."""
LAST_ANSWERS = 3.0
"""Seconds, when the time to drain is over, for what the store is at: who got no answer sends again."""


class Listener:
    """A place where a service listens: makes connections, counts them, drains them.

    ``serve`` runs for each connection; ``refuse`` gives the bytes for one too many (under TLS from the
    first octet it is only closed). ``tls`` gives the context for a handshake now, None while there is no
    certificate: connections that are to begin with one are closed. ``failed`` is told
    of a defect that ended a connection. ``proxies``: who connects here, each for a client that it names
    first; nobody else may.
    """

    def __init__(
        self,
        serve: Callable[[Connection], Awaitable[None]],
        *,
        tls: Callable[[], ssl.SSLContext | None] | None = None,
        implicit: bool = False,
        limit: ConnectionLimit | None = None,
        refuse: bytes = b"",
        on_failure: Callable[[Connection], None] | None = None,
        proxies: tuple[IpNetwork, ...] = (),
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self._proxied = Proxied(proxies, self._take) if proxies else None
        self.serve = serve
        self.tls = tls
        self.implicit = implicit
        self.buffer = memoryview(bytearray(READ_AT_ONCE))
        """Where what was deciphered stands for a moment; nothing else of this loop runs in it."""
        self._limit = limit
        self._refuse = refuse
        self._on_failure = on_failure
        self.connections: set[Connection] = set()
        """Those that are open, also in the middle of a handshake."""
        self.total = 0
        self.draining = False
        self._accepting: Accepting | None = None

    def listen(self, sock: socket.socket) -> None:
        """Accept connections on a bound, listening socket, which is closed when the listener drains."""
        self._accepting = Accepting(sock, self._proxied.accept if self._proxied else self._take)

    def _take(self, client: socket.socket, peer: str) -> bool:
        admission = None
        if self._limit is not None:
            admission = self._limit.admit(peer)
            if admission is None:
                self._turn_away(client)
                return False
        if client.family != socket.AF_UNIX:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self, peer, admission)
        if self._proxied is not None:
            connection.loopback = False  # between the proxy and us anybody may listen
        self.connections.add(connection)
        self.total += 1
        connection.start(client)
        return True

    def _turn_away(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if not self.implicit:
                client.send(self._refuse)

    def closed(self, connection: Connection) -> None:
        """A connection is gone."""
        self.connections.discard(connection)

    def failed(self, connection: Connection) -> None:
        """A connection ended by a defect of ours (called in the exception's handler)."""
        if self._on_failure is not None:
            self._on_failure(connection)

    async def drain(self, seconds: float) -> None:
        """Accept no more; wait for connections to end what they are at, then end them."""
        self.draining = True
        if self._accepting is not None:
            self._accepting.close()
            self._accepting = None
        if self._proxied is not None:
            self._proxied.close()
        for connection in list(self.connections):
            if connection.made:
                connection.poke()
            else:
                connection.cancel()
        await self._empty(seconds)
        for connection in list(self.connections):
            connection.end()
        await self._empty(LAST_ANSWERS)
        for connection in list(self.connections):
            connection.cancel()

    async def _empty(self, seconds: float) -> None:
        until = self.loop.time() + seconds
        while self.connections and self.loop.time() < until:  # noqa: ASYNC110 - once in a life
            await asyncio.sleep(0.02)


class Sweep:
    """Looks at the deadlines of all connections once a second."""

    def __init__(self, listeners: list[Listener]) -> None:
        self._listeners = listeners

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            await asyncio.sleep(1.0)
            now = time.monotonic()
            for listener in self._listeners:
                for count, connection in enumerate(list(listener.connections)):
                    connection.expire(now)
                    if count % 2_000 == 1_999:
                        await asyncio.sleep(0)
