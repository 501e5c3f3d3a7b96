"""Mailboxes that hold other emails of threads in which something changed: how many unread threads are in
them may be another number now, though nothing changed in themselves (RFC 8621 §2)."""

import asyncio
from typing import Final

from malleposte.store.dialect import Reader, Row

SLICE: Final = 1_000
"""Emails looked at by a statement: some 5 ms."""
MOST: Final = 20_000
"""Emails past which nobody looks."""
_LAST: Final = (1 << 63) - 1

_EMAILS: Final = (
    "e.modseq AS modseq, e.id AS id, e.thread AS thread FROM email e WHERE e.account = $1"
)
_MARKS: Final = (
    "s.modseq AS modseq, s.email AS id, e.thread AS thread FROM reader_seen s"
    " JOIN email e ON e.id = s.email WHERE s.reader = $1 AND s.email >> 32 = $2"
)
"""Of a reader who is not the owner."""
_PLACES: Final = {_EMAILS: ("e.modseq, e.id", 2), _MARKS: ("s.modseq, s.email", 3)}
"""What orders them, and the first parameter left."""


async def touched(reader: Reader, account: int, since: int, actor: int = 0) -> list[Row] | None:
    """Rows as ``change_log.told`` takes them: the modseq of the last change of a thread, and the mailbox;
    ``actor``: also by this reader's marks. None: too much changed after ``since``."""
    found: dict[int, Row] = {}
    sources: list[tuple[str, tuple[int, ...]]] = [(_EMAILS, (account,))]
    if actor:
        sources.append((_MARKS, (actor, account)))
    for source, who in sources:
        if not await _look(reader, source, who, since, found):
            return None
    return sorted(found.values(), key=lambda row: (row[0], row[1]))


async def _look(
    reader: Reader, source: str, who: tuple[int, ...], since: int, found: dict[int, Row]
) -> bool:
    """Look at one source, a slice at a time. False: it has too much."""
    by, n = _PLACES[source]
    after = f"({by}) > (${n}, ${n + 1})"
    some = f"SELECT {source} AND {after} ORDER BY {by} LIMIT ${n + 2}"
    upto = f"SELECT {source} AND {after} AND ({by}) <= (${n + 2}, ${n + 3})"
    boxes = (
        "SELECT max(c.modseq), b.id, b.created_modseq, 1 FROM (SELECT x.thread AS thread,"
        f" max(x.modseq) AS modseq FROM ({upto}) x GROUP BY x.thread) c"
        " JOIN email t ON t.thread = c.thread JOIN membership m ON m.email = t.id"
        " JOIN mailbox b ON b.id = m.mailbox GROUP BY b.id, b.created_modseq"
    )
    place = (since, _LAST)
    for _ in range(0, MOST, SLICE):
        rows = await reader.rows(some, *who, *place, SLICE)
        if not rows:
            return True
        end = (rows[-1][0], rows[-1][1])
        for row in await reader.rows(boxes, *who, *place, *end):
            known = found.get(row[1])
            if known is None or known[0] < row[0]:
                found[row[1]] = row
        place = end
        if len(rows) < SLICE:
            return True
        await asyncio.sleep(0)
    return False
