"""A running ManageSieve service over a real store and real sockets, and a client in a thread."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from malleposte.delivery.sieving.checking import Checker
from malleposte.directory.book import Book
from malleposte.policy.connections import ConnectionLimit, ConnectionSettings
from malleposte.services.listener import Listener
from malleposte.services.sieved import SieveService, SieveSettings
from malleposte.store import Store
from support.listening import account, door, listening
from support.sieve_client import Answer, SieveClient

HOST = "mail.example.org"


class Client:
    """A connection whose calls do not hold the loop."""

    def __init__(self, inner: SieveClient) -> None:
        self.inner = inner

    async def do(self, verb: str, *arguments: str | bytes | int) -> Answer:
        """Send a command; its answer."""
        return await asyncio.to_thread(self.inner.do, verb, *arguments)

    async def sign_in(self, address: str, password: str = "secret") -> Answer:
        """AUTHENTICATE PLAIN."""
        return await asyncio.to_thread(self.inner.sign_in, address, password)

    async def answer(self) -> Answer:
        """What comes unasked."""
        return await asyncio.to_thread(self.inner.answer)


@dataclass(slots=True)
class Served:
    """A service that listens on `port`."""

    service: SieveService
    listener: Listener
    port: int
    clients: list[Client] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.service.store

    async def connect(self) -> Client:
        client = Client(await asyncio.to_thread(SieveClient, self.port))
        self.clients.append(client)
        return client

    async def signed_in(self, address: str) -> Client:
        client = await self.connect()
        answer = await client.sign_in(address)
        assert answer.status == "OK", answer
        return client

    async def account(self, name: str = "") -> tuple[int, str]:
        """A new account, password `secret`; its id and address."""
        return await account(self.store, name)


@contextlib.asynccontextmanager
async def serve(
    store: Store,
    settings: SieveSettings | None = None,
    *,
    connections: ConnectionSettings | None = None,
) -> AsyncIterator[Served]:
    """A service on a loopback port; fails at the end if a session met a defect."""
    book = Book(store)
    service = SieveService(
        settings or SieveSettings(HOST), store, book, door(book), Checker(store.reader)
    )
    limit = ConnectionLimit(connections or ConnectionSettings())
    async with listening(service.serve, limit=limit, refuse=b'BYE "Too many"\r\n') as made:
        listener, port = made
        served = Served(service, listener, port)
        try:
            yield served
        finally:
            for client in served.clients:
                client.inner.sock.close()
