"""A connection that says whatever it is told to, and hears everything."""

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PATIENCE = 60.0

_REPEAT = re.compile(rb"\$\{([0-9]+)([*#])((?:[^${}]|\{[^{}]*\}|\$\{[^{}]*\})*)\}")


def expand(octets: bytes) -> bytes:
    """`${3*ab}` → `ababab`; one may stand in another. `${3#a#}` → `a0a1a2`."""

    def one(found: re.Match[bytes]) -> bytes:
        inner = expand(found[3])
        if found[2] == b"*":
            return inner * int(found[1])
        return b"".join(inner.replace(b"#", b"%d" % n) for n in range(int(found[1])))

    return _REPEAT.sub(one, octets)


class Raw(asyncio.Protocol):
    """One connection. What came before a reset is kept, which ``asyncio.StreamReader`` loses."""

    def __init__(self) -> None:
        self._heard = bytearray()
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self.transport: asyncio.Transport
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._news.set()
        self._writable.set()

    def eof_received(self) -> None:
        self.closed = True
        self._news.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    async def send(self, octets: bytes) -> None:
        """All octets, as far as the server takes them; none once the connection is closed."""
        if not self.transport.is_closing():
            self.transport.write(octets)
            async with asyncio.timeout(PATIENCE):
                await self._writable.wait()

    async def dribble(self, octets: bytes, pause: float = 0.0005) -> None:
        """One octet a packet, until the connection is closed."""
        for octet in octets:
            if self.closed:
                return
            await self.send(bytes((octet,)))
            await asyncio.sleep(pause)

    async def line(self) -> bytes:
        """The next line; b'' at the end."""
        async with asyncio.timeout(PATIENCE):
            while (end := self._heard.find(b"\n")) < 0:
                if self.closed:
                    return b""
                await self._more()
        line = bytes(self._heard[: end + 1])
        del self._heard[: end + 1]
        return line

    async def _more(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def reply(self) -> bytes:
        """The next SMTP reply, all its lines; b'' at the end."""
        lines = []
        while True:
            lines.append(await self.line())
            if lines[-1][3:4] != b"-":
                return b"".join(lines)

    async def tagged(self, tag: bytes) -> bytes:
        """IMAP up to a tagged line, which must come; literals are not looked at."""
        heard = []
        while True:
            heard.append(await self.line())
            assert heard[-1], b"".join(heard)
            if heard[-1].startswith(tag + b" "):
                return b"".join(heard)

    async def rest(self, seconds: float = PATIENCE) -> bytes:
        """Everything up to the end of the connection, which must come."""
        async with asyncio.timeout(seconds):
            while not self.closed:
                await self._more()
        return bytes(self._heard)

    def half_close(self) -> None:
        """Nothing more will be sent."""
        if not self.closed:
            with contextlib.suppress(OSError):
                self.transport.write_eof()


@asynccontextmanager
async def raw(
    port: int, *, source: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Raw]:
    """A connection from an address of loopback to a port of 127.0.0.1."""
    async with asyncio.timeout(PATIENCE):
        transport, wire = await asyncio.get_running_loop().create_connection(
            Raw,
            "127.0.0.1",
            port,
            local_addr=(source, 0),
            ssl=tls,
            server_hostname="localhost" if tls else None,
        )
    # One octet a packet where it is asked for.
    transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        yield wire
    finally:
        transport.close()


def codes(replies: bytes) -> list[int]:
    """The reply codes of SMTP, one for each reply."""
    return [int(line[:3]) for line in replies.splitlines() if line[3:4] == b" "]


def conditions(said: bytes) -> list[str]:
    """IMAP's conditions in order, untagged OK and NO left out; + for a continuation.

    Literals are not looked at.
    """
    found = []
    for line in said.split(b"\r\n")[:-1]:
        words = line.split(b" ")
        known = (b"BAD", b"BYE") if words[0] == b"*" else (b"OK", b"NO", b"BAD")
        if words[0] == b"+":
            found.append("+")
        elif len(words) > 1 and words[1] in known:
            found.append(words[1].decode())
    return found
