"""An operator at a desk: calls operations on a store, streams parcels, reads the audit."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from malleposte.directory.book import Book
from malleposte.operations.context import Context, OperationSettings
from malleposte.operations.exchange import BrokenBody, Parcel
from malleposte.operations.perform import named, perform
from malleposte.operations.registry import Request, Response
from malleposte.policy.permissions import Actor
from malleposte.runtime.passwords import prepared_password
from malleposte.store import Store

ResponseT = TypeVar("ResponseT", bound=Response)


class PlainHasher:
    """Hashes that can be read, so that tests need not wait for real ones."""

    async def hash(self, password: str) -> str:
        return f"hash of {prepared_password(password).decode()}"


@dataclass
class Tape:
    """An exchange in memory: gives parcels, keeps what is sent."""

    incoming: list[tuple[msgspec.Struct, bytes | None]] = field(default_factory=list)
    sent: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    reports: list[tuple[int, int, str]] = field(default_factory=list)
    broken: set[int] = field(default_factory=set)
    """Numbers of incoming bodies that break off."""
    gone: bool = False
    lost_after: int = -1
    """The caller goes away after that many parcels."""
    _given: int = 0

    def report(self, done: int, total: int, words: str = "") -> None:
        self.reports.append((done, total, words))

    async def receive(self) -> Parcel | None:
        await asyncio.sleep(0)
        if self._given == self.lost_after:
            raise ConnectionResetError("the caller went away")
        if self._given >= len(self.incoming):
            return None
        head, body = self.incoming[self._given]
        number = self._given
        self._given += 1
        return Parcel(
            msgspec.Raw(msgspec.json.encode(head)),
            None if body is None else self._pieces(number, body),
        )

    async def _pieces(self, number: int, body: bytes) -> AsyncIterator[bytes]:
        for at in range(0, len(body), 1000):
            yield body[at : at + 1000]
        if number in self.broken:
            raise BrokenBody("gave up")

    async def send(
        self,
        head: msgspec.Struct,
        pieces: "AsyncIterator[bytes] | Iterable[bytes] | None" = None,
    ) -> None:
        body = None
        if pieces is not None:
            body = b""
            if isinstance(pieces, AsyncIterator):
                async for piece in pieces:
                    body += piece
            else:
                body = b"".join(pieces)
        self.sent.append((msgspec.json.encode(head), body))


class Desk:
    """See the module."""

    def __init__(self, store: Store, actor: Actor | None = None, **settings: Any) -> None:
        self.store = store
        self.context = Context.of(
            store,
            Book(store),
            PlainHasher(),
            OperationSettings(hostname="mail.example.org", **settings),
            actor or Actor.local(0),
        )

    async def call(
        self,
        name: str,
        request: Request,
        response: type[ResponseT],
        tape: Tape | None = None,
    ) -> ResponseT:
        """Perform an operation as its callers do."""
        done = await perform(self.context, named(name), request, tape or Tape())
        assert isinstance(done, response)
        return done

    async def audit(self) -> list[tuple[str, str, str, str, dict[str, Any]]]:
        """(actor, operation, target, outcome, details) of every line, oldest first."""
        rows = await self.store.reader.rows(
            "SELECT actor, operation, target, outcome, details FROM audit ORDER BY id"
        )
        return [(a, o, t, out, msgspec.json.decode(d)) for a, o, t, out, d in rows]
