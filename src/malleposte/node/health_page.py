"""``GET /metrics`` and ``GET /health`` over plain HTTP/1.1, one request a connection (RFC 9112).

It is for loopback and for Prometheus, and still bounded like all that listens: connections, octets and
seconds of each, one exposition at a time. It knows no other method and no other path, and no name but
this machine's: else a web page, open in a browser beside it, could give its own name this address and
read what comes (DNS rebinding).
"""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, cast

MAX_REQUEST: Final = 8_192
"""Octets of a request; Prometheus sends some 300, a browser with its cookies 2,000."""
CONNECTIONS: Final = 64
"""At a time, in one worker; Prometheus uses one."""
SECONDS: Final = 10.0
"""Life of a connection, from its first octet to the last of the answer; Prometheus waits as long."""
PAUSE: Final = 0.1
"""Seconds between two expositions: making one takes a processor some 10 ms."""


@dataclass(slots=True)
class Page:
    """What all connections share. ``healthy``: whether all is well, and JSON about it; ``figures``
    makes the exposition, in a thread; ``names``: under which it is asked, besides localhost and IP
    addresses."""

    healthy: Callable[[], Awaitable[tuple[bool, str]]]
    figures: Callable[[], bytes]
    names: Iterable[str] = ()
    open: int = 0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _next: "asyncio.Task[bytes] | None" = None

    def __post_init__(self) -> None:
        self.names = frozenset(name.lower().rstrip(".") for name in (*self.names, "localhost"))

    def answers_to(self, host: str) -> bool:
        """Whether the value of a Host field (RFC 9110 §7.2) means this machine, whoever says so."""
        name = host.strip().lower()
        address, bracket, port = name.removeprefix("[").partition("]")
        if name.startswith("["):
            return bool(bracket) and not port.strip(":0123456789") and _is_ip(address, version=6)
        name = name.partition(":")[0].rstrip(".")
        return name in self.names or _is_ip(name, version=4)

    def connection(self) -> asyncio.Protocol:
        """A protocol for ``create_server``."""
        return _Connection(self)

    async def exposition(self) -> bytes:
        """All figures as they are now, or a moment later; who asks meanwhile shares them."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_task(self._make())
        return await asyncio.shield(self._next)

    async def _make(self) -> bytes:
        async with self._lock:
            self._next = None  # what changes from now on is for whoever asks from now on
            made = await asyncio.to_thread(self.figures)
            if self._asked():
                await asyncio.sleep(PAUSE)
            return made

    def _asked(self) -> bool:
        return self._next is not None


class _Connection(asyncio.Protocol):
    def __init__(self, page: Page) -> None:
        self._page = page
        self._transport: asyncio.Transport | None = None
        self._request = b""
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's are no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._page.open += 1
        if self._page.open > CONNECTIONS:
            self._transport.abort()
        else:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(SECONDS, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        if self._transport is None or self._task is not None or self._transport.is_closing():
            return  # what follows the request is nobody's
        self._request += data
        if b"\r\n\r\n" in self._request[:MAX_REQUEST]:
            self._task = asyncio.get_running_loop().create_task(self._answer())
        elif len(self._request) > MAX_REQUEST:
            self._send("431 Request Header Fields Too Large", b"too much\n")

    async def _answer(self) -> None:
        head = self._request.partition(b"\r\n\r\n")[0]
        words, *fields = head.split(b"\r\n")
        line = words.split(b" ")
        if len(line) != 3 or not line[2].startswith(b"HTTP/1."):
            self._send("400 Bad Request", b"this is no request of HTTP/1.1\n")
            return
        method, target, version = line
        pairs = [field.decode("latin-1").partition(":") for field in fields]
        hosts = [value for name, _, value in pairs if name.lower() == "host"]
        if version != b"HTTP/1.0" and len(hosts) != 1:  # RFC 9112 §3.2
            self._send("400 Bad Request", b"one Host is needed\n")
            return
        if not all(map(self._page.answers_to, hosts)):
            self._send("421 Misdirected Request", b"ask by address, or see metrics.hosts\n")
            return
        if method not in (b"GET", b"HEAD"):
            self._send("405 Method Not Allowed", b"only GET\n", extra="Allow: GET, HEAD\r\n")
            return
        silent = method == b"HEAD"
        path = target.partition(b"?")[0]
        if path == b"/metrics":
            body = await self._page.exposition()
            self._send("200 OK", body, "text/plain; version=0.0.4; charset=utf-8", silent=silent)
        elif path == b"/health":
            good, said = await self._page.healthy()
            status = "200 OK" if good else "503 Service Unavailable"
            self._send(status, said.encode() + b"\n", "application/json", silent=silent)
        else:
            self._send("404 Not Found", b"ask for /metrics or /health\n", silent=silent)

    def _send(
        self,
        status: str,
        body: bytes,
        kind: str = "text/plain",
        *,
        silent: bool = False,
        extra: str = "",
    ) -> None:
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            f"Connection: close\r\nX-Content-Type-Options: nosniff\r\n{extra}\r\n"
        ).encode()
        if self._transport is not None:
            self._transport.write(head if silent else head + body)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._page.open -= 1
        self._request = b""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()


def _is_ip(text: str, *, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False
