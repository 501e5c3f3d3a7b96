"""The messages of a mailbox in arrays, as its owner sees them, kept up to date by modseq.

Sequence numbers and positions are ranks, which SQL answers in O(n). So a worker keeps a mailbox's UIDs
(sorted), emails, flags and modseqs in arrays, about 20 octets a message, once for all who look at it: the
views (``view``) of the owner and of each reader share them. ``refresh`` reads what changed since the
arrays' modseq and tells the views; it never waits for their sessions. One array a column beats blocks:
taking 1,000 of 200,000 UIDs out costs one copy of 800 kB.

What readers have marked comes together with what changed, so that all views stand at one modseq.
"""

import asyncio
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Protocol
from weakref import WeakSet

from malleposte.store import marks
from malleposte.store.dialect import Reader, Row
from malleposte.store.flag_sets import FlagSet, FlagSets
from malleposte.store.ids import LOW, account_of
from malleposte.store.memory import give_back
from malleposte.store.onlooker import Flagged, Onlooker
from malleposte.store.view_rows import Columns, Rows

SLICE = 5_000
"""Rows a statement brings before other work of the loop runs: some 4 ms."""
LARGE = 50_000
"""Messages from which on building leaves so much memory behind that it is given back."""
MAX_SETS = 1_000
"""Flag sets kept though no message has them any more, besides two for every message there is."""
_MAILBOX = "SELECT uidvalidity, uidnext, message_modseq, recent_from FROM mailbox WHERE id = $1"
_HEAD = "SELECT modseq, tombstone_floor FROM account_head WHERE account = $1"


class Clock(Protocol):
    """Tells cheaply whether the database may have changed since an earlier look."""

    def moved(self) -> int | None:
        """A number that differs from the last one when something was committed; None: ask it."""
        ...


def _columns() -> tuple["array[int]", "array[int]", "array[int]", "array[int]"]:
    """Empty UIDs, email numbers, flag sets, modseqs."""
    return array("I"), array("I"), array("I"), array("q")


class Messages:
    """See the module."""

    def __init__(self, db: Reader, clock: Clock, mailbox: int) -> None:
        self.db = db
        self.mailbox = mailbox
        self.account = account_of(mailbox)
        self.uidvalidity = 0
        self.uidnext = 1
        self.modseq = 0
        """The account's modseq up to which all is complete."""
        self.highest = 0
        """The mailbox's HIGHESTMODSEQ at that time."""
        self.recent_from = 0
        """The first UID that no session was told of, as far as is known here: others may have been told
        since, without a modseq."""
        self.claiming = asyncio.Lock()
        """Held while a session claims what is recent."""
        self.gone = False
        self.uids, self.emails, self.sets, self.modseqs = _columns()
        self.flags = FlagSets({})
        self.views: WeakSet[Onlooker] = WeakSet()
        """Those that are told what changes."""
        self.lock = asyncio.Lock()
        """Held while the arrays are brought up to date."""
        self.rows = Rows(db, mailbox)
        self._clock = clock
        self._seen: int | None = None

    def __len__(self) -> int:
        return len(self.uids)

    def position(self, uid: int) -> int | None:
        """Where ``uid`` stands, from 0; None: not here."""
        at = bisect_left(self.uids, uid)
        return at if at < len(self.uids) and self.uids[at] == uid else None

    async def refresh(self) -> None:
        """Bring the arrays up to date with what is committed now."""
        moved = self._clock.moved()
        if moved is not None and moved == self._seen:
            return
        async with self.lock:
            moved = self._clock.moved()
            if moved is not None and moved == self._seen:
                return
            await self._refresh()
            self._seen = moved

    async def _refresh(self) -> None:
        if self.gone:
            return
        head = await self.db.row(_HEAD, self.account)
        if head is not None and head[0] == self.modseq:
            return
        row = await self.db.row(_MAILBOX, self.mailbox)
        if row is None or head is None or (self.uidvalidity and row[0] != self.uidvalidity):
            self.gone = True
            for view in list(self.views):
                view.messages_gone()
            return
        uidvalidity, uidnext, highest, recent_from = row
        self.recent_from = max(self.recent_from, recent_from)
        if not self.uidvalidity:
            await self._build()
            self.uidvalidity = uidvalidity
        elif highest > self.highest:
            if self.modseq < head[1]:
                # Tombstones this old are gone: compare everything.
                await self._rebuild()
            else:
                await self._advance()
        # Rows read after the head may be newer than it; they are read again next time.
        self.uidnext = max(uidnext, self.uids[-1] + 1) if self.uids else uidnext
        self.highest, self.modseq = highest, head[0]
        self._forget_sets()

    async def _load_keywords(self) -> None:
        rows = await self.db.rows(
            "SELECT name, shown FROM keyword WHERE account = $1", self.account
        )
        self.flags.shown = dict(rows)

    # What a command of this process has done ------------------------------------------------------
    #
    # A command that took the account from the arrays' modseq to the next one is all that has changed:
    # it need not be read back, which for a STORE on 20,000 messages takes longer than the STORE.

    async def stored(
        self, modseq: int, uids: "array[int]", words: set[str], change: Callable[[FlagSet], FlagSet]
    ) -> bool:
        """Take over what a STORE did, at ``modseq``, to the flags of some of these messages: ``change``,
        which may name the keywords ``words``. False: nothing was taken over, it is to be read."""
        async with self.lock:
            if not self._follows(modseq) or not words <= self.flags.shown.keys():
                return False
            places = self._places(uids)
            if any(self.modseqs[at] > self.modseq for at in places):
                return False  # read already, perhaps with what came later
            for start in range(0, len(places), SLICE):
                if start:
                    await asyncio.sleep(0)
                flagged = self._change(places[start : start + SLICE], modseq, change)
                self._tell([], flagged, False, words)
            self._reached(modseq)
        return True

    async def expunged(self, modseq: int, ranges: list[Row]) -> bool:
        """Take over that UIDs, ranges by their first, went at ``modseq``; as ``stored``."""
        async with self.lock:
            if not self._follows(modseq):
                return False
            self._tell(self._take_out(ranges), [], False, set())
            self._reached(modseq)
        return True

    def _follows(self, modseq: int) -> bool:
        return not self.gone and bool(self.uidvalidity) and modseq == self.modseq + 1

    def _reached(self, modseq: int) -> None:
        self.highest = self.modseq = modseq
        self._forget_sets()

    def _places(self, uids: "array[int]") -> Sequence[int]:
        first = bisect_left(self.uids, uids[0]) if uids else 0
        if self.uids[first : first + len(uids)] == uids:
            return range(first, first + len(uids))
        return [at for uid in uids if (at := self.position(uid)) is not None]

    def _change(
        self, places: Iterable[int], modseq: int, change: Callable[[FlagSet], FlagSet]
    ) -> Flagged:
        flags, sets, uids, modseqs = self.flags, self.sets, self.uids, self.modseqs
        flagged: Flagged = []
        after: dict[int, int] = {}
        for at in places:
            before = sets[at]
            number = after.get(before)
            if number is None:
                number = after[before] = flags.number(change(flags.sets[before]))
            if number != before:
                sets[at] = number
                modseqs[at] = modseq
                flagged.append((uids[at], flags.sets[before], flags.sets[number]))
        return flagged

    # Building -------------------------------------------------------------------------------------

    async def _build(self) -> None:
        await self._load_keywords()
        # What an attempt that failed half-way left.
        self.uids, self.emails, self.sets, self.modseqs = _columns()
        last = 0
        while True:
            found = await self.rows.after(last, SLICE)
            if found.uids:
                self._append(found)
                last = found.uids[-1]
            if len(found.uids) < SLICE:
                break
            await asyncio.sleep(0)
        if len(self.uids) >= LARGE:
            del found
            give_back(self.db)

    def _append(self, found: Columns) -> None:
        flags, bits = self.flags, found.bits
        plain = {both: flags.number((both >> 1, None, both & 1)) for both in set(bits)}
        sets = list(map(plain.__getitem__, bits))
        for uid, keywords in zip(found.worded, found.keywords, strict=True):
            at = bisect_left(found.uids, uid)
            sets[at] = flags.number((bits[at] >> 1, keywords, bits[at] & 1))
        self.uids.extend(found.uids)
        self.emails.extend(found.emails)
        self.sets.extend(sets)
        self.modseqs.extend(found.modseqs)

    def _extend(self, rows: list[Row]) -> None:
        uids, emails, flags, keywords, deleted, modseqs = zip(*rows, strict=True)
        self.uids.extend(uids)
        self.emails.extend([email & LOW for email in emails])
        self.modseqs.extend(modseqs)
        self.sets.extend(self.flags.numbers(zip(flags, keywords, deleted, strict=True)))

    def _forget_sets(self) -> None:
        """Forget the flag sets no message has any more, where they are many."""
        if len(self.flags) <= MAX_SETS + 2 * len(self.uids):
            return
        old = self.flags.sets
        self.flags = FlagSets(self.flags.shown)
        self.sets = array("I", self.flags.numbers([old[number] for number in self.sets]))

    async def _rebuild(self) -> None:
        fresh = Messages(self.db, self._clock, self.mailbox)
        await fresh._build()
        expunged = []
        for at, uid in enumerate(self.uids):
            if fresh.position(uid) is None:
                expunged.append((uid, self.emails[at]))
            if at % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        flagged: Flagged = []
        for at, uid in enumerate(fresh.uids):
            before = self.position(uid)
            if before is not None:
                old = self.flags.sets[self.sets[before]]
                now = fresh.flags.sets[fresh.sets[at]]
                if old != now:
                    flagged.append((uid, old, now))
            if at % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        first = bisect_right(fresh.uids, self.uids[-1]) if self.uids else 0
        base = self.account << 32
        await self._ask_readers(
            {base | fresh.emails[at]: fresh.uids[at] for at in range(first, len(fresh))}
        )
        self.uids, self.emails, self.sets = fresh.uids, fresh.emails, fresh.sets
        self.modseqs, self.flags = fresh.modseqs, fresh.flags
        self._tell(expunged, flagged, first < len(fresh), self.flags.words(set(self.sets)))

    # Bringing up to date --------------------------------------------------------------------------

    async def _advance(self) -> None:
        changed = await self.rows.changed(self.modseq, SLICE)
        gone = await self.rows.gone(self.modseq)
        words = {word for row in changed.values() if row[3] for word in row[3].split(" ")}
        if not words <= self.flags.shown.keys():
            await self._load_keywords()
        last = self.uids[-1] if self.uids else 0
        await self._ask_readers({row[1]: uid for uid, row in changed.items() if uid > last})
        await self._apply(list(changed.values()), gone, words)

    async def _ask_readers(self, new: dict[int, int]) -> None:
        """What readers have marked since; ``new``: UIDs by email of what comes into the mailbox now.

        Nothing waits between the last of it and what is done next, so that a command of a reader's is
        told as one change.
        """
        readers = {view.reader for view in self.views if view.reader}
        if not readers:
            return
        found = await marks.news(self.db, self.mailbox, readers, self.modseq, new)
        taken = 0
        for view in list(self.views):
            rows = found.get(view.reader, [])
            for start in range(0, len(rows), SLICE):
                part = rows[start : start + SLICE]
                taken += len(part)
                if taken > SLICE:
                    self._tell([], [], False, set())
                    await asyncio.sleep(0)
                    taken = len(part)
                view.marked(part)

    async def _apply(self, changed: list[Row], gone: list[Row], words: set[str]) -> None:
        """In slices; after each, the views know what the arrays hold."""
        expunged = self._take_out(gone) if gone else []
        dead = _Spans(gone)
        last = self.uids[-1] if self.uids else 0
        flagged: Flagged = []
        new: list[Row] = []
        for start in range(0, len(changed), SLICE):
            if start:
                self._tell(expunged, flagged, False, words)
                expunged, flagged = [], []
                await asyncio.sleep(0)
            for row in changed[start : start + SLICE]:
                uid = row[0]
                at = self.position(uid)
                if at is None:
                    if uid > last and uid not in dead:
                        new.append(row)
                    continue
                key = row[2], row[3], row[4]
                number = self.flags.number(key)
                before = self.sets[at]
                if before != number:
                    self.sets[at] = number
                    flagged.append((uid, self.flags.sets[before], key))
                self.modseqs[at] = row[5]
        new.sort()
        for start in range(0, len(new), SLICE):
            if start:
                self._tell(expunged, flagged, True, words)
                expunged, flagged = [], []
                await asyncio.sleep(0)
            self._extend(new[start : start + SLICE])
        self._tell(expunged, flagged, bool(new), words)

    def _take_out(self, ranges: list[Row]) -> list[tuple[int, int]]:
        """Remove UID ranges from the arrays; (uid, email number) of what was there."""
        cuts: list[tuple[int, int]] = []
        for first, last in ranges:
            low = bisect_left(self.uids, first)
            high = bisect_left(self.uids, last + 1)
            if high > low:
                if cuts and low <= cuts[-1][1]:
                    cuts[-1] = (cuts[-1][0], max(high, cuts[-1][1]))
                else:
                    cuts.append((low, high))
        removed = [
            (self.uids[at], self.emails[at]) for low, high in cuts for at in range(low, high)
        ]
        if not cuts:
            return removed
        for name in ("uids", "emails", "sets", "modseqs"):
            column: array[int] = getattr(self, name)
            kept = column[: cuts[0][0]]
            for n, (_, high) in enumerate(cuts):
                end = cuts[n + 1][0] if n + 1 < len(cuts) else len(column)
                kept += column[high:end]
            setattr(self, name, kept)
        return removed

    def _tell(
        self, expunged: list[tuple[int, int]], flagged: Flagged, grown: bool, words: set[str]
    ) -> None:
        for view in list(self.views):
            view.messages_changed(expunged, flagged, grown, words)


class _Spans:
    """UIDs in ranges sorted by their first, looked up in logarithmic time."""

    def __init__(self, ranges: list[Row]) -> None:
        self._firsts = [row[0] for row in ranges]
        self._lasts = list(accumulate((row[1] for row in ranges), max))

    def __contains__(self, uid: int) -> bool:
        at = bisect_right(self._firsts, uid)
        return at > 0 and uid <= self._lasts[at - 1]
