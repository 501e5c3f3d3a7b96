"""A worker's view of a mailbox: what IMAP counts, in arrays, kept up to date by modseq.

Sequence numbers and positions are ranks, which SQL answers in O(n). A view holds a mailbox's UIDs
(sorted), emails, flags and modseqs in arrays, about 20 octets a message, shared by all sessions of the
worker that have it selected. ``refresh`` reads what changed since the view's modseq and tells the
sessions (``Watcher``); it never waits for them. One array a column beats blocks: taking 1,000 of
200,000 UIDs out costs one copy of 800 kB.

A view is brought up to date before every command that reads it (design, §3); hints only wake sleepers.

Another's mailbox is seen through a view of the reader's own: ``\\Seen`` is each reader's (``reader_seen``
has rows where it differs from the owner's), and MODSEQ the later one of the message's and that row's. It
also knows the reader's rights, as of its last refresh.
"""

import asyncio
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol

from malleposte.store.dialect import Reader, Row
from malleposte.store.flags import WIRE
from malleposte.store.ids import LOW, account_of
from malleposte.store.memory import give_back
from malleposte.store.read.rights import ALL, letters
from malleposte.store.view_rows import Rows

SLICE = 5_000
"""Rows a statement brings before other work of the loop runs: some 4 ms."""
LARGE = 50_000
"""Messages from which on a view's building leaves so much memory behind that it is given back."""
MAX_SETS = 1_000
"""Flag sets kept though no message has them any more, besides two for every message there is."""
_MAILBOX = "SELECT uidvalidity, uidnext, message_modseq, recent_from FROM mailbox WHERE id = $1"
_HEAD = "SELECT modseq, tombstone_floor FROM account_head WHERE account = $1"

FlagSet = tuple[int, str | None, int]
"""Flag bits, other keywords, ``\\Deleted``."""


class Watcher(Protocol):
    """A session that has a view selected."""

    def view_changed(
        self, expunged: list[tuple[int, int]], flagged: list[int], grown: bool
    ) -> None:
        """UIDs and email numbers gone, UIDs whose flags changed, whether new messages came."""
        ...

    def view_gone(self) -> None:
        """The mailbox was deleted, or its UIDVALIDITY changed."""
        ...


class Clock(Protocol):
    """Tells cheaply whether the database may have changed since an earlier look."""

    def moved(self) -> int | None:
        """A number that differs from the last one when something was committed; None: ask it."""
        ...


def _columns() -> tuple["array[int]", "array[int]", "array[int]", "array[int]"]:
    """Empty UIDs, email numbers, flag sets, modseqs."""
    return array("I"), array("I"), array("I"), array("q")


class View:
    """See the module."""

    def __init__(self, db: Reader, clock: Clock, mailbox: int, reader: int = 0) -> None:
        self.mailbox = mailbox
        self.reader = reader
        """The account that looks; 0: the owner."""
        self.letters = "" if reader else ALL
        """The reader's rights when the view was last brought up to date: whoever acts by rights looks
        here after ``refresh``. '' too where the mailbox is gone."""
        self.account = account_of(mailbox)
        self.uidvalidity = 0
        self.uidnext = 1
        self.modseq = 0
        """The account's modseq up to which the view is complete."""
        self.highest = 0
        """The mailbox's HIGHESTMODSEQ at that time."""
        self.recent_from = 0
        """The first UID that no session was told of, as far as is known here: others may have been told
        since, without a modseq."""
        self.claiming = asyncio.Lock()
        """Held while a session claims what is recent."""
        self.gone = False
        self.uids, self.emails, self.sets, self.modseqs = _columns()
        self.flagsets: list[FlagSet] = []
        self._index: dict[FlagSet, int] = {}
        self._wire: list[bytes] = []
        self.shown: dict[str, str] = {}
        """Keywords of the account, as they were first written; of another's only those that this reader
        met in the mailbox: names of flags tell of mail."""
        self._names: dict[str, str] = {}
        self.watchers: set[Watcher] = set()
        self._db = db
        self._rows = Rows(db, mailbox, reader)
        self._clock = clock
        self._seen: int | None = None
        self._lock = asyncio.Lock()

    def __len__(self) -> int:
        return len(self.uids)

    def rank(self, uid: int) -> int:
        """How many UIDs are smaller than ``uid``."""
        return bisect_left(self.uids, uid)

    def position(self, uid: int) -> int | None:
        """Where ``uid`` stands, from 0; None: not here."""
        at = bisect_left(self.uids, uid)
        return at if at < len(self.uids) and self.uids[at] == uid else None

    def flags_at(self, position: int) -> FlagSet:
        """The flags of the message at a position."""
        return self.flagsets[self.sets[position]]

    def wire_flags(self, index: int) -> bytes:
        """The flags of a flag set as IMAP writes them, without parentheses."""
        return self._wire[index]

    async def flags_of(self, numbers: Sequence[int]) -> list[Row]:
        """Rows (email number, flags, keywords, modseq) of emails, as the reader sees them, that are in the
        mailbox no more: a session may still show what was expunged. Those gone for good are left out."""
        return await self._rows.of(numbers)

    # Building and bringing up to date ---------------------------------------------------------

    async def refresh(self) -> None:
        """Bring the view up to date with what is committed now."""
        moved = self._clock.moved()
        if moved is not None and moved == self._seen:
            return
        async with self._lock:
            moved = self._clock.moved()
            if moved is not None and moved == self._seen:
                return
            await self._refresh()
            self._seen = moved

    async def _refresh(self) -> None:
        if self.gone:
            return
        head = await self._db.row(_HEAD, self.account)
        if head is not None and head[0] == self.modseq:
            return
        row = await self._db.row(_MAILBOX, self.mailbox)
        if self.reader:
            self.letters = await letters(self._db, self.reader, self.mailbox)
        if row is None or head is None or (self.uidvalidity and row[0] != self.uidvalidity):
            self.gone = True
            for watcher in list(self.watchers):
                watcher.view_gone()
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
        if self.reader:
            self._names = {}  # read again where a new one is met
        if len(self.flagsets) > MAX_SETS + 2 * len(self.uids):
            self._reintern()

    async def _load(self) -> None:
        rows = await self._db.rows(
            "SELECT name, shown FROM keyword WHERE account = $1", self.account
        )
        self._names = dict(rows)
        if not self.reader:
            self.shown = self._names

    async def _build(self) -> None:
        await self._load()
        # What an attempt that failed half-way left.
        self.uids, self.emails, self.sets, self.modseqs = _columns()
        last = 0
        while True:
            rows = await self._rows.after(last, SLICE)
            if rows:
                self._extend(rows)
                last = rows[-1][0]
            if len(rows) < SLICE:
                break
            await asyncio.sleep(0)
        if len(self.uids) >= LARGE:
            rows.clear()
            give_back(self._db)

    def _extend(self, rows: list[Row]) -> None:
        uids, emails, flags, keywords, deleted, modseqs = zip(*rows, strict=True)
        self.uids.extend(uids)
        self.emails.extend([email & LOW for email in emails])
        self.modseqs.extend(modseqs)
        known = self._index
        self.sets.extend(
            [
                known[key] if key in known else self._intern(key)
                for key in zip(flags, keywords, deleted, strict=True)
            ]
        )

    def _intern(self, key: FlagSet) -> int:
        index = self._index.get(key)
        if index is None:
            index = len(self.flagsets)
            self._index[key] = index
            if self.reader and key[1]:
                for word in key[1].split(" "):
                    self.shown.setdefault(word, self._names.get(word, word))
            self.flagsets.append(key)
            self._wire.append(self._render(key))
        return index

    def _reintern(self) -> None:
        """Forget the flag sets no message has any more."""
        old = self.flagsets
        used = [old[index] for index in self.sets]
        self.flagsets, self._index, self._wire = [], {}, []
        self.sets = array("I", [self._intern(key) for key in used])

    def _render(self, key: FlagSet) -> bytes:
        flags, keywords, deleted = key
        words = [name for bit, name in WIRE if flags & bit]
        if deleted:
            words.append(b"\\Deleted")
        if keywords:
            words.extend(
                self.shown.get(word, word).encode("ascii", "replace")
                for word in keywords.split(" ")
            )
        return b" ".join(words)

    async def _rebuild(self) -> None:
        fresh = View(self._db, self._clock, self.mailbox, self.reader)
        await fresh._build()
        expunged = []
        for at, uid in enumerate(self.uids):
            if fresh.position(uid) is None:
                expunged.append((uid, self.emails[at]))
            if at % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        flagged = []
        for at, uid in enumerate(fresh.uids):
            before = self.position(uid)
            if before is not None and self.flags_at(before) != fresh.flags_at(at):
                flagged.append(uid)
            if at % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        grown = bool(fresh.uids) and (not self.uids or fresh.uids[-1] > self.uids[-1])
        self.uids, self.emails, self.sets = fresh.uids, fresh.emails, fresh.sets
        self.modseqs, self.flagsets, self.shown = fresh.modseqs, fresh.flagsets, fresh.shown
        self._index, self._wire = fresh._index, fresh._wire
        self._tell(expunged, flagged, grown)

    async def _advance(self) -> None:
        changed = await self._rows.changed(self.modseq, SLICE)
        gone = await self._rows.gone(self.modseq)
        if any(
            word not in self.shown
            for row in changed.values()
            if row[3]
            for word in row[3].split(" ")
        ):
            await self._load()
        await self._apply(list(changed.values()), gone)

    async def _apply(self, changed: list[Row], gone: list[Row]) -> None:
        """In slices; after each, the watchers know what the arrays hold."""
        expunged = self._take_out(gone) if gone else []
        dead = _Spans(gone)
        last = self.uids[-1] if self.uids else 0
        flagged: list[int] = []
        new: list[Row] = []
        for start in range(0, len(changed), SLICE):
            if start:
                self._tell(expunged, flagged, False)
                expunged, flagged = [], []
                await asyncio.sleep(0)
            for row in changed[start : start + SLICE]:
                uid = row[0]
                at = self.position(uid)
                if at is None:
                    if uid > last and uid not in dead:
                        new.append(row)
                    continue
                index = self._intern((row[2], row[3], row[4]))
                if self.sets[at] != index:
                    self.sets[at] = index
                    flagged.append(uid)
                self.modseqs[at] = row[5]
        new.sort()
        for start in range(0, len(new), SLICE):
            if start:
                self._tell(expunged, flagged, True)
                expunged, flagged = [], []
                await asyncio.sleep(0)
            self._extend(new[start : start + SLICE])
        if expunged or flagged or new:
            self._tell(expunged, flagged, bool(new))

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

    def _tell(self, expunged: list[tuple[int, int]], flagged: list[int], grown: bool) -> None:
        for watcher in list(self.watchers):
            watcher.view_changed(expunged, flagged, grown)


class _Spans:
    """UIDs in ranges sorted by their first, looked up in logarithmic time."""

    def __init__(self, ranges: list[Row]) -> None:
        self._firsts = [row[0] for row in ranges]
        self._lasts = list(accumulate((row[1] for row in ranges), max))

    def __contains__(self, uid: int) -> bool:
        at = bisect_right(self._firsts, uid)
        return at > 0 and uid <= self._lasts[at - 1]
