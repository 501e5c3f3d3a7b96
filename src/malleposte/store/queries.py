"""Lists of emails that match and are sorted (``ordered``), kept while they are used, advanced by modseq.

A list is built once, a slice of rows at a time; from then on what changed in the account since is looked
at again and put in or taken out, so that a window in 200,000 messages costs what one in 1,000 costs. Lists
are bounded by the emails they hold together; one that was dropped is built again when it is asked for.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

from malleposte.store import matching
from malleposte.store.dialect import Reader, Row
from malleposte.store.ids import LOW
from malleposte.store.matching import Condition, Keyword, Leaf, Parameters, Text
from malleposte.store.messages import Clock
from malleposte.store.ordered import ByNumber, ByOctets, Entry, Order, Ordered, octets
from malleposte.store.read import email_changes

SLICE: Final = 5_000
"""Emails looked at by a statement: some 8 ms."""
CHANGES: Final = 20_000
"""Changed emails from which on a list is built anew."""
KEPT: Final = 1_000_000
"""Emails in all lists of a worker: some 50 MB."""
LISTS: Final = 500
ENTRIES: Final = 1_000
"""Entries made at once: some 5 ms where they are sorted by texts."""
JUDGED: Final = 20_000
"""Conditions that are looked at together, of several emails: some 3 ms."""

Value = Literal["received", "sent", "size", "from", "to", "subject"]
Known = dict[int, dict[Leaf, bool]]
"""By email number: what is known of the leaves of a condition."""
Search = Callable[[Condition, Known], Awaitable[Collection[int]]]
"""Which emails a condition holds of, its texts looked for; what it comes to know is put in."""
Finder = Callable[[], Search]
"""Begins a search, for all that a list must look through at once."""


@dataclass(frozen=True, slots=True)
class By:
    """What a list is sorted by: a value, or whether a keyword is there."""

    value: Value | Keyword
    ascending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Which emails of an account, in which order. ``reader``: who looks, 0 for the owner; another sees
    what is in ``mailboxes`` alone."""

    account: int
    condition: Condition = matching.EVERYTHING
    sort: tuple[By, ...] = (By("received"),)
    reader: int = 0
    mailboxes: tuple[int, ...] | None = None

    @property
    def threads(self) -> bool:
        """Whether what one email is decides on others of its thread."""
        keywords = [leaf for leaf in matching.leaves(self.condition) if isinstance(leaf, Keyword)]
        keywords += [by.value for by in self.sort if isinstance(by.value, Keyword)]
        return any(keyword.of != "email" for keyword in keywords)


_COLUMNS: Final = {
    "received": "e.received_at",
    "sent": "coalesce(e.sent_at, e.received_at)",
    "size": "e.size",
    "from": "w.from_text",
    "to": "w.to_text",
    "subject": "w.base_subject",
}
_TEXTS: Final = frozenset(("from", "to", "subject"))


class Listing:
    """One list; see the module. ``ordered`` is for reading, right after ``refresh``."""

    def __init__(
        self, db: Reader, clock: Clock, query: Query, finder: Finder | None = None
    ) -> None:
        self.query = query
        self.modseq = 0
        """The account's modseq up to which it is complete."""
        self.built = False
        self._db = db
        self._clock = clock
        self._seen: int | None = None
        self._finder = finder
        self._search: Search | None = None
        self._leaves = tuple(dict.fromkeys(matching.leaves(query.condition)))
        self._texts = matching.texts(query.condition)
        numbers = len(query.sort) == 1 and query.sort[0].value in ("received", "sent", "size")
        self._order: Order = ByNumber(ascending=query.sort[0].ascending) if numbers else ByOctets()
        self.ordered = Ordered(self._order)
        self._lock = asyncio.Lock()

    async def refresh(self) -> bool:
        """Bring it up to date with what is committed now; False: there is no such account."""
        moved = self._clock.moved()
        if self.built and moved is not None and moved == self._seen:
            return True
        async with self._lock:
            moved = self._clock.moved()
            if self.built and moved is not None and moved == self._seen:
                return True
            head = await email_changes.head(self._db, self.query.account)
            if head is None:
                return False
            self._search = self._finder() if self._texts and self._finder is not None else None
            if not self.built or self.modseq < head.floor:
                await self._build()
            elif head.modseq != self.modseq:
                await self._advance()
            # What was read after the head may be newer than it; it is read again next time.
            self.modseq = head.modseq
            self.built = True
            self._seen = moved
        return True

    async def _advance(self) -> None:
        query = self.query
        numbers = await email_changes.changed(
            self._db, query.account, self.modseq, CHANGES, actor=query.reader
        )
        if numbers is not None and query.threads:
            numbers = await email_changes.with_threads(self._db, query.account, numbers)
        if numbers is None or len(numbers) > CHANGES:
            await self._build()
            return
        base = query.account << 32
        entries: list[Entry] = []
        ordered = sorted(numbers)
        for start in range(0, len(ordered), SLICE):
            ids = tuple(base | number for number in ordered[start : start + SLICE])
            entries += await self._entries(_FROM_IDS, ids=ids)
            await asyncio.sleep(0)
        if numbers:
            for _ in self.ordered.changing(numbers, entries):
                await asyncio.sleep(0)

    # Building -------------------------------------------------------------------------------------

    async def _build(self) -> None:
        query = self.query
        mailbox = matching.mailbox_of(query.condition)
        end, source = (_NEXT_UID, _FROM_MAILBOX) if mailbox else (_NEXT_ID, _FROM_ACCOUNT)
        after = 0 if mailbox else query.account << 32
        last = LOW if mailbox else (query.account + 1 << 32) - 1
        of = mailbox or last
        entries: list[Entry] = []
        while after < last:
            row = await self._db.row(end, of, after)
            upto = row[0] if row is not None else last
            entries += await self._entries(source, mailbox=mailbox, after=after, upto=upto)
            after = upto
            await asyncio.sleep(0)
        fresh = Ordered(self._order)
        for _ in fresh.changing((), entries):
            await asyncio.sleep(0)
        self.ordered = fresh

    async def _entries(
        self,
        source: str,
        *,
        ids: tuple[int, ...] = (),
        mailbox: int = 0,
        after: int = 0,
        upto: int = 0,
    ) -> list[Entry]:
        """Of the emails of a source, those that match."""
        query, parameters = self.query, Parameters()
        add = parameters.add
        writer = matching.Writer(self._db.dialect, parameters, query.reader, query.mailboxes)
        # Parameters are numbered in the order of the text.
        columns = ["e.id", "e.thread", *(self._column(by, writer) for by in query.sort)]
        asked: list[Leaf] = []
        if self._texts:
            asked += (leaf for leaf in self._leaves if not isinstance(leaf, Text))
            columns += (f"CASE WHEN {writer.leaf(leaf)} THEN 1 ELSE 0 END" for leaf in asked)
        wide = any(isinstance(by.value, str) and by.value in _TEXTS for by in query.sort)
        joined = source.replace("{wide}", " JOIN email_wide w ON w.id = e.id" if wide else "")
        if ids:
            joined = joined.replace("{ids}", writer.leaf(matching.Numbers(ids)))
        else:
            if mailbox:
                joined = joined.replace("{mailbox}", add(mailbox))
            joined = joined.replace("{after}", add(after)).replace("{upto}", add(upto))
        sql = (
            f"SELECT {', '.join(columns)} FROM {joined} AND e.account = {add(query.account)}"
            f" AND e.mailboxes > 0 AND {writer.visible()} AND {writer.where(query.condition)}"
        )
        rows = await self._db.rows(sql, *parameters.values)
        if self._texts:
            rows = await self._looked_through(rows, asked)
        entries: list[Entry] = []
        for start in range(0, len(rows), ENTRIES):
            await asyncio.sleep(0)
            entries += map(self._entry, rows[start : start + ENTRIES])
        return entries

    def _column(self, by: By, writer: matching.Writer) -> str:
        if isinstance(by.value, Keyword):
            return f"CASE WHEN {writer.leaf(by.value)} THEN 1 ELSE 0 END"
        return _COLUMNS[by.value]

    def _entry(self, row: Row) -> Entry:
        number, thread, *values = row
        sort = self.query.sort
        if isinstance(self._order, ByOctets):
            values = [
                octets(value or 0 if isinstance(value, int) else value, not by.ascending)
                for by, value in zip(sort, values, strict=False)
            ]
        return number & LOW, thread & LOW, values

    async def _looked_through(self, rows: list[Row], asked: list[Leaf]) -> list[Row]:
        """The rows of emails of which the condition holds with their texts."""
        assert self._search is not None
        first, condition = 2 + len(self.query.sort), self.query.condition
        size = max(1, JUDGED // (1 + len(asked)))
        kept: list[Row] = []
        for start in range(0, len(rows), size):
            some = rows[start : start + size]
            known: Known = {
                row[0] & LOW: dict(zip(asked, map(bool, row[first:]), strict=True)) for row in some
            }
            found = await self._search(condition, known)
            kept += [row[:first] for row in some if row[0] & LOW in found]
        return kept


_FROM_IDS: Final = "email e{wide} WHERE {ids}"
_FROM_ACCOUNT: Final = "email e{wide} WHERE e.id > {after} AND e.id <= {upto}"
_FROM_MAILBOX: Final = (
    "membership m JOIN email e ON e.id = m.email{wide}"
    " WHERE m.mailbox = {mailbox} AND m.uid > {after} AND m.uid <= {upto}"
)
_NEXT_UID: Final = (
    "SELECT uid FROM membership WHERE mailbox = $1 AND uid > $2"
    f" ORDER BY uid LIMIT 1 OFFSET {SLICE - 1}"
)
_NEXT_ID: Final = (
    f"SELECT id FROM email WHERE id <= $1 AND id > $2 ORDER BY id LIMIT 1 OFFSET {SLICE - 1}"
)


class Queries:
    """The lists of a worker."""

    def __init__(self, db: Reader, clock: Clock, *, kept: int = KEPT) -> None:
        self._db = db
        self._clock = clock
        self._kept = kept
        self._lists: OrderedDict[Query, Listing] = OrderedDict()

    async def open(self, query: Query, finder: Finder | None = None) -> Listing:
        """The up-to-date list of a query; empty where there is no such account."""
        found = self._lists.get(query)
        if found is None:
            found = self._lists[query] = Listing(self._db, self._clock, query, finder)
        self._lists.move_to_end(query)
        built = found.built
        try:
            there = await found.refresh()
        except BaseException:
            if not found.built:
                self._lists.pop(query, None)
            raise
        if not there:
            self._lists.pop(query, None)
        elif not built:
            self._trim()
        return found

    def _trim(self) -> None:
        """Let the longest unused go; the newest stays."""
        total = 0
        keep: list[Query] = []
        for query, listing in reversed(self._lists.items()):
            # A list by texts has keys of their own.
            total += (
                len(listing.ordered) * (1 if isinstance(listing.ordered.order, ByNumber) else 6)
                + 50
            )
            if total > self._kept and keep:
                break
            keep.append(query)
        wanted = set(islice(keep, LISTS))
        for query in [query for query in self._lists if query not in wanted]:
            del self._lists[query]
