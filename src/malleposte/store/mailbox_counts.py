"""How many emails and threads of mailboxes there are, and how many of them are unread, as JMAP counts.

A mailbox's row counts messages as IMAP shows them; here neither those marked to be deleted count, nor
drafts as unread (RFC 8621 §2). What was counted is remembered until the mailbox's messages change; large
mailboxes are counted by lists that are kept up to date (``queries``), small ones several in a statement.
Threads that are unread depend on other mailboxes too (``unread_threads``).
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from malleposte.store import matching as m
from malleposte.store.dialect import Reader, any_of, both
from malleposte.store.flags import DRAFT, SEEN
from malleposte.store.ids import account_of
from malleposte.store.messages import Clock
from malleposte.store.queries import Queries, Query
from malleposte.store.read.mailboxes import Mailbox
from malleposte.store.unread_threads import AllUnreadThreads

LARGE: Final = 2_000
"""Messages from which on a mailbox has lists of its own: some 2 ms to count."""
AT_ONCE: Final = 4_000
"""Messages counted in one statement."""
KNOWN: Final = 20_000
"""Mailboxes remembered."""

_COUNTS: Final = both(
    "SELECT m.mailbox, count(*), sum(CASE WHEN e.flags & 9 = 0 THEN 1 ELSE 0 END),"
    " count(DISTINCT e.thread)"
    " FROM membership m JOIN email e ON e.id = m.email WHERE {boxes} AND m.deleted = 0"
    " GROUP BY m.mailbox",
    boxes=any_of("m.mailbox", 1),
)
_UNREAD: Final = both(
    "SELECT m.mailbox, count(*) FROM membership m JOIN email e ON e.id = m.email"
    " LEFT JOIN reader_seen s ON s.email = e.id AND s.reader = $1"
    " WHERE {boxes} AND m.deleted = 0 AND e.flags & 8 = 0 AND coalesce(s.seen, e.flags & 1) = 0"
    " GROUP BY m.mailbox",
    boxes=any_of("m.mailbox", 2),
)
"""As a reader who is not the owner has them."""
assert SEEN | DRAFT == 9


_NEW: Final = m.Not((m.Keyword(SEEN), m.Keyword(DRAFT)))


@dataclass(frozen=True, slots=True)
class Counts:
    """Of a mailbox."""

    emails: int = 0
    unread: int = 0
    threads: int = 0
    unread_threads: int = 0


class MailboxCounts:
    """See the module. One for a worker."""

    def __init__(self, db: Reader, queries: Queries, clock: Clock) -> None:
        self._db = db
        self._unread_threads = AllUnreadThreads(db, clock)
        self._queries = queries
        self._known: OrderedDict[int, tuple[int, Counts]] = OrderedDict()

    async def of(self, boxes: Iterable[Mailbox]) -> dict[int, Counts]:
        """By mailbox, as of the rows or later; as the owner sees them."""
        found = await self._apart(boxes)
        await self._with_threads(found)
        return found

    async def _with_threads(
        self,
        found: dict[int, Counts],
        reader: int = 0,
        mailboxes: tuple[int, ...] | None = None,
    ) -> None:
        for account in {account_of(id_) for id_, counts in found.items() if counts.emails}:
            unread = await self._unread_threads.of(account, reader, mailboxes)
            for id_, counts in found.items():
                if account_of(id_) == account:
                    found[id_] = replace(counts, unread_threads=unread[id_])

    async def _apart(self, boxes: Iterable[Mailbox]) -> dict[int, Counts]:
        """What of a mailbox depends on no other."""
        found: dict[int, Counts] = {}
        small: list[Mailbox] = []
        messages = 0
        for box in boxes:
            known = self._known.get(box.id)
            if known is not None and known[0] == box.message_modseq:
                found[box.id] = known[1]
            elif not box.messages:
                found[box.id] = Counts()
            elif box.messages >= LARGE:
                self._keep(box, found, await self._listed(box.id))
            else:
                small.append(box)
                messages += box.messages
                if messages >= AT_ONCE:
                    await self._count(small, found)
                    small, messages = [], 0
        if small:
            await self._count(small, found)
        return found

    async def for_reader(
        self, boxes: Iterable[Mailbox], reader: int, mailboxes: tuple[int, ...] | None
    ) -> dict[int, Counts]:
        r"""The same as a reader who is not the owner has them: unread is what is so to him; ``mailboxes``
        are all of the account that he reads."""
        boxes = list(boxes)
        found = await self._apart(boxes)
        small: list[int] = []
        messages = 0
        for box in boxes:
            if not box.messages:
                continue
            if box.messages >= LARGE:
                inside = m.And((m.InMailbox(box.id), _NEW))
                query = Query(account_of(box.id), inside, reader=reader)
                some = (await self._queries.open(query)).ordered
                found[box.id] = replace(found[box.id], unread=len(some))
                continue
            small.append(box.id)
            messages += box.messages
            if messages >= AT_ONCE:
                await self._unread(small, reader, found)
                small, messages = [], 0
        if small:
            await self._unread(small, reader, found)
        await self._with_threads(found, reader, mailboxes)
        return found

    async def _unread(self, boxes: list[int], reader: int, found: dict[int, Counts]) -> None:
        rows = await self._db.rows(_UNREAD, reader, boxes)
        counted: dict[int, int] = dict(rows)
        for box in boxes:
            found[box] = replace(found[box], unread=counted.get(box, 0))

    async def _listed(self, mailbox: int) -> Counts:
        account = account_of(mailbox)
        inside = m.InMailbox(mailbox)
        all_ = (await self._queries.open(Query(account, inside))).ordered
        emails, threads = len(all_), len(all_.firsts)
        some = (await self._queries.open(Query(account, m.And((inside, _NEW))))).ordered
        return Counts(emails, len(some), threads)

    async def _count(self, boxes: list[Mailbox], found: dict[int, Counts]) -> None:
        rows = await self._db.rows(_COUNTS, [box.id for box in boxes])
        counted = {mailbox: Counts(*numbers) for mailbox, *numbers in rows}
        for box in boxes:
            self._keep(box, found, counted.get(box.id, Counts()))

    def _keep(self, box: Mailbox, found: dict[int, Counts], counts: Counts) -> None:
        found[box.id] = counts
        self._known[box.id] = box.message_modseq, counts
        self._known.move_to_end(box.id)
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
