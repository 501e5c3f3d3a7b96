"""A running web service over real sockets, and a plain way to talk to it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from malleposte.directory.book import Book
from malleposte.policy.connections import ConnectionLimit, ConnectionSettings
from malleposte.services.connection import Connection
from malleposte.services.listener import Listener
from malleposte.services.web import Observer, Site, WebService, WebSettings
from malleposte.services.web.messages import Request, Response, text
from support.listening import listening

HOST = "mail.example.org"
SETTINGS = WebSettings(HOST, url=f"https://{HOST}", names=frozenset((HOST, "localhost")))
REFUSE = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    status: int
    fields: dict[str, str]
    body: bytes

    @property
    def words(self) -> str:
        return self.body.decode()

    @property
    def closes(self) -> bool:
        return self.fields.get("connection") == "close"


class Client:
    """One connection: octets out, responses in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def ask(self, octets: bytes, *, head: bool = False) -> Answer:
        """A whole request, and its response."""
        self.send(octets)
        return await self.answer(head=head)

    async def get(self, target: str, *fields: str, method: str = "GET") -> Answer:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {HOST}", *fields, "", ""]
        return await self.ask("\r\n".join(lines).encode(), head=method == "HEAD")

    async def post(self, target: str, body: bytes, *fields: str) -> Answer:
        lines = [f"POST {target} HTTP/1.1", f"Host: {HOST}", f"Content-Length: {len(body)}"]
        return await self.ask("\r\n".join([*lines, *fields, "", ""]).encode() + body)

    async def answer(self, *, head: bool = False) -> Answer:
        """The next response."""
        async with asyncio.timeout(30):
            begin = await self.reader.readuntil(b"\r\n\r\n")
            line, *fields = begin.decode("ascii").split("\r\n")[:-2]
            named = {
                name.lower(): value.strip() for name, _, value in (f.partition(":") for f in fields)
            }
            assert len(named) == len(fields), fields
            body = b"" if head else await self.reader.readexactly(int(named["content-length"]))
        version, status, reason = line.split(" ", 2)
        assert version == "HTTP/1.1"
        assert reason
        return Answer(int(status), named, body)

    async def ended(self) -> bytes:
        """What comes up to the end, which must come."""
        async with asyncio.timeout(30):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""

    def cut(self) -> None:
        """Go without a word."""
        self.writer.transport.abort()


class Echo:
    """A site with a page for each thing that a handler can do."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.gate = asyncio.Event()
        self.closed = asyncio.Event()

    def in_clear(self, path: str) -> bool:
        return path == "/clear"

    async def answer(self, request: Request) -> Response | None:
        self.asked.append(request)
        match request.path:
            case "/body":
                request.allow("POST")
                return Response(200, await request.content.read(), route="body")
            case "/page" | "/clear":
                request.allow("GET")
                return Response(200, request.target.encode(), route="page")
            case "/ignores":
                return text(200, "not read")
            case "/slow":
                await self.gate.wait()
                return text(200, "at last")
            case "/stream":
                length = int(request.query.get("length", "-1"))
                return Response(200, kind="text/event-stream", pieces=self._pieces(), length=length)
            case "/upload":
                request.allow("POST")
                most = int(request.query.get("most", "1000000"))
                sizes = [len(piece) async for piece in request.content.pieces(most, 60)]
                return text(200, f"{sum(sizes)} {max(sizes, default=0)}")
            case "/switch":
                fields = (("Upgrade", "echo"), ("Connection", "Upgrade"))
                return Response(101, fields=fields, takes_over=self._echo)
            case "/defect":
                raise RuntimeError("of ours")
        return None

    async def _pieces(self) -> AsyncGenerator[bytes]:
        try:
            yield b"one "
            await self.gate.wait()
            yield b"two"
        finally:
            self.closed.set()

    async def _echo(self, connection: Connection, ahead: bytes) -> None:
        while ahead != b"bye":
            connection.write(ahead.upper())
            ahead = await connection.read(30)


class NoBook:
    """A directory without domains."""

    async def fresh(self) -> None:
        """Is."""

    async def domain(self, name: str) -> None:
        """None is ours."""


class Seen(Observer):
    def __init__(self) -> None:
        self.requests: list[tuple[str, int]] = []
        self.defects: list[str] = []

    def request(self, route: str, status: int, seconds: float) -> None:
        self.requests.append((route, status))

    def defect(self, where: str) -> None:
        self.defects.append(where)


@dataclass(slots=True)
class Served:
    """A service that listens on `port`."""

    service: WebService
    listener: Listener
    limit: ConnectionLimit
    port: int
    seen: Seen
    echo: Echo
    clients: list[Client] = field(default_factory=list)

    async def connect(self, context: ssl.SSLContext | None = None) -> Client:
        streams = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 22, ssl=context)
        client = Client(*streams)
        self.clients.append(client)
        return client


@contextlib.asynccontextmanager
async def serve(
    settings: WebSettings = SETTINGS,
    *,
    book: Book | None = None,
    sites: Sequence[Site] = (),
    connections: ConnectionSettings | None = None,
    remote: bool = False,
    implicit: ssl.SSLContext | None = None,
) -> AsyncIterator[Served]:
    """A service on a loopback port; without sites of its own over ``Echo``. ``remote``: it takes its
    clients for other machines."""
    echo, seen = Echo(), Seen()
    limit = ConnectionLimit(connections or ConnectionSettings())
    drains: list[Listener] = []
    service = WebService(
        settings,
        book or cast(Book, NoBook()),
        sites or (echo,),
        seen,
        stopping=lambda: any(one.draining for one in drains),
    )

    async def session(connection: Connection) -> None:
        connection.loopback = not remote
        await service.serve(connection)

    async with listening(session, limit=limit, refuse=REFUSE, implicit=implicit) as (
        listener,
        port,
    ):
        drains.append(listener)
        served = Served(service, listener, limit, port, seen, echo)
        try:
            yield served
        finally:
            for client in served.clients:
                client.cut()
                with contextlib.suppress(OSError):
                    await client.writer.wait_closed()
