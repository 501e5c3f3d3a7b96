"""A client of JMAP that is told of changes, over real sockets: event sources, WebSockets, a push hub."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from wsproto.connection import Connection as Engine
from wsproto.connection import ConnectionType
from wsproto.events import CloseConnection, Event, Ping, Pong, TextMessage

from malleposte.directory.book import Account
from malleposte.runtime.push import PushHub
from malleposte.secrets.sealing import KeyRing, NodeKey
from malleposte.services.jmap.push import News, Streams
from malleposte.services.jmap.webpush import VapidKept
from malleposte.services.web.messages import Request
from support.store import House
from unit.services.jmap.harness import Client
from unit.services.web import harness as web

KEY = base64.b64encode(bytes(16)).decode()


@dataclass
class Told:
    """``stopped``: the server stops; ``refused``: why nobody may go on."""

    client: Client
    streams: Streams
    served: web.Served
    state: dict[str, Any]

    def stop(self) -> None:
        self.state["stopping"] = True

    def refuse(self, why: str) -> None:
        self.state["why"] = why

    async def source(self, query: str = "types=*", *fields: str) -> Source:
        """An event source that is open."""
        connection = await self.served.connect()
        lines = [f"GET /jmap/events?{query} HTTP/1.1", f"Host: {web.HOST}", *fields, "", ""]
        connection.send("\r\n".join(lines).encode())
        async with asyncio.timeout(10):
            head = await connection.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        return Source(connection, head.decode().lower())

    async def socket(self) -> Socket:
        """A WebSocket that is open."""
        connection = await self.served.connect()
        connection.send(upgrade())
        async with asyncio.timeout(10):
            head = await connection.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        return Socket(connection, head.decode().lower())


def upgrade(**other: str | None) -> bytes:
    """A request for a WebSocket; names of fields with underscores."""
    fields = {
        "Upgrade": "websocket",
        "Connection": "keep-alive, Upgrade",
        "Sec_WebSocket_Key": KEY,
        "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Protocol": "chat, jmap",
        "Sec_WebSocket_Extensions": "permessage-deflate",
    } | other
    lines = [f"{n.replace('_', '-')}: {v}" for n, v in fields.items() if v is not None]
    return "\r\n".join(["GET /jmap/ws HTTP/1.1", f"Host: {web.HOST}", *lines, "", ""]).encode()


@dataclass
class Source:
    connection: web.Client
    head: str

    async def text(self) -> str:
        """Of the next chunk."""
        async with asyncio.timeout(10):
            size = int(await self.connection.reader.readuntil(b"\r\n"), 16)
            piece = await self.connection.reader.readexactly(size + 2)
        return piece[:-2].decode()

    async def event(self) -> dict[str, Any]:
        """Its fields; of the data what it says."""
        text = await self.text()
        assert text.endswith("\n\n")
        assert text.count("\n\n") == 1
        found: dict[str, Any] = dict(line.split(": ", 1) for line in text.strip("\n").split("\n"))
        if "data" in found:
            found["data"] = msgspec.json.decode(found["data"])
        return found


@dataclass
class Socket:
    connection: web.Client
    head: str
    engine: Engine = field(default_factory=lambda: Engine(ConnectionType.CLIENT))
    events: list[Event] = field(default_factory=list)

    def send(self, message: Any) -> None:
        text = message if isinstance(message, str) else msgspec.json.encode(message).decode()
        self.connection.send(self.engine.send(TextMessage(data=text)))

    async def next(self) -> Event:
        async with asyncio.timeout(10):
            while not self.events:
                self.engine.receive_data(await self.connection.reader.read(1 << 16) or None)
                self.events += self.engine.events()
        return self.events.pop(0)

    async def message(self) -> dict[str, Any]:
        """The next message, whole."""
        text = ""
        while True:
            event = await self.next()
            assert isinstance(event, TextMessage), event
            text += event.data
            if event.message_finished:
                found: dict[str, Any] = msgspec.json.decode(text)
                return found

    async def ask(self, message: Any) -> dict[str, Any]:
        self.send(message)
        return await self.message()

    async def closed(self) -> tuple[int, str]:
        """Code and reason, which must be what comes next."""
        event = await self.next()
        assert isinstance(event, CloseConnection), event
        return int(event.code), event.reason or ""

    async def alive(self) -> None:
        """It answers a ping."""
        self.connection.send(self.engine.send(Ping(payload=b"x")))
        event = await self.next()
        assert isinstance(event, Pong), event
        assert bytes(event.payload) == b"x"


@contextlib.asynccontextmanager
async def telling(house: House, client: Client) -> AsyncIterator[Told]:
    """``client``'s site behind a listener, with news."""
    state: dict[str, Any] = {"why": "", "stopping": False}

    async def why_not(request: Request, account: Account) -> str:
        return str(state["why"])

    hub = PushHub(house.store)
    streams = Streams(house.store, hub, lambda: bool(state["stopping"]))
    ring = KeyRing([NodeKey.random()])
    kept = VapidKept(house.store, lambda: ring, "mailto:postmaster@mail.example.org")
    client.site = replace(client.site, news=News(streams, why_not, kept))
    tasks = [asyncio.create_task(hub.run()), asyncio.create_task(streams.run())]
    try:
        async with web.serve(sites=(client.site,)) as served:
            yield Told(client, streams, served, state)
            for stream in list(streams._open):
                stream.end("the test is over")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
