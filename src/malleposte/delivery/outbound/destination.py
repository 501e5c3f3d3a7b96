"""One destination: the servers of a way, the mail that waits for them, and the lanes that carry it.

How many lanes there are is ``Limit``'s affair (this destination) and ``Slots``' (everybody). A way that
works for some lanes and not for one more is full, not broken; a way that works for none has failed, and
all that waits for it is told so together.

Invariant: a parcel is in line or with one lane, never both; it ends by being settled, or is left to its
lease.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import structlog

from .lane import Lane
from .office import Office, Parcel, is_ours
from .pool import Limit
from .resolver import IpAddress
from .route import Way
from .settings import TRANSACTION
from .words import Trouble

log = structlog.get_logger(__name__)

STRIKES = 3
"""New connections in a row that break before a message was taken: the way itself does not work then."""
SHUNNED = 600.0
"""Seconds for which an address that broke off is tried last."""
LATELY = 86_400.0
"""Seconds for which a destination that took a message is known."""
TURN_MESSAGES, TURN_SECONDS = 20, 30.0
"""How long the last lane of a destination goes on while others wait for a connection at all."""


class Destination:
    """See the module."""

    def __init__(self, way: Way, office: Office) -> None:
        self.way = way
        self.office = office
        self.connected = 0
        """Lanes with a connection."""
        self.opening = 0
        """Lanes that are about to have one."""
        self.closing = False
        self._loop = asyncio.get_running_loop()
        self._line: deque[Parcel] = deque()
        self._lanes: set[asyncio.Task[None]] = set()
        self._guests: set[asyncio.Task[None]] = set()
        """Those of them that were begun as a guest's (``Slots``)."""
        self._took_at = -LATELY
        self._ours = False
        """Whether somebody here wrote something of what waits, or waited lately."""
        self._idle: deque[asyncio.Future[bool]] = deque()
        self._limit = Limit(office.settings.concurrency)
        self._strikes = 0
        self._failed_at = -1.0
        self._shunned: dict[IpAddress, float] = {}

    @property
    def lanes(self) -> int:
        """Lanes at work or waiting with a connection."""
        return len(self._lanes)

    @property
    def unused(self) -> bool:
        """Whether nothing is done here."""
        return not self._lanes and not self._line

    def add(self, parcels: Sequence[Parcel]) -> None:
        """Take parcels over."""
        if self.closing:
            self._give_back(parcels)
            return
        if self.unused:
            self._ours = False
        self._ours = self._ours or any(is_ours(p.message) for p in parcels)
        if not self._lanes and any(r.failures for p in parcels for r in p.recipients):
            self._limit.probe()
        self._line += parcels
        self._serve()

    def again(self, parcel: Parcel) -> None:
        """A parcel goes on before all others."""
        if self.closing:
            self._give_back([parcel])
            return
        self._line.appendleft(parcel)
        self._serve()

    def _serve(self) -> None:
        """Have as many lanes as the line needs and may have."""
        needed = len(self._line)
        while needed and self._idle:
            future = self._idle.popleft()
            if not future.done():
                future.set_result(True)
                needed -= 1
        while needed and not self.closing and len(self._lanes) < self._limit.now:
            guest = not self._ours and self._loop.time() - self._took_at > LATELY
            have = len(self._lanes)
            if not self.office.slots.take(self, self._slot_free, have=have, guest=guest):
                return
            needed -= 1
            lane = self._loop.create_task(Lane(self).run())
            self._lanes.add(lane)
            if guest:
                self._guests.add(lane)
            lane.add_done_callback(self._ended)

    def _slot_free(self) -> None:
        self._serve()
        self.office.slots.pass_on()

    def _ended(self, lane: asyncio.Task[None]) -> None:
        self._lanes.discard(lane)
        self.office.slots.give(guest=lane in self._guests)
        self._guests.discard(lane)
        if not lane.cancelled() and (error := lane.exception()) is not None:
            log.error("a lane failed", server=self.way.name, exc_info=error)
        if self._line:
            self._loop.call_soon(self._serve)  # after who waits for a slot

    async def close(self, seconds: float) -> None:
        """End: what is in line is given back, what is under way has some time."""
        self.closing = True
        self.office.slots.forget(self)
        self._give_back(self._emptied())
        for future in self._idle:
            if not future.done():
                future.set_result(True)
        if self._lanes:
            _, late = await asyncio.wait(set(self._lanes), timeout=seconds)
            for lane in late:
                lane.cancel()
            if late:
                await asyncio.wait(late)

    def _give_back(self, parcels: Sequence[Parcel]) -> None:
        judge = self.office.judge
        self.office.settle([judge.given_back(p.message, r) for p in parcels for r in p.recipients])

    def abandon(self) -> Sequence[asyncio.Task[None]]:
        """End at once; everything is left to its lease. What is to be awaited."""
        self.closing = True
        self._line.clear()
        lanes = list(self._lanes)
        for lane in lanes:
            lane.cancel()
        return lanes

    def _emptied(self) -> list[Parcel]:
        waiting = list(self._line)
        self._line.clear()
        return waiting

    # For lanes ------------------------------------------------------------------------------------

    def ends(self, messages: int, since: float) -> bool:
        """Whether a lane is to end now. ``messages``: what it carried since then."""
        if self.closing or len(self._lanes) > self._limit.now:
            return True
        if not messages or not self.office.slots.wanted:
            return False
        others = len(self._lanes) > 1
        long = messages >= TURN_MESSAGES or self._loop.time() - since > TURN_SECONDS
        return (others or long or not self._line) and self.office.slots.yields()

    def next(self) -> Parcel | None:
        """The next parcel for a lane, None where there is none."""
        while self._line:
            parcel = self._line.popleft()
            if parcel.until - self._loop.time() >= TRANSACTION:
                return parcel
            self.office.lapse(parcel)  # too late for this lease
        return None

    async def idle(self) -> bool:
        """Wait for something with a connection in hand; False: it is to be ended."""
        slots = self.office.slots
        future = self._loop.create_future()
        self._idle.append(future)
        slots.idle(future)
        try:
            async with asyncio.timeout(self.office.settings.concurrency.idle):
                found = await future
        except TimeoutError:
            return False
        finally:
            slots.busy(future)
            if future in self._idle:
                self._idle.remove(future)
        return found and bool(self._line) and not self.closing

    def is_shunned(self, address: IpAddress) -> bool:
        """Whether an address broke off lately."""
        until = self._shunned.get(address)
        if until is None:
            return False
        if until < self._loop.time():
            del self._shunned[address]
            return False
        return True

    def shun(self, address: IpAddress) -> None:
        """An address broke off: others first."""
        self._shunned[address] = self._loop.time() + SHUNNED

    def worked(self, *, taken: bool) -> None:
        """A message was dealt with; ``taken``: for one of its recipients at least."""
        if taken:
            self._took_at = self._loop.time()
            self.office.slots.known(len(self._guests))
            self._guests.clear()
        self._strikes = 0
        self._limit.worked()
        if self._line:
            self._serve()

    def broke(self, trouble: Trouble, since: float, *, fresh: bool) -> None:
        """A session broke off; ``fresh``: before anything was taken over it. ``since``: when it began."""
        self._limit.failed()
        self._strikes += fresh
        if self._strikes >= STRIKES:
            self._strikes = 0
            self._failed(trouble, [], since)

    def unreached(self, trouble: Trouble, parcel: Parcel, since: float) -> None:
        """A connection was not to be had, tried since then."""
        others = self.connected + self.opening
        if others and not trouble.permanent:
            # It works for the others, or may: so many at a time then, and no more.
            self._limit.at_most(others, self._loop.time())
            self.again(parcel)
            return
        self._limit.failed()
        self._failed(trouble, [parcel], since)

    def _failed(self, trouble: Trouble, tried: Sequence[Parcel], since: float) -> None:
        # Lanes that set out before the first of them failed bring no news.
        new, self._failed_at = since > self._failed_at, self._loop.time()
        self.office.way_failed(trouble, tried, self._emptied(), new=new)
