"""Taking connections off a listening socket, so that who is one too many costs next to nothing.

The address is judged before anything is built for a connection, TLS included: clients that never do
their handshake count like all others. One connection is let in a turn of the loop, so that of several
workers on one socket the idle ones take more; many may be turned away in it.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Final

import structlog

log = structlog.get_logger(__name__)

TURNED_AWAY: Final = 64
"""Connections turned away in one turn of the loop: some 2 ms."""
REST: Final = 0.5
"""Seconds without a look at the socket while files or memory have run out."""
_EXHAUSTED: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


class Accepting:
    """See the module. ``take`` is given a socket (not blocking) and its address as the peer's, and
    tells whether it was let in; it closes what it turns away."""

    def __init__(self, sock: socket.socket, take: Callable[[socket.socket, str], bool]) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._take = take
        self._rest: asyncio.TimerHandle | None = None
        self._loop.add_reader(sock, self._ready)

    def close(self) -> None:
        """Take no more, and close this process's hold on the socket."""
        if self._rest is not None:
            self._rest.cancel()
        self._loop.remove_reader(self._sock)
        self._sock.close()

    def _ready(self) -> None:
        for _ in range(TURNED_AWAY):
            try:
                client, address = self._sock.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                self._failed(error)
                return
            client.setblocking(False)
            peer = str(address[0]).removeprefix("::ffff:") if isinstance(address, tuple) else ""
            if self._take(client, peer):
                return

    def _failed(self, error: OSError) -> None:
        # accept(2): an error of the connection itself may be reported here; the next is tried.
        if error.errno not in _EXHAUSTED:
            return
        log.error("no connection can be taken", reason=str(error))
        self._loop.remove_reader(self._sock)
        self._rest = self._loop.call_later(REST, self._again)

    def _again(self) -> None:
        self._rest = None
        self._loop.add_reader(self._sock, self._ready)
