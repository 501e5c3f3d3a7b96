"""When the disk of the store runs short: what can go goes at once, without waiting for its time.

It begins where less is free than twice the reserve, while mail still comes in. First what nobody uses.
Then recoverable mail, of the account that has most of it first and of that the oldest, until there is room
or each has no more than its fair share; of the rest of it only while mail is put off for want of room. A
hold keeps what it keeps. On SQLite, where all of the store is on that disk: PostgreSQL's is not seen here.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from malleposte.runtime.upkeep import LOOKED
from malleposte.store import Store, StoreError
from malleposte.store.commands import PurgeOldest, Shrink, SweepBlobs
from malleposte.store.content import unlink
from malleposte.store.reserve import Reserve
from malleposte.store.results import Done, Swept

log = structlog.get_logger("shortage")

LOOK_EVERY = 0.2
"""Seconds between looks at the disk: whoever fills it writes some 100 MB in a second."""
PAUSE = 0.02
"""Seconds between two commands, so that mail passes between."""
SWEEP_EVERY = 60.0
"""Seconds after which all content is looked at anew for what nobody uses."""
GIVE_UP = 5.0
"""Seconds to the next look where nothing is left that may go, or the store cannot do it."""
TELL_EVERY = 600.0
"""Seconds after which the log says again how things stand."""
SHARE = 10
"""The reserve by this is the fair share: recoverable mail an account keeps while mail still comes in."""
SLICE = 1_000_000
"""Octets that go at once at least."""

_MOST = (
    "SELECT account, recoverable_bytes FROM account_head h WHERE recoverable_bytes > $1"
    " AND NOT EXISTS (SELECT 1 FROM hold o WHERE o.account = h.account AND o.released_at IS NULL)"
    " ORDER BY recoverable_bytes DESC LIMIT 1"
)


@dataclass(slots=True)
class Told:
    """Who is told: whether it is ``short`` now; how many emails were ``purged``, contents ``swept``."""

    short: Callable[[bool], object] = lambda short: None
    purged: Callable[[int], object] = lambda count: None
    swept: Callable[[int], object] = lambda count: None


class Shortage:
    """See the module. One in a node; a second one would do no harm."""

    def __init__(self, store: Store, reserve: Reserve, told: Told | None = None) -> None:
        self._store = store
        self._reserve = reserve
        self._told = told or Told()
        self._said: dict[str, float] = {}
        self._swept_at = float("-inf")
        self._page = 0

    async def run(self) -> None:
        """Look until cancelled."""
        pause = LOOK_EVERY
        while True:
            await asyncio.sleep(pause)
            pause = LOOK_EVERY
            try:
                if not self.near:
                    self._told.short(False)
                elif not await self.relieve():
                    pause = GIVE_UP
            except (StoreError, OSError) as error:
                self._say("the disk is short, and nothing can be removed", reason=str(error))
                pause = GIVE_UP

    @property
    def near(self) -> bool:
        """Whether less is free than twice the reserve."""
        return self._reserve.room() < self._reserve.octets

    async def relieve(self) -> bool:
        """Make room; whether there is some now, or else nothing is left that may go."""
        self._told.short(True)
        self._say("the disk runs short: what can go before its time does", free=self._free())
        # Some more than is asked for, so that it does not begin anew at once.
        enough = self._reserve.octets * 5 // 4
        messages = contents = 0
        after = 0 if time.monotonic() - self._swept_at >= SWEEP_EVERY else -1
        while (room := self._reserve.room()) < enough:
            lacking = enough - room - await self._shrink()
            sweeping = after >= 0
            if lacking > 0 and sweeping:
                count, after = await self._sweep(after)
                contents += count
            if lacking > 0 and (not sweeping or room < 0):
                count = await self._purge(lacking, touched=room < 0)
                messages += count
                if not count and not sweeping:
                    self._say(
                        "the disk runs short and nothing is left that may go: make room or enlarge it",
                        free=self._free(),
                    )
                    return False
            await asyncio.sleep(PAUSE)
        self._say("the disk has room again", messages=messages, contents=contents)
        return True

    async def _sweep(self, after: int) -> tuple[int, int]:
        """Remove what nobody uses of the next contents; how many, and where to go on (-1: that was all)."""
        swept = await self._store.submit(SweepBlobs(idle=0, after=after, limit=LOOKED))
        if not isinstance(swept, Swept):
            return 0, -1
        await asyncio.to_thread(unlink, self._store.blobs, swept.files)
        self._told.swept(swept.count)
        if swept.more:
            return swept.count, swept.after
        self._swept_at = time.monotonic()
        return swept.count, -1

    async def _purge(self, lacking: int, *, touched: bool) -> int:
        """Remove the oldest emails of the account that has most octets of them; how many. ``touched``: the
        reserve is, so that nobody keeps a share."""
        share = 0 if touched else self._reserve.octets // SHARE
        row = await self._store.reader.row(_MOST, share)
        if row is None:
            return 0
        account, octets = row
        keep = max(share, octets - max(lacking, SLICE))
        swept = await self._store.submit(PurgeOldest(account=account, keep=keep))
        if not isinstance(swept, Swept):
            return 0
        await asyncio.to_thread(unlink, self._store.blobs, swept.files)
        self._told.purged(swept.count)
        return swept.count

    async def _shrink(self) -> int:
        """Give some of the file's free pages back; octets of all there were, which come back yet."""
        free = await self._pragma("freelist_count")
        if not free:
            return 0
        self._page = self._page or await self._pragma("page_size")
        done = await self._store.submit(Shrink())
        return free * self._page if isinstance(done, Done) and done.count else 0

    async def _pragma(self, name: str) -> int:
        row = await self._store.reader.row(f"PRAGMA {name}")
        return int(row[0]) if row else 0

    def _free(self) -> int:
        return self._reserve.room() + self._reserve.octets

    def _say(self, words: str, **facts: object) -> None:
        """Say it in the log, but not again and again."""
        now = time.monotonic()
        if now - self._said.get(words, float("-inf")) >= TELL_EVERY:
            self._said[words] = now
            log.warning(words, reserve=self._reserve.octets, **facts)
