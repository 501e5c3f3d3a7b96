"""A listening socket behind proxies of ours: each connection says first whose it is (PROXY protocol).

Only the proxies that are named may connect; whoever else does is turned away without a word, for a header
is a claim that anybody could make. One that does not begin with a header, or is slow with it, is closed.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from typing import Final

import structlog

from malleposte.policy.log_ration import LogRation
from malleposte.wire.proxy import HeaderReader, Malformed

log = structlog.get_logger(__name__)

PATIENCE: Final = 5.0
"""Seconds for a header: a proxy sends it with the first packet."""
PENDING: Final = 500
"""Connections that have not said yet whose they are."""

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
Take = Callable[[socket.socket, str], bool]


class Proxied:
    """See the module. ``take`` is given the socket with the client's address, once that is known."""

    def __init__(self, proxies: tuple[IpNetwork, ...], take: Take) -> None:
        self._proxies = proxies
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._reading: set[asyncio.Task[None]] = set()
        self._ration = LogRation()

    @property
    def pending(self) -> int:
        """Connections that have not said yet whose they are."""
        return len(self._reading)

    def accept(self, client: socket.socket, peer: str) -> bool:
        """What ``Accepting`` calls."""
        if not self._trusted(peer) or len(self._reading) >= PENDING:
            client.close()
            self._refused(peer, "no proxy of ours, or too many that say nothing")
            return False
        task = self._loop.create_task(self._read(client, peer))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)
        return True

    def close(self) -> None:
        """Let go of those that have said nothing."""
        for task in self._reading:
            task.cancel()

    def _trusted(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        return any(address in network for network in self._proxies)

    async def _read(self, client: socket.socket, peer: str) -> None:
        reader = HeaderReader()
        try:
            async with asyncio.timeout(PATIENCE):
                while not reader.done:
                    octets = await self._loop.sock_recv(client, reader.wants)
                    if not octets:
                        raise Malformed("closed before its PROXY header")
                    reader.feed(octets)
        except (OSError, Malformed, TimeoutError) as error:
            client.close()
            self._refused(peer, str(error) or "no PROXY header in time")
            return
        except asyncio.CancelledError:
            client.close()
            raise
        self._take(client, reader.client or peer)

    def _refused(self, peer: str, reason: str) -> None:
        more = self._ration.line(peer)
        if more is not None:
            log.warning("proxy_refused", peer=peer, reason=reason, **more)
