"""Which tombstones may go: kept by number and at least for a time, whatever the account did since."""

import asyncio
from array import array

from malleposte.store.dialect import Reader

SLICE = 5_000
"""Rows read before other work of the loop runs."""

_NEXT = (
    "SELECT kind, container, modseq, first, at FROM tombstone WHERE account = $1"
    " AND (kind, container, modseq, first) > ($2, $3, $4, $5)"
    " ORDER BY kind, container, modseq, first LIMIT $6"
)
_MANY = "SELECT 1 FROM tombstone WHERE account = $1 LIMIT 1"


async def sweepable(reader: Reader, account: int, *, number: int, before: int) -> int:
    """The modseq up to which an account's tombstones may go: beyond its newest ``number``, and made
    ``before``. 0: none may."""
    if await reader.row(_MANY, account) is None:
        return 0
    modseqs: array[int] = array("q")
    old = 0
    key: tuple[str, int, int, int] = ("", 0, 0, 0)
    while True:
        rows = await reader.rows(_NEXT, account, *key, SLICE)
        for kind, container, modseq, first, at in rows:
            key = (kind, container, modseq, first)
            modseqs.append(modseq)
            if at < before:
                old = max(old, modseq)
        if len(rows) < SLICE:
            break
        await asyncio.sleep(0)
    surplus = len(modseqs) - number
    if surplus <= 0 or not old:
        return 0
    ordered = await asyncio.to_thread(sorted, modseqs)
    # A change's tombstones go together: the cut is before the first one that must stay.
    cut = ordered[surplus] - 1 if number else ordered[-1]
    return max(0, min(old, cut))


async def accounts_with_heads(reader: Reader, after: int, limit: int) -> list[int]:
    """Ids of accounts, in order, from after one."""
    rows = await reader.rows(
        "SELECT account FROM account_head WHERE account > $1 ORDER BY account LIMIT $2",
        after,
        limit,
    )
    return [row[0] for row in rows]
