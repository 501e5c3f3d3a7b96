"""Who is told of changes while connected: an event source or a WebSocket (RFC 8620 §7.3, RFC 8887 §4.3.5).

One ``Streams`` for each worker; a stream has no task of its own. The push hub wakes it, it looks which
kinds changed since it was told last, and its connection tells. What changes while something was just told
is told together, a moment later. One task ends the streams of those who may not go on, and all of them when
the server stops.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final, Protocol

import structlog

from malleposte.services.jmap.access import access_to
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.progress import noted
from malleposte.services.jmap.push.names import Types
from malleposte.services.web.messages import Refused
from malleposte.store import Store, StoreError
from malleposte.store.ids import account_text
from malleposte.store.read import readers_lists
from malleposte.store.read.type_states import (
    ALL,
    EMAIL,
    MAILBOX,
    OF_MAIL,
    THREAD,
    head,
    states,
)

log = structlog.get_logger(__name__)

PER_ACCOUNT: Final = 50
"""Streams of an account in a worker: a dozen devices, each with some windows."""
SETTLING: Final = 0.5
"""Seconds from one time that something is told to the next."""
LOOK_EVERY: Final = 20.0
"""Seconds within which every stream is looked at for whether it may go on."""
TICK: Final = 0.25
"""Seconds until streams notice that the server stops."""
TOO_MANY: Final = "There are too many connections of this account; close some windows or programs."
SUBMISSION: Final = "EmailSubmission"
STOPPING: Final = "The server stops; connect again"

News = dict[int, dict[str, int | str]]
"""States by kind, by account."""
MayGoOn = Callable[[], Awaitable[str]]
"""Says why a stream must end, '' if it need not. Store failures and ``Refused`` come through."""


class Hub(Protocol):
    """What tells that an account changed; see ``runtime.push``."""

    def subscribe(self, account: int, callback: Callable[[], None]) -> Callable[[], None]:
        """Have ``callback`` called soon after the account changes; the way out."""
        ...


class Stream:
    """What one client is told. ``wake`` is called when there may be something to do."""

    def __init__(
        self, streams: "Streams", owner: int, may_go_on: MayGoOn, wake: Callable[[], None]
    ) -> None:
        self._streams = streams
        self._wake = wake
        self._stops: list[Callable[[], None]] = []
        self._hinted = False
        self._told_at = -SETTLING
        self.owner = owner
        self.may_go_on = may_go_on
        self.looked_at = time.monotonic()
        self.types: Types = frozenset()
        self.places: dict[int, int] = {}
        """Up to which modseq it was told, by account."""
        self.ended = ""
        """Why it ends; '' while it goes on."""

    async def listen(
        self, accounts: Collection[int], types: Types, told: Mapping[int, int] | None = None
    ) -> None:
        """Be told of kinds in accounts from now on, or from where somebody was told up to before."""
        self.deaf()
        self.types = types
        for account in accounts:
            self._stops.append(self._streams.hub.subscribe(account, self._hint))
        reader = self._streams.store.reader
        if told is None:
            self.places = {account: await head(reader, account) for account in accounts}
            return
        self.places = {account: told.get(account, ALL) for account in accounts}
        self._hint()

    def deaf(self) -> None:
        """Hear of nothing any more."""
        for stop in self._stops:
            stop()
        self._stops = []
        self.places = {}
        self._hinted = False

    def end(self, why: str) -> None:
        """Have it end; why, for people."""
        self.ended = self.ended or why
        self._wake()

    def close(self) -> None:
        """It is over."""
        self.deaf()
        self._streams.forget(self)

    def _hint(self) -> None:
        self._hinted = True
        self._wake()

    def due(self) -> float:
        """Seconds until it shall look; below 0: at once. Infinite where nothing happened."""
        if not self._hinted:
            return float("inf")
        return self._told_at + SETTLING - time.monotonic()

    async def news(self) -> News:
        """Look: what changed of what it is told of, which may be nothing. Store failures come through."""
        self._hinted = False
        found: News = {}
        try:
            for account, since in list(self.places.items()):
                now = await states(self._streams.store.reader, account, since)
                if now is None:
                    continue
                self.places[account] = now.modseq
                types = self.types if account == self.owner else self.types & OF_MAIL
                changed: dict[str, int | str] = {
                    name: one for name, one in now.changed.items() if name in types
                }
                if changed:
                    found[account] = changed
            await self._as_seen(found)
        except StoreError:
            # The hub looks again when the store is back, but not for what is known to it already.
            asyncio.get_running_loop().call_later(1.0, self._hint)
            raise
        if found:
            self._told_at = time.monotonic()
        return found

    async def _as_seen(self, found: News) -> None:
        """States of others' accounts as ``get`` gives them to who sees them; without those in which rights
        were taken away meanwhile."""
        store = self._streams.store
        for account in found.keys() - {self.owner}:
            try:
                access = await access_to(store, self.owner, account_text(account))
            except MethodError:
                del found[account]
                continue
            states_ = found[account]
            if not access.mailboxes:
                # He may look up mailboxes, and read in none.
                states_ = found[account] = {n: s for n, s in states_.items() if n == MAILBOX}
            for name in states_.keys() & {EMAIL, THREAD}:
                states_[name] = access.state(int(states_[name]))
            if MAILBOX in states_:
                names = await readers_lists.subscribed(store.reader, self.owner, account)
                states_[MAILBOX] = access.state(int(states_[MAILBOX]), boxes=True, subscribed=names)
            if not states_:
                del found[account]


class Streams:
    """See the module. ``run`` until cancelled."""

    def __init__(
        self, store: Store, hub: Hub, stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self.store = store
        self.hub = hub
        self._stopping = stopping
        self._open: set[Stream] = set()
        self._counts: Counter[int] = Counter()

    def check(self, owner: int) -> None:
        """Raises ``Refused`` where an account has as many as it may."""
        if self._counts[owner] >= PER_ACCOUNT:
            raise Refused(429, TOO_MANY, (("Retry-After", "60"),))

    def open(self, owner: int, may_go_on: MayGoOn, wake: Callable[[], None]) -> Stream:
        """A stream of an account's, to be closed. Raises ``Refused`` where it has too many."""
        self.check(owner)
        stream = Stream(self, owner, may_go_on, wake)
        self._counts[owner] += 1
        self._open.add(stream)
        return stream

    def forget(self, stream: Stream) -> None:
        """One was closed."""
        if stream in self._open:
            self._open.discard(stream)
            self._counts[stream.owner] -= 1
            if not self._counts[stream.owner]:
                del self._counts[stream.owner]

    async def run(self) -> None:
        """See the module."""
        while True:
            await asyncio.sleep(TICK)
            if self._stopping():
                for stream in list(self._open):
                    stream.end(STOPPING)
                continue
            await self.look()

    async def look(self, now: float | None = None) -> None:
        """End those that may not go on, of those that were not looked at lately."""
        now = time.monotonic() if now is None else now
        for stream in [one for one in self._open if now - one.looked_at >= LOOK_EVERY]:
            stream.looked_at = now
            try:
                why = await stream.may_go_on()
                if not why and SUBMISSION in stream.types:
                    await noted(self.store, stream.owner)
            except Refused as error:
                why = error.words
            except StoreError as error:
                log.warning("jmap_store_away", error=str(error))
                return
            except Exception:
                # A defect ends one stream, not the worker.
                log.exception("jmap_defect", method="stream")
                why = "This went wrong in the server"
            if why:
                stream.end(why)
            await asyncio.sleep(0)
