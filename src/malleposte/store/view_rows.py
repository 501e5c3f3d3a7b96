r"""What a view reads of a mailbox: rows (uid, email, flags, keywords, deleted, modseq) as one reader sees.

For the owner they are the email's. For another reader ``\Seen`` is that of the reader's row in
``reader_seen``, where there is one, and the modseq the later one of the email's and that row's; no other
reader's rows are looked at.
"""

import asyncio
from collections.abc import Iterable

from malleposte.store.dialect import Reader, Row, any_of, both
from malleposte.store.ids import account_of

_LAST_ID = (1 << 63) - 1
"""Past every email."""

_BUILD = (
    "SELECT m.uid, m.email, e.flags, e.keywords, m.deleted, e.modseq FROM membership m"
    " JOIN email e ON e.id = m.email WHERE m.mailbox = $1 AND m.uid > $2 ORDER BY m.uid LIMIT $3"
)
_CHANGED = (
    "SELECT m.uid, e.id, e.flags, e.keywords, m.deleted, e.modseq FROM email e"
    " JOIN membership m ON m.email = e.id AND m.mailbox = $1"
    " WHERE e.account = $2 AND (e.modseq, e.id) > ($3, $4) ORDER BY e.modseq, e.id LIMIT $5"
)
_FLAGS = " CASE WHEN s.seen IS NULL THEN e.flags ELSE (e.flags & ~1) | s.seen END, e.keywords"
_MODSEQ = " CASE WHEN s.modseq > e.modseq THEN s.modseq ELSE e.modseq END"
"""Of a reader whose row is s."""
_SEEN_BY = f"{_FLAGS}, m.deleted,{_MODSEQ}"
_BUILD_FOR = (
    f"SELECT m.uid, m.email,{_SEEN_BY} FROM membership m JOIN email e ON e.id = m.email"
    " LEFT JOIN reader_seen s ON s.email = m.email AND s.reader = $1"
    " WHERE m.mailbox = $2 AND m.uid > $3 ORDER BY m.uid LIMIT $4"
)
_CHANGED_FOR = (
    f"SELECT m.uid, e.id,{_SEEN_BY}, e.modseq FROM email e"
    " JOIN membership m ON m.email = e.id AND m.mailbox = $1"
    " LEFT JOIN reader_seen s ON s.email = e.id AND s.reader = $2"
    " WHERE e.account = $3 AND (e.modseq, e.id) > ($4, $5) ORDER BY e.modseq, e.id LIMIT $6"
)
_MARKED_BY = (
    f"SELECT m.uid, e.id,{_SEEN_BY}, s.modseq FROM reader_seen s"
    " JOIN membership m ON m.email = s.email AND m.mailbox = $1 JOIN email e ON e.id = s.email"
    " WHERE s.reader = $2 AND s.email >> 32 = $3 AND (s.modseq, s.email) > ($4, $5)"
    " ORDER BY s.modseq, s.email LIMIT $6"
)
_BY_ID = both(
    f"SELECT e.id & 4294967295,{_FLAGS},{_MODSEQ} FROM email e"
    " LEFT JOIN reader_seen s ON s.email = e.id AND s.reader = $1 WHERE {ids}",
    ids=any_of("e.id", 2),
)
_GONE = (
    "SELECT first, last FROM tombstone WHERE account = $1 AND kind = 'uid' AND container = $2"
    " AND modseq > $3 ORDER BY first"
)


class Rows:
    """See the module. ``reader`` 0: the owner. ``slice_``: rows a statement brings."""

    __slots__ = ("_account", "_db", "_mailbox", "_reader")

    def __init__(self, db: Reader, mailbox: int, reader: int) -> None:
        self._db = db
        self._mailbox = mailbox
        self._account = account_of(mailbox)
        self._reader = reader

    async def after(self, uid: int, slice_: int) -> list[Row]:
        """Messages behind a UID, in their order."""
        if self._reader:
            return await self._db.rows(_BUILD_FOR, self._reader, self._mailbox, uid, slice_)
        return await self._db.rows(_BUILD, self._mailbox, uid, slice_)

    async def changed(self, since: int, slice_: int) -> dict[int, Row]:
        """Messages whose flags may have changed after a modseq, by UID.

        A message that changes again between two slices comes twice: the last time is right.
        """
        found: dict[int, Row] = {}
        if self._reader:
            who = self._mailbox, self._reader, self._account
            await self._collect(found, _CHANGED_FOR, who, since, slice_)
            await self._collect(found, _MARKED_BY, who, since, slice_)
        else:
            who2 = self._mailbox, self._account
            await self._collect(found, _CHANGED, who2, since, slice_)
        return found

    async def _collect(
        self, found: dict[int, Row], sql: str, whose: tuple[int, ...], since: int, slice_: int
    ) -> None:
        """Rows in the order of the modseq in their last column, then of the email."""
        modseq, email = since, _LAST_ID
        while True:
            rows = await self._db.rows(sql, *whose, modseq, email, slice_)
            found.update((row[0], row[:6]) for row in rows)
            if len(rows) < slice_:
                return
            modseq, email = rows[-1][-1], rows[-1][1]
            await asyncio.sleep(0)

    async def of(self, numbers: Iterable[int]) -> list[Row]:
        """Rows (email number, flags, keywords, modseq) of emails by number, in any order, whether they are
        in the mailbox or not. The caller keeps them few."""
        base = self._account << 32
        return await self._db.rows(_BY_ID, self._reader, [base | number for number in numbers])

    async def gone(self, since: int) -> list[Row]:
        """Ranges (first, last) of UIDs that are gone since a modseq, by their first."""
        return await self._db.rows(_GONE, self._account, self._mailbox, since)
