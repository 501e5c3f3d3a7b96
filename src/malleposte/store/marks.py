r"""A reader's marks in another's mailbox: where ``\Seen`` is his own, in two arrays.

``reader_seen`` has a row where a reader's ``\Seen`` differs from the owner's, or once did; what is kept
of it are some 8 octets: the UID, and the modseq with ``\Seen`` as its lowest bit. The reader's MODSEQ of a
message is the later one of the message's and the mark's.
"""

import asyncio
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from malleposte.store.dialect import Reader, Row, Sql, any_of, both
from malleposte.store.ids import account_of

SLICE: Final = 5_000
"""Marks a statement brings, or messages it looks at: some 4 ms."""
MANY: Final = 8
"""Where every so many messages have a mark, a look at each is quicker than a search for each mark."""
_LAST_ID: Final = (1 << 63) - 1
"""Past every email."""

_MARKED_BY: Final = (
    "SELECT m.uid, s.seen, s.modseq, s.email FROM (SELECT email, seen, modseq FROM reader_seen"
    " WHERE reader = $1 AND email >> 32 = $2 AND (modseq, email) > ($3, $4)"
    " ORDER BY modseq, email LIMIT $5) s"
    " LEFT JOIN membership m ON m.email = s.email AND m.mailbox = $6 ORDER BY s.modseq, s.email"
)
_WITHIN: Final = (
    "SELECT m.uid, s.seen, s.modseq FROM membership m"
    " JOIN reader_seen s ON s.email = m.email AND s.reader = $1"
    " WHERE m.mailbox = $2 AND m.uid BETWEEN $3 AND $4 ORDER BY m.uid"
)
_HAVE_MARKED: Final = both(
    "SELECT r.value FROM {readers} WHERE EXISTS (SELECT 1 FROM reader_seen s"
    " WHERE s.reader = r.value AND s.email >> 32 = $2 AND s.modseq > $3)",
    readers=Sql("json_each($1) r", "unnest($1::bigint[]) AS r(value)"),
)
# The sign keeps SQLite from asking for each email and each reader.
_ON: Final = both(
    "SELECT s.reader, s.email, s.seen, s.modseq FROM reader_seen s WHERE {emails} AND {readers}",
    emails=any_of("s.email", 1),
    readers=any_of("+s.reader", 2),
)

Mark = tuple[int, int, int]
r"""UID, ``\Seen`` (0 or 1), modseq."""


class Marks:
    """See the module. Marks of messages that are gone may still be among them."""

    __slots__ = ("_uids", "_values")

    def __init__(self) -> None:
        self._uids = array("I")
        self._values = array("I")  # "Q" once a modseq needs it

    def __len__(self) -> int:
        return len(self._uids)

    def of(self, uid: int) -> tuple[int, int] | None:
        r"""``\Seen`` and modseq of the mark on a message; None: there is none."""
        at = bisect_left(self._uids, uid)
        if at == len(self._uids) or self._uids[at] != uid:
            return None
        value = self._values[at]
        return value & 1, value >> 1

    def among(self, uids: "array[int]", start: int, stop: int) -> Iterable[tuple[int, int]]:
        r"""Of messages at positions ``start`` to ``stop`` those that are marked: positions from ``start``,
        each with ``modseq << 1 | seen``."""
        if start >= stop:
            return ()
        low = bisect_left(self._uids, uids[start])
        high = bisect_right(self._uids, uids[stop - 1], low)
        mine, values = self._uids[low:high], self._values[low:high]
        if mine == uids[start:stop]:
            return enumerate(values)
        if len(mine) * MANY > stop - start:
            known = dict(zip(mine, values, strict=True))
            there = enumerate(uids[start:stop])
            return [(at, known[uid]) for at, uid in there if uid in known]
        found: list[tuple[int, int]] = []
        for uid, value in zip(mine, values, strict=True):
            at = bisect_left(uids, uid, start, stop)
            if uids[at] == uid:  # else it is gone
                found.append((at - start, value))
        return found

    def put(self, marks: Sequence[Mark]) -> None:
        """Take marks in; of two on one message the later one counts."""
        named = [uid for uid, _, _ in marks]
        if named and (not self._uids or named[0] > self._uids[-1]) and named == sorted(set(named)):
            added = [modseq << 1 | seen for _, seen, modseq in marks]
            self._widen(max(added))
            self._uids.extend(named)
            self._values.extend(added)
            return
        new: dict[int, int] = {}
        for uid, seen, modseq in marks:
            at = bisect_left(self._uids, uid)
            value = modseq << 1 | seen
            if at < len(self._uids) and self._uids[at] == uid:
                if value > self._values[at]:
                    self._widen(value)
                    self._values[at] = value
            elif value > new.get(uid, 0):
                new[uid] = value
        if not new:
            return
        self._widen(max(new.values()))
        uids, values = array("I"), array(self._values.typecode)
        before = 0
        for uid in sorted(new):
            at = bisect_left(self._uids, uid, before)
            uids += self._uids[before:at]
            values += self._values[before:at]
            uids.append(uid)
            values.append(new[uid])
            before = at
        self._uids, self._values = uids + self._uids[before:], values + self._values[before:]

    def keep(self, uids: Iterable[int]) -> None:
        """Forget marks on all other messages."""
        there = set(uids)
        pairs = zip(self._uids, self._values, strict=True)
        kept = [(uid, value) for uid, value in pairs if uid in there]
        self._uids = array("I", [uid for uid, _ in kept])
        self._values = array(self._values.typecode, [value for _, value in kept])

    def _widen(self, value: int) -> None:
        if value >> 32 and self._values.typecode == "I":
            self._values = array("Q", self._values)


# Reading ------------------------------------------------------------------------------------------


async def marked(
    db: Reader, mailbox: int, reader: int, since: tuple[int, int] = (0, 0)
) -> list[Row]:
    r"""Rows (UID or None, ``\Seen``, modseq, email) of what a reader has marked in the account of a mailbox
    after a modseq and email, in their order; None: it is not in the mailbox. At most ``SLICE``."""
    return await db.rows(_MARKED_BY, reader, account_of(mailbox), *since, SLICE, mailbox)


def in_mailbox(rows: list[Row]) -> list[Mark]:
    """Marks of such rows."""
    return [(uid, seen, modseq) for uid, seen, modseq, _ in rows if uid is not None]


async def within(db: Reader, mailbox: int, reader: int, first: int, last: int) -> list[Mark]:
    """A reader's marks on messages with UIDs from ``first`` to ``last``."""
    return await db.rows(_WITHIN, reader, mailbox, first, last)


async def news(
    db: Reader, mailbox: int, readers: Collection[int], since: int, new: Mapping[int, int]
) -> dict[int, list[Mark]]:
    """By reader, what readers have marked after a modseq, and their marks on emails that are new in the
    mailbox (UIDs by email): those may be older."""
    found: dict[int, list[Mark]] = {}
    if not readers:
        return found
    asked = sorted(readers)
    for (reader,) in await db.rows(_HAVE_MARKED, asked, account_of(mailbox), since):
        found[reader] = []
        after = since, _LAST_ID
        while True:
            rows = await marked(db, mailbox, reader, after)
            found[reader] += in_mailbox(rows)
            if len(rows) < SLICE:
                break
            after = rows[-1][2:]
            await asyncio.sleep(0)
    emails = sorted(new)
    step = max(1, 2 * SLICE // len(asked))
    for start in range(0, len(emails), step):
        if start:
            await asyncio.sleep(0)
        rows = await db.rows(_ON, emails[start : start + step], asked)
        for reader, email, seen, modseq in rows:
            found.setdefault(reader, []).append((new[email], seen, modseq))
    return found
