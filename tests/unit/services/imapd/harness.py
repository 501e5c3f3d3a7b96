"""A running IMAP service over a real store and real sockets, and short ways to use it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from malleposte.directory.book import Book
from malleposte.services.imapd import ImapService, ImapSettings
from malleposte.services.listener import Listener
from malleposte.store import Store
from malleposte.store.commands import CreateDomain
from support.imap_answers import next_response
from support.imap_client import ImapClient
from support.listening import account, door, listening
from support.store import Place


class Hub:
    """A push hub that hints when it is told to."""

    def __init__(self) -> None:
        self.callbacks: dict[int, list[Callable[[], None]]] = {}

    def subscribe(self, account: int, callback: Callable[[], None]) -> Callable[[], None]:
        self.callbacks.setdefault(account, []).append(callback)
        return lambda: self.callbacks[account].remove(callback)

    def hint(self, account: int) -> None:
        for callback in list(self.callbacks.get(account, ())):
            callback()


@dataclass(slots=True)
class Served:
    """A service that listens on `port`."""

    service: ImapService
    listener: Listener
    port: int
    hub: Hub
    clients: list[ImapClient] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.service.store

    async def connect(self) -> ImapClient:
        client = await ImapClient.connect(self.port)
        self.clients.append(client)
        return client

    async def account(
        self, name: str = "", *, quota: int = 0, kind: str = "person", again: bool = False
    ) -> tuple[int, str]:
        """A new account, password `secret`; its id and address. `again`: there may be one of this name."""
        return await account(self.store, name, kind=kind, quota=quota, again=again)

    async def signed_in(self, address: str) -> ImapClient:
        client = await self.connect()
        await client.login(address, "secret")
        return client


@contextlib.asynccontextmanager
async def serve(store: Store, settings: ImapSettings | None = None) -> AsyncIterator[Served]:
    """A service on a loopback port; fails at the end if a session met a defect."""
    book = Book(store)
    hub = Hub()
    service = ImapService(settings or ImapSettings(starttls=False), store, book, door(book), hub)
    async with listening(service.serve) as (listener, port):
        served = Served(service, listener, port, hub)
        try:
            yield served
        finally:
            for client in served.clients:
                client._writer.transport.abort()
                with contextlib.suppress(OSError):
                    await client._writer.wait_closed()


@contextlib.asynccontextmanager
async def served_with(place: Place, settings: ImapSettings | None = None) -> AsyncIterator[Served]:
    """``serve`` over an empty store with the domain example.org."""
    async with place.open() as store:
        await store.submit(CreateDomain(name="example.org"))
        async with serve(store, settings) as served:
            yield served


async def unchecked(client: ImapClient) -> bytes:
    """The next response, not held against the grammar (which knows neither BINARY nor rev2)."""
    while True:
        found = next_response(client._buffer)
        if found is not None:
            return found
        data = await client._reader.read(1 << 18)
        assert data, "the connection was closed"
        client._buffer += data
