"""In which mailboxes threads are unread, as JMAP counts (RFC 8621 §2): kept while it is asked for, advanced
by modseq.

A thread is unread in each mailbox that it has an email in, if any email of it is unread, wherever that is.
The trash is apart: there an unread email of its own counts, and what is in the trash alone counts nowhere
else. What changed since the last look is looked at again by its threads, so that a message that is read
costs a thread, not a mailbox; emails of unread threads are remembered for that.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable
from typing import Final

from malleposte.store.dialect import Reader
from malleposte.store.flags import DRAFT, SEEN
from malleposte.store.ids import LOW
from malleposte.store.matching import Keyword, Parameters, Writer, among
from malleposte.store.messages import Clock
from malleposte.store.read import email_changes

SLICE: Final = 5_000
"""Emails looked through by a statement: some 3 ms."""
THREADS: Final = 500
"""Threads read by a statement: some 5 ms."""
CHANGES: Final = 20_000
"""Changed emails from which on all is looked at anew."""
KEPT: Final = 1_000_000
"""Emails of unread threads remembered by a worker: some 100 MB if all are."""

_TRASH: Final = "SELECT id FROM mailbox WHERE account = $1 AND role = 'trash'"
_NEXT: Final = (
    f"SELECT id FROM email WHERE id > $1 AND id <= $2 ORDER BY id LIMIT 1 OFFSET {SLICE - 1}"
)


class UnreadThreads:
    """Of an account; ``reader`` and ``mailboxes`` as in ``queries.Query``."""

    def __init__(
        self,
        db: Reader,
        clock: Clock,
        account: int,
        reader: int = 0,
        mailboxes: tuple[int, ...] | None = None,
    ) -> None:
        self.counts: Counter[int] = Counter()
        """Unread threads by mailbox."""
        self._db = db
        self._clock = clock
        self._account = account
        self._reader = reader
        self._mailboxes = None if mailboxes is None else frozenset(mailboxes)
        self._seen: int | None = None
        self._modseq = -1
        self._trash = 0
        self._thread_of: dict[int, int] = {}
        self._threads: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = {}
        """Unread threads: their emails, and where they are unread."""
        self._tuples: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._lock = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._thread_of)

    async def refresh(self) -> None:
        """Bring it up to date with what is committed now."""
        async with self._lock:
            moved = self._clock.moved()
            if moved is not None and moved == self._seen:
                return
            head = await email_changes.head(self._db, self._account)
            if head is None:
                self._forget()
                return
            row = await self._db.row(_TRASH, self._account)
            trash = row[0] if row is not None else 0
            if trash != self._trash or self._modseq < max(head.floor, 0):
                self._trash = trash
                await self._build()
            elif head.modseq != self._modseq:
                await self._advance()
            # What was read after the head may be newer than it; it is read again next time.
            self._modseq = head.modseq
            self._seen = moved

    def _forget(self) -> None:
        self.counts.clear()
        self._thread_of.clear()
        self._threads.clear()
        self._modseq = -1

    async def _build(self) -> None:
        self._forget()
        after, end = self._account << 32, (self._account + 1 << 32) - 1
        while after < end:
            row = await self._db.row(_NEXT, after, end)
            upto = row[0] if row is not None else end
            await self._look(await self._unread(after, upto))
            after = upto
            await asyncio.sleep(0)

    async def _advance(self) -> None:
        numbers = await email_changes.changed(
            self._db, self._account, self._modseq, CHANGES, actor=self._reader
        )
        if numbers is None:
            await self._build()
            return
        # Of what is gone for good only we know the thread.
        threads = {self._thread_of[number] for number in numbers if number in self._thread_of}
        ordered = sorted(numbers)
        for start in range(0, len(ordered), SLICE):
            threads |= await self._threads_of(ordered[start : start + SLICE])
            await asyncio.sleep(0)
        await self._look(threads)

    async def _threads_of(self, numbers: Collection[int]) -> set[int]:
        ids = [self._account << 32 | number for number in numbers]
        sql = f"SELECT DISTINCT e.thread FROM email e WHERE {among(self._db.dialect, 'e.id', '$1')}"
        return {row[0] & LOW for row in await self._db.rows(sql, ids)}

    async def _unread(self, after: int, upto: int) -> set[int]:
        parameters = Parameters(after, upto)
        unread = self._is_unread(Writer(self._db.dialect, parameters, self._reader))
        sql = (
            "SELECT DISTINCT e.thread FROM email e WHERE e.id > $1 AND e.id <= $2"
            f" AND e.mailboxes > 0 AND {unread}"
        )
        return {row[0] & LOW for row in await self._db.rows(sql, *parameters.values)}

    def _is_unread(self, writer: Writer) -> str:
        seen, draft = (writer.has(Keyword(bit), "e") for bit in (SEEN, DRAFT))
        return f"NOT ({seen} OR {draft})"

    async def _look(self, threads: Iterable[int]) -> None:
        """Look at threads again."""
        ordered = sorted(threads)
        for start in range(0, len(ordered), THREADS):
            await self._some(ordered[start : start + THREADS])
            await asyncio.sleep(0)

    async def _some(self, threads: Collection[int]) -> None:
        base = self._account << 32
        # Parameters are numbered in the order of the text.
        parameters = Parameters()
        unread = self._is_unread(Writer(self._db.dialect, parameters, self._reader))
        ids = parameters.add([base | thread for thread in threads])
        sql = (
            f"SELECT e.thread, e.id, m.mailbox, CASE WHEN {unread} THEN 1 ELSE 0 END FROM email e"
            " JOIN membership m ON m.email = e.id JOIN mailbox b ON b.id = m.mailbox"
            f" WHERE {among(self._db.dialect, 'e.thread', ids)} AND e.mailboxes > 0 AND m.deleted = 0"
        )
        found: dict[int, list[tuple[int, int, bool]]] = {}
        for thread, email, mailbox, flag in await self._db.rows(sql, *parameters.values):
            if self._mailboxes is None or mailbox in self._mailboxes:
                found.setdefault(thread & LOW, []).append((email & LOW, mailbox, bool(flag)))
        for thread in threads:
            self._take_out(thread)
            self._put_in(thread, found.get(thread, []))

    def _put_in(self, thread: int, rows: list[tuple[int, int, bool]]) -> None:
        trash = self._trash
        if not any(unread for _, _, unread in rows):
            return
        emails = tuple({email for email, _, _ in rows})
        self._thread_of.update(dict.fromkeys(emails, thread))
        boxes: set[int] = set()
        if any(unread and mailbox != trash for _, mailbox, unread in rows):
            boxes = {mailbox for _, mailbox, _ in rows if mailbox != trash}
        if any(unread and mailbox == trash for _, mailbox, unread in rows):
            boxes.add(trash)
        key = tuple(sorted(boxes))
        self._threads[thread] = emails, self._tuples.setdefault(key, key)
        self.counts.update(boxes)

    def _take_out(self, thread: int) -> None:
        emails, boxes = self._threads.pop(thread, ((), ()))
        for email in emails:
            self._thread_of.pop(email, None)
        self.counts.subtract(boxes)


class AllUnreadThreads:
    """Those of a worker."""

    def __init__(self, db: Reader, clock: Clock, *, kept: int = KEPT) -> None:
        self._db = db
        self._clock = clock
        self._kept = kept
        self._known: OrderedDict[tuple[int, int, tuple[int, ...] | None], UnreadThreads] = (
            OrderedDict()
        )

    async def of(
        self, account: int, reader: int = 0, mailboxes: tuple[int, ...] | None = None
    ) -> Counter[int]:
        """Unread threads by mailbox, up to date."""
        key = (account, reader, mailboxes)
        found = self._known.get(key)
        if found is None:
            found = UnreadThreads(self._db, self._clock, account, reader, mailboxes)
            self._known[key] = found
        self._known.move_to_end(key)
        await found.refresh()
        self._trim()
        return found.counts

    def _trim(self) -> None:
        """Let those go that were not asked for longest; the newest stays."""
        total = sum(len(one) + 50 for one in self._known.values())
        while total > self._kept and len(self._known) > 1:
            _, one = self._known.popitem(last=False)
            total -= len(one) + 50
