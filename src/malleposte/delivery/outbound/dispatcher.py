"""A worker's loop over the queue: takes what is due, hands it to destinations, has outcomes recorded.

Fairness: of each route a few recipients are taken at first, and more as it gets through them, so that
slow destinations do not fill the hand. Something that was queued here goes at once (``wake``); for
what others queued, and for what becomes due, there is a look each second.

A way that failed is closed in the queue. Before that all that is old enough there to be told of is
taken up without another try: warned about, or given up.
"""

import asyncio
import contextlib
import functools
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from typing import Protocol

import structlog

from malleposte.store import Store, StoreError, TemporaryFailure
from malleposte.store.commands import Closing, TakeQueued
from malleposte.store.read import emails, sending
from malleposte.store.results import Taken, TakenMessage, TakenRecipient

from .connection import Content, ContentUnreadable
from .destination import Destination
from .guests import BUSY, PUT_OFF, Guests
from .hand import Hand
from .office import Parcel
from .opening import Opener
from .outcome import Judge, Settled
from .pool import Slots
from .recorder import Recorder, Reporting, no_reports
from .resolver import Resolver
from .route import OPENLY, Way, Ways
from .settings import HERE, LEASE, OutboundSettings, Routing
from .tls import NoPolicies, Policies
from .words import Trouble, WayFailed

log = structlog.get_logger(__name__)

LOOK_EVERY = 1.0
AWAY = 5.0
"""Seconds until a store that does not answer is asked again."""
FLUSH = 10.0
"""Seconds at the end for what became of tries to be recorded."""
ROUTES = 50
"""Routes in one take."""
TOGETHER = 0.05
"""Seconds that ways are waited for, so that a message to several domains of the same servers goes once."""
KNOWN = 2_000
"""Destinations without mail of which it is remembered how many connections they take."""


CHOSEN = (HERE, "host:", f"{OPENLY}:")
"""Routes that ``Routing`` did not choose."""


class Answer(Protocol):
    """What our own server says about a recipient here."""

    @property
    def code(self) -> int: ...
    @property
    def enhanced(self) -> str: ...
    @property
    def text(self) -> str: ...


Local = Callable[[TakenMessage, TakenRecipient, Content], Awaitable[Answer]]
"""Files a message that waited for a recipient here; may raise what the store raises."""


class Dispatcher:
    """See the module. One for a worker; ``run`` until ``stop``. ``local`` files what waited for recipients
    here, ``told`` hears what is recorded; whoever makes them sets them.

    ``routing``: what is due and goes another way by now is given that route. ``clock``: seconds of the
    Unix epoch.
    """

    def __init__(
        self,
        store: Store,
        settings: OutboundSettings,
        resolver: Resolver,
        *,
        policies: Policies | None = None,
        reporting: Reporting = no_reports,
        routing: Routing | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.judge = Judge(settings.schedule, clock=clock)
        self._routing = routing
        self._policies = policies or NoPolicies()
        self.opener = Opener(settings, resolver, self._policies)
        self.slots = Slots(settings.concurrency.most)
        self._store = store
        self._ways = Ways(settings, resolver)
        self._recorder = Recorder(store, reporting, self._recorded)
        self._destinations: OrderedDict[Way, Destination] = OrderedDict()
        self._hand = Hand(settings.ahead, settings.in_hand)
        self._guests = Guests(self._hand)
        self.local: Local | None = None
        self.told: Callable[[Sequence[Settled]], None] | None = None
        self._filing: set[asyncio.Task[None]] = set()
        self._finding: set[asyncio.Task[Way | None]] = set()
        self._dead: dict[str, tuple[Trouble, int]] = {}
        self._woken = asyncio.Event()
        self._asked = True
        self._looked_at = 0.0
        self._stopping = False
        self._closed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._clock = clock

    @property
    def connections(self) -> int:
        """Lanes at work or waiting with a connection."""
        return sum(one.lanes for one in self._destinations.values())

    @property
    def in_hand(self) -> int:
        """Recipients that were taken and are not recorded yet."""
        return self._hand.held

    # The loop -------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Something was queued here: look now."""
        self._asked = True
        self._woken.set()

    async def run(self) -> None:
        """Run until ``stop``, or until cancelled: then what is under way is left to its lease."""
        recording = self._loop.create_task(self._recorder.run())
        try:
            while not self._stopping:
                try:
                    await self._look()
                except TemporaryFailure as error:
                    log.warning("the queue waits for the store", reason=str(error))
                    await self._wait(AWAY)
                except StoreError as error:
                    log.error("the queue cannot be read", reason=str(error))
                    await self._wait(AWAY)
                await self._wait(self._looked_at + LOOK_EVERY - self._loop.time())
            await self._closed.wait()
            with contextlib.suppress(TimeoutError):  # the store may be away; leases end
                async with asyncio.timeout(FLUSH):
                    await self._recorder.flushed()
        finally:
            tasks = [recording, *self._finding]
            for task in tasks:
                task.cancel()
            for destination in self._destinations.values():
                tasks += destination.abandon()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def stop(self, seconds: float = 30.0) -> None:
        """Take no more, give back what was not begun, and wait so long for what is under way."""
        self._stopping = True
        if self._finding:
            await asyncio.wait(set(self._finding), timeout=1.0)
        for task in self._finding:
            task.cancel()
        if self._filing:
            await asyncio.wait(self._filing, timeout=seconds)
        await asyncio.gather(*(one.close(seconds) for one in self._destinations.values()))
        with contextlib.suppress(TimeoutError):  # the store may be away
            async with asyncio.timeout(FLUSH):
                await self._policies.close()
        self._close(list(self._dead))
        self._closed.set()
        self._woken.set()

    async def _wait(self, seconds: float) -> None:
        """Until something is to be done, so long at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        self._woken.clear()

    async def _look(self) -> None:
        """Take what is due: more of what is got through quickly, and now and then of what is new."""
        for each, routes in self._hand.hungry(self._loop.time()):
            await self._take(each, len(routes), only=routes)
        if not self._asked and self._loop.time() < self._looked_at + LOOK_EVERY:
            return
        self._asked = False
        self._looked_at = self._loop.time()
        few = self._hand.few
        while not self._stopping and (room := self._hand.room // few) > 0:
            if not await sending.any_due(self._store.reader):
                return
            most = min(ROUTES, room)
            if await self._take(few, most, skip=self._hand.enough) < most:
                return

    async def _take(
        self, each: int, routes: int, *, skip: tuple[str, ...] = (), only: tuple[str, ...] = ()
    ) -> int:
        """Of how many routes something was there."""
        until = self._loop.time() + LEASE
        answer = await self._store.submit(
            TakeQueued(routes=routes, each=each, seconds=LEASE, skip=skip, only=only)
        )
        assert isinstance(answer, Taken)
        by_route: dict[str, list[Parcel]] = {}
        counts: dict[str, int] = {}
        moved: list[Settled] = []
        for message in answer.messages:
            mine: dict[str, list[TakenRecipient]] = {}
            for recipient in message.recipients:
                counts[recipient.route] = counts.get(recipient.route, 0) + 1
                if route := self._other_route(message, recipient):
                    moved.append(self.judge.given_back(message, recipient, route))
                else:
                    mine.setdefault(recipient.route, []).append(recipient)
            for route, recipients in mine.items():
                parcel = Parcel(message, tuple(recipients), until)
                by_route.setdefault(route, []).append(parcel)
        self._hand.taken(counts, each, self._loop.time(), asked=only)
        if moved:
            self._recorder.add(moved)
        self._close([route for route in only if route not in counts])
        for route in self._guests.too_many(by_route):
            back = [
                self.judge.given_back(parcel.message, one)
                for parcel in by_route.pop(route)
                for one in parcel.recipients
            ]
            later = int(self._clock()) + PUT_OFF
            self._recorder.add(back, [Closing(route=route, until=later, said=BUSY)])
        await self._hand_out(by_route)
        return len(counts)

    def _other_route(self, message: TakenMessage, recipient: TakenRecipient) -> str:
        """The route that a recipient would be given today, '' where it has it, or was given one on
        purpose."""
        if self._routing is None or recipient.route.startswith(CHOSEN):
            return ""
        route = self._routing.route_of(recipient.address, message.sender)
        return route if route != recipient.route else ""

    # To destinations ------------------------------------------------------------------------------

    async def _hand_out(self, by_route: dict[str, list[Parcel]]) -> None:
        """Find ways, and hand over by them; one that takes its time holds nobody else up."""
        tasks: dict[asyncio.Task[Way | None], list[Parcel]] = {}
        for route, parcels in by_route.items():
            if route == HERE:
                filing = self._loop.create_task(self._file(parcels))
                self._filing.add(filing)
                filing.add_done_callback(self._filing.discard)
                continue
            dead = self._dead.get(route)
            if dead is not None and dead[1] > self._clock():
                self.way_failed(dead[0], (), parcels, new=True)
            else:
                tasks[self._loop.create_task(self._find(route, parcels))] = parcels
        if not tasks:
            return
        self._finding.update(tasks)
        done, late = await asyncio.wait(tasks, timeout=TOGETHER)
        by_way: dict[Way, list[Parcel]] = {}
        for task in done:
            self._finding.discard(task)
            if (way := task.result()) is not None:
                by_way.setdefault(way, []).extend(tasks[task])
        for way, parcels in by_way.items():
            self._to(way, _merged(parcels))
        for task in late:
            task.add_done_callback(functools.partial(self._found, tasks[task]))

    async def _file(self, parcels: list[Parcel]) -> None:
        """File what waited for recipients here, one after the other."""
        for parcel in parcels:
            for one in parcel.recipients:
                self._recorder.add([await self._filed(parcel.message, one)])

    async def _filed(self, message: TakenMessage, recipient: TakenRecipient) -> Settled:
        judge = self.judge
        if self._stopping or self.local is None:
            return judge.given_back(message, recipient)
        try:
            answer = await self.local(message, recipient, self.content(message))
        except (StoreError, OSError, ContentUnreadable) as error:
            return judge.troubled(message, recipient, Trouble("4.3.0", f"not filed here: {error}"))
        except Exception as error:
            log.exception("a message that waited could not be filed", message=message.id)
            words = f"a defect of this server stopped it ({type(error).__name__})"
            return judge.troubled(message, recipient, Trouble("4.3.0", words))
        return judge.filed(message, recipient, answer.code, answer.enhanced, answer.text)

    def _found(self, parcels: list[Parcel], task: "asyncio.Task[Way | None]") -> None:
        self._finding.discard(task)
        if not task.cancelled() and (way := task.result()) is not None:
            self._to(way, parcels)

    async def _find(self, route: str, parcels: list[Parcel]) -> Way | None:
        """The way of a route, None where that is told already."""
        try:
            direct = not route.startswith(("relay:", "[", f"{OPENLY}:"))
            group = await self._policies.group(route) if direct else ""
            return await self._ways.of(route, group)
        except WayFailed as failure:
            self.way_failed(failure.trouble, parcels, (), new=True)
        except Exception as error:
            log.exception("a route could not be followed", route=route)
            words = f"a defect of this server stopped it ({type(error).__name__})"
            self.way_failed(Trouble("4.3.0", words), parcels, (), new=True)
        return None

    def _to(self, way: Way, parcels: Iterable[Parcel]) -> None:
        destination = self._destinations.get(way)
        if destination is None:
            destination = self._destinations[way] = Destination(way, self)
            destination.closing = self._stopping
        self._destinations.move_to_end(way)
        destination.add([part for one in parcels for part in self._cut(one)])
        if len(self._destinations) > KNOWN:
            for known, one in list(self._destinations.items())[: KNOWN // 10]:
                if one.unused:
                    del self._destinations[known]

    def _cut(self, parcel: Parcel) -> Iterable[Parcel]:
        most = self.settings.recipients
        if len(parcel.recipients) <= most:
            return (parcel,)
        return [
            Parcel(parcel.message, parcel.recipients[at : at + most], parcel.until)
            for at in range(0, len(parcel.recipients), most)
        ]

    # What destinations ask for (see ``Office``) ----------------------------------------------------

    def content(self, message: TakenMessage) -> Content:
        """The content of a message, read when it is wanted."""

        async def pieces() -> AsyncGenerator[bytes, None]:
            store = self._store
            try:
                stored = await sending.content_of(store.reader, message)
                async for piece in emails.read(store.reader, store.blobs, stored, 0, stored.size):
                    yield piece
            except (emails.Damaged, StoreError) as error:
                raise ContentUnreadable(str(error)) from error

        return pieces

    async def ready(self) -> None:
        """Wait until the store takes what is recorded."""
        await self._recorder.ready()

    def settle(self, settled: Sequence[Settled], works: Sequence[TakenRecipient] = ()) -> None:
        """Have outcomes recorded; the routes of ``works`` are open again."""
        self._recorder.add(settled, (Closing(route=one.route) for one in works))

    def lapse(self, parcel: Parcel) -> None:
        """A parcel is left to its lease."""
        for recipient in parcel.recipients:
            self._hand.done(recipient.route)

    def way_failed(
        self, trouble: Trouble, tried: Sequence[Parcel], waiting: Sequence[Parcel], *, new: bool
    ) -> None:
        """Nothing goes by the ways of these parcels: they are told, and their routes closed."""
        judge = self.judge
        settled: list[Settled] = []
        routes: dict[str, int] = {}
        aged: set[str] = set()
        for parcels, known in ((tried, True), (waiting, trouble.permanent)):
            for parcel in parcels:
                for one in parcel.recipients:
                    routes[one.route] = max(routes.get(one.route, 0), one.failures)
                    old = judge.aged(parcel.message, one)
                    if old:
                        aged.add(one.route)
                    if known or old:
                        settled.append(judge.troubled(parcel.message, one, trouble, way=True))
                    else:
                        settled.append(judge.given_back(parcel.message, one))
        closings = []
        if new and not trouble.permanent:
            for route, failures in routes.items():
                _, until = self._dead.pop(route, (trouble, judge.closed_until(failures)))
                if route in aged and self._hand.has_more(route):
                    self._dead[route] = (trouble, until)  # there may be more to be told of
                else:
                    closings.append(Closing(route=route, until=until, said=trouble.words))
        self._recorder.add(settled, closings)

    def _close(self, routes: Iterable[str]) -> None:
        """Close those of the routes whose way has failed: there is no more to be told of."""
        for route in routes:
            dead = self._dead.pop(route, None)
            if dead is not None:
                closing = Closing(route=route, until=dead[1], said=dead[0].words)
                self._recorder.add((), [closing])

    def _recorded(self, settled: Sequence[Settled]) -> None:
        for one in settled:
            self._hand.done(one.recipient.route)
        self._guests.heard(settled)
        if self.told is not None:
            self.told(settled)
        if self._hand.hungry_soon:
            self._woken.set()


def _merged(parcels: Iterable[Parcel]) -> list[Parcel]:
    """Recipients of one message together."""
    found: dict[int, Parcel] = {}
    for parcel in parcels:
        first = found.get(parcel.message.id)
        if first is None:
            found[parcel.message.id] = parcel
        else:
            first.recipients += parcel.recipients
    return list(found.values())
