"""Two workers over one store, each with views and a clock of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from malleposte.store import Store, Writer
from malleposte.store.commands import AnyCommand, CreateDomain
from malleposte.store.results import AnyResult
from malleposte.store.sqlite import Sqlite
from malleposte.store.views import Views
from support.store import Place
from unit.services.imapd.harness import Served, serve


@dataclass(slots=True, repr=False)
class Workers:
    """Two services over one store."""

    first: Served
    second: Served

    def of(self, number: int) -> Served:
        return self.second if number % 2 else self.first


class _Away:
    """A writer that is another process: others run while it works."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def submit(self, command: AnyCommand, fd: int | None = None) -> AnyResult:
        await asyncio.sleep(0.0005)
        result = await self._writer.submit(command, fd)
        await asyncio.sleep(0.001)
        return result


class _Ask:
    def moved(self) -> int | None:
        return None


@contextlib.asynccontextmanager
async def two_workers(place: Place) -> AsyncIterator[Workers]:
    """Services over an empty store with the domain example.org."""
    async with contextlib.AsyncExitStack() as stack:
        store = await stack.enter_async_context(place.open())
        await store.submit(CreateDomain(name="example.org"))
        store.writer = _Away(store.writer)
        reader = store.reader
        if not place.dsn:
            reader = Sqlite(place.database, writable=False)
            stack.callback(reader.close)
        other = Store(reader, store.writer, Views(reader, _Ask()), _Ask(), store.blobs)
        first = await stack.enter_async_context(serve(store))
        second = await stack.enter_async_context(serve(other))
        yield Workers(first, second)
