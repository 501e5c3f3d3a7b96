"""A running POP3 service over a real store and real sockets, and a plain way to talk to it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import msgspec

from malleposte.directory.book import Book
from malleposte.policy.account_counts import AccountCounts
from malleposte.policy.connections import ConnectionLimit, ConnectionSettings
from malleposte.services.listener import Listener
from malleposte.services.pop3d import Pop3Service, Pop3Settings
from malleposte.services.pop3d.exclusive import Exclusive
from malleposte.store import Store, content
from malleposte.store.results import Appended
from support.listening import account, door, listening
from support.store import append, inbox

HOST = "mail.example.org"


class Client:
    """One connection: commands and their responses."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def line(self) -> bytes:
        """The next line with its end; b'' at the end of the connection."""
        async with asyncio.timeout(30):
            return await self.reader.readline()

    async def ask(self, command: str) -> str:
        """A command, and its first line."""
        self.writer.write(command.encode() + b"\r\n")
        return (await self.line()).decode()

    async def lines(self, command: str) -> list[str]:
        """A command, and the lines of its long answer."""
        return (await self.octets(command)).decode("latin-1").splitlines()

    async def octets(self, command: str) -> bytes:
        """A command, and the octets of its long answer without doubled dots; the end taken off."""
        first = await self.ask(command)
        assert first.startswith("+OK"), first
        async with asyncio.timeout(60):
            said = b"\r\n"
            while not said.endswith(b"\r\n.\r\n"):
                said += await self.reader.readuntil(b"\n")
        return re.sub(rb"(\r\n\.)\.", rb"\1", said[2:-3])

    async def sign_in(self, address: str, password: str = "secret") -> str:
        """USER and PASS; the answer to the latter."""
        await self.ask(f"USER {address}")
        return await self.ask(f"PASS {password}")

    async def ended(self) -> bytes:
        """What comes up to the end, which must come."""
        async with asyncio.timeout(30):
            return await self.reader.read()

    def cut(self) -> None:
        """Go without a word."""
        self.writer.transport.abort()


@dataclass(slots=True)
class Served:
    """A service that listens on `port`."""

    service: Pop3Service
    listener: Listener
    limit: ConnectionLimit
    port: int
    clients: list[Client] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.service.store

    async def connect(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 24))
        self.clients.append(client)
        assert await client.line() == b"+OK mail.example.org Malleposte ready\r\n"
        return client

    async def signed_in(self, address: str) -> Client:
        client = await self.connect()
        said = await client.sign_in(address)
        assert said.startswith("+OK "), said
        return client

    async def at_last(self, address: str) -> Client:
        """A session, once the one before it is gone."""
        for _ in range(500):
            client = await self.connect()
            if (await client.sign_in(address)).startswith("+OK"):
                return client
            client.cut()
            await asyncio.sleep(0.01)
        raise AssertionError("never")

    async def account(self, name: str = "") -> tuple[int, str]:
        """A new account, password `secret`; its id and address."""
        return await account(self.store, name)

    async def fill(self, account: int, *messages: bytes) -> list[int]:
        """Put messages into INBOX; their UIDs."""
        uids = []
        for octets in messages:
            if len(octets) > content.FRAME:
                uids.append(await self._file(account, octets))
                continue
            result = await self.store.submit(append(inbox(account), data=octets))
            assert isinstance(result, Appended), result
            uids.append(result.uid)
        return uids

    async def _file(self, account: int, octets: bytes) -> int:
        """A large one, which goes through a file."""
        what, descriptor = content.in_file(memoryview(octets), self.store.blobs)
        try:
            command = msgspec.structs.replace(append(inbox(account)), content=what)
            result = await self.store.submit(command, descriptor)
        finally:
            os.close(descriptor)
        assert isinstance(result, Appended), result
        return result.uid

    async def uids(self, account: int) -> list[int]:
        """What is in INBOX now."""
        view = await self.store.views.open(inbox(account))
        return view.uids.tolist()


@contextlib.asynccontextmanager
async def serve(
    store: Store,
    settings: Pop3Settings | None = None,
    *,
    counts: AccountCounts | None = None,
    connections: ConnectionSettings | None = None,
) -> AsyncIterator[Served]:
    """A service on a loopback port; fails at the end if a session met a defect."""
    book = Book(store)
    service = Pop3Service(
        settings or Pop3Settings(HOST),
        store,
        book,
        door(book),
        Exclusive(store, counts or AccountCounts()),
    )
    limit = ConnectionLimit(connections or ConnectionSettings())
    refuse = b"-ERR [SYS/TEMP] Too many\r\n"
    async with listening(service.serve, limit=limit, refuse=refuse) as (listener, port):
        served = Served(service, listener, limit, port)
        try:
            yield served
        finally:
            for client in served.clients:
                client.cut()
                with contextlib.suppress(OSError):
                    await client.writer.wait_closed()
