"""Mailboxes that hold other emails of threads in which something changed: how many unread threads are in
them may be another number now, though nothing changed in themselves (RFC 8621 §2)."""

import asyncio
from typing import Final

from malleposte.store.dialect import Reader, Row

SLICE: Final = 1_000
"""Emails looked at by a statement: some 5 ms."""
MOST: Final = 20_000
"""Emails past which nobody looks."""
_CHANGED: Final = (
    "SELECT e.modseq, e.id FROM email e WHERE e.account = $1 AND (e.modseq, e.id) > ($2, $3)"
    " ORDER BY e.modseq, e.id LIMIT $4"
)
_TOUCHED: Final = (
    "SELECT max(c.modseq), b.id, b.created_modseq, 1 FROM (SELECT e.thread, max(e.modseq) AS modseq"
    " FROM email e WHERE e.account = $1 AND (e.modseq, e.id) > ($2, $3)"
    " AND (e.modseq, e.id) <= ($4, $5) GROUP BY e.thread) c JOIN email t ON t.thread = c.thread"
    " JOIN membership m ON m.email = t.id JOIN mailbox b ON b.id = m.mailbox"
    " GROUP BY b.id, b.created_modseq"
)
_LAST: Final = (1 << 63) - 1


async def touched(reader: Reader, account: int, since: int) -> list[Row] | None:
    """Rows as ``change_log.told`` takes them: the modseq of the last change of a thread, and the mailbox.
    None: too much changed after ``since``."""
    found: dict[int, Row] = {}
    place = (since, _LAST)
    for _ in range(0, MOST, SLICE):
        rows = await reader.rows(_CHANGED, account, *place, SLICE)
        if not rows:
            break
        end = (rows[-1][0], rows[-1][1])
        for row in await reader.rows(_TOUCHED, account, *place, *end):
            # Later slices have later changes.
            found[row[1]] = row
        place = end
        if len(rows) < SLICE:
            break
        await asyncio.sleep(0)
    else:
        return None
    return sorted(found.values(), key=lambda row: (row[0], row[1]))
