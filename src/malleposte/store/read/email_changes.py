"""Which emails of an account changed since a modseq: the change log, as lists and JMAP read it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from malleposte.store.dialect import Reader, any_of, both
from malleposte.store.ids import LOW

SLICE: Final = 5_000
"""Rows a statement brings: some 4 ms."""
_LAST: Final = (1 << 63) - 1
_HEAD: Final = "SELECT modseq, tombstone_floor FROM account_head WHERE account = $1"
_CHANGED: Final = (
    "SELECT id, modseq FROM email WHERE account = $1 AND (modseq, id) > ($2, $3)"
    " ORDER BY modseq, id LIMIT $4"
)
_MARKED: Final = (
    "SELECT email, modseq FROM reader_seen WHERE reader = $1 AND email >> 32 = $2"
    " AND (modseq, email) > ($3, $4) ORDER BY modseq, email LIMIT $5"
)
_GONE: Final = (
    "SELECT first, last FROM tombstone WHERE account = $1 AND kind = 'email' AND container = 0"
    " AND modseq > $2 ORDER BY modseq, first LIMIT $3"
)
_FELLOWS: Final = both(
    "SELECT t.id FROM email t WHERE t.thread IN (SELECT e.thread FROM email e WHERE {emails})",
    emails=any_of("e.id", 1),
)

_MADE: Final = both(
    "SELECT e.id FROM email e WHERE {emails} AND e.created_modseq > $2",
    emails=any_of("e.id", 1),
)


@dataclass(frozen=True, slots=True)
class Head:
    """Of an account: its latest modseq, and the one up to which tombstones are gone."""

    modseq: int
    floor: int


async def head(reader: Reader, account: int) -> Head | None:
    """None: there is no such account."""
    row = await reader.row(_HEAD, account)
    return None if row is None else Head(*row)


async def changed(
    reader: Reader, account: int, since: int, most: int, *, actor: int = 0
) -> set[int] | None:
    """Numbers of emails that are other, or gone, since a modseq; ``actor``: also those on which this
    reader's mark is. None: more than ``most``."""
    found: set[int] = set()
    modseq, email = since, _LAST
    while True:
        rows = await reader.rows(_CHANGED, account, modseq, email, SLICE)
        found.update(row[0] & LOW for row in rows)
        if len(found) > most:
            return None
        if len(rows) < SLICE:
            break
        email, modseq = rows[-1]
        await asyncio.sleep(0)
    modseq, email = since, _LAST
    while actor:
        rows = await reader.rows(_MARKED, actor, account, modseq, email, SLICE)
        found.update(row[0] & LOW for row in rows)
        if len(found) > most:
            return None
        if len(rows) < SLICE:
            break
        email, modseq = rows[-1]
        await asyncio.sleep(0)
    gone = await reader.rows(_GONE, account, since, most + 1)
    if sum(last - first + 1 for first, last in gone) + len(found) > most:
        return None
    for first, last in gone:
        found.update(number & LOW for number in range(first, last + 1))
    return found


async def made_since(reader: Reader, account: int, numbers: Sequence[int], since: int) -> set[int]:
    """Of these emails those that were made after a modseq."""
    base = account << 32
    found: set[int] = set()
    ordered = sorted(numbers)
    for start in range(0, len(ordered), SLICE):
        part = [base | number for number in ordered[start : start + SLICE]]
        found.update(row[0] & LOW for row in await reader.rows(_MADE, part, since))
        await asyncio.sleep(0)
    return found


async def with_threads(reader: Reader, account: int, numbers: set[int]) -> set[int]:
    """These emails, and all others of their threads, as far as they are known still."""
    base = account << 32
    found = set(numbers)
    ordered = sorted(numbers)
    for start in range(0, len(ordered), SLICE):
        part = [base | number for number in ordered[start : start + SLICE]]
        found.update(row[0] & LOW for row in await reader.rows(_FELLOWS, part))
        await asyncio.sleep(0)
    return found
