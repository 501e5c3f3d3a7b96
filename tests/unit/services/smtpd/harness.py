"""A running submission service over a real store and real sockets, and a plain way to talk to it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from malleposte.delivery.leaving import Sending
from malleposte.delivery.receive import DeliverySettings, Reception
from malleposte.directory.book import Book
from malleposte.policy.connections import ConnectionLimit, ConnectionSettings
from malleposte.services.smtpd import SmtpService
from malleposte.store import Store
from malleposte.wire.smtp import Limits, Mode, Settings
from support.listening import account, door, listening

TOO_MANY = b"421 4.7.0 Too many connections\r\n"


class Client:
    """One connection: a command, and the reply to it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def reply(self) -> str:
        """The next reply, all its lines; '' at the end."""
        lines = []
        while True:
            line = (await self._reader.readline()).decode()
            lines.append(line)
            if line[3:4] != "-":
                return "".join(lines)

    async def ask(self, command: str) -> str:
        self._writer.write(command.encode() + b"\r\n")
        return await self.reply()

    async def sign_in(self, address: str, password: str = "secret") -> str:
        """Hello and AUTH; the reply to the latter."""
        await self.ask("EHLO client.example")
        response = base64.b64encode(f"\0{address}\0{password}".encode()).decode()
        return await self.ask(f"AUTH PLAIN {response}")

    async def send(self, sender: str, recipient: str, content: str) -> str:
        """A whole transaction; the last reply."""
        for command in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA"):
            reply = await self.ask(command)
            if reply[0] not in "23":
                return reply
        return await self.ask(content + "\r\n.")

    def close(self) -> None:
        self._writer.transport.abort()


@dataclass(slots=True)
class Served:
    """A service that listens on `port`."""

    store: Store
    service: SmtpService
    limit: ConnectionLimit
    port: int
    clients: list[Client] = field(default_factory=list)

    async def connect(self) -> Client:
        """A connection that was greeted, or turned away: `greeting` of the client says which."""
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self.clients.append(client)
        return client

    async def signed_in(self, address: str) -> Client:
        client = await self.connect()
        assert (await client.reply()).startswith("220 ")
        reply = await client.sign_in(address)
        assert reply.startswith("235 "), reply
        return client

    async def account(self, name: str) -> int:
        """A new account, password `secret`; its id."""
        return (await account(self.store, name))[0]


@contextlib.asynccontextmanager
async def serve(
    store: Store,
    connections: ConnectionSettings | None = None,
    sending: Sending | None = None,
    settings: Settings | None = None,
) -> AsyncIterator[Served]:
    """Submission on a loopback port; fails at the end if a session met a defect."""
    book = Book(store)
    service = SmtpService(
        settings or Settings("mail.example.org", mode=Mode.SUBMISSION),
        Limits(),
        Reception(store, book, DeliverySettings("mail.example.org"), sending),
        book,
        door(book),
    )
    limit = ConnectionLimit(connections or ConnectionSettings())
    async with listening(service.serve, limit=limit, refuse=TOO_MANY) as (_, port):
        served = Served(store, service, limit, port)
        try:
            yield served
        finally:
            for client in served.clients:
                client.close()
