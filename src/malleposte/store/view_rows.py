r"""What is read of a mailbox for its arrays: rows (uid, email, flags, keywords, deleted, modseq), as the
owner sees them. What others have marked is read apart (``marks``).
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
_BY_ID = both(
    "SELECT e.id & 4294967295,"
    " CASE WHEN s.seen IS NULL THEN e.flags ELSE (e.flags & ~1) | s.seen END, e.keywords,"
    " CASE WHEN s.modseq > e.modseq THEN s.modseq ELSE e.modseq END FROM email e"
    " LEFT JOIN reader_seen s ON s.email = e.id AND s.reader = $1 WHERE {ids}",
    ids=any_of("e.id", 2),
)
_GONE = (
    "SELECT first, last FROM tombstone WHERE account = $1 AND kind = 'uid' AND container = $2"
    " AND modseq > $3 ORDER BY first"
)


class Rows:
    """See the module. ``slice_``: rows a statement brings."""

    __slots__ = ("_account", "_db", "_mailbox")

    def __init__(self, db: Reader, mailbox: int) -> None:
        self._db = db
        self._mailbox = mailbox
        self._account = account_of(mailbox)

    async def after(self, uid: int, slice_: int) -> list[Row]:
        """Messages behind a UID, in their order."""
        return await self._db.rows(_BUILD, self._mailbox, uid, slice_)

    async def changed(self, since: int, slice_: int) -> dict[int, Row]:
        """Messages whose flags may have changed after a modseq, by UID.

        A message that changes again between two slices comes twice: the last time is right.
        """
        found: dict[int, Row] = {}
        modseq, email = since, _LAST_ID
        while True:
            rows = await self._db.rows(
                _CHANGED, self._mailbox, self._account, modseq, email, slice_
            )
            found.update((row[0], row) for row in rows)
            if len(rows) < slice_:
                return found
            modseq, email = rows[-1][5], rows[-1][1]
            await asyncio.sleep(0)

    async def of(self, numbers: Iterable[int], reader: int) -> list[Row]:
        """Rows (email number, flags, keywords, modseq) of emails by number, in any order, whether they are
        in the mailbox or not, as a reader sees them; 0: the owner. The caller keeps them few."""
        base = self._account << 32
        return await self._db.rows(_BY_ID, reader, [base | number for number in numbers])

    async def gone(self, since: int) -> list[Row]:
        """Ranges (first, last) of UIDs that are gone since a modseq, by their first."""
        return await self._db.rows(_GONE, self._account, self._mailbox, since)
