"""Mailboxes of other accounts that an actor may look up: a statement for some hundred accounts, and a slice
at a time of those that have many."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from malleposte.store.dialect import Reader, Row, any_of, both
from malleposte.store.ids import account_of
from malleposte.store.read.mailboxes import COLUMNS, Mailbox, Paths, mailbox_of
from malleposte.store.read.rights import AT_ONCE, LETTERS, LISTED, nearest, summed
from malleposte.store.read.sharers import Sharer, sharing

_OF_ACCOUNTS = both(
    f"SELECT {LETTERS}, {COLUMNS} FROM {LISTED} WHERE {{accounts}}",
    accounts=any_of("b.account", 2),
)
_SLICE = (
    f"SELECT {LETTERS}, {COLUMNS} FROM {LISTED} WHERE b.id > $2 AND b.id < $3"
    f" ORDER BY b.id LIMIT {AT_ONCE}"
)
_BREATH = 500
"""Mailboxes named between two breaths: some 2 ms."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A mailbox of ``sharer`` on which the one who asked holds ``letters``, ``l`` among them."""

    sharer: Sharer
    box: Mailbox
    letters: str


async def shared(reader: Reader, actor: int) -> list[Shared]:
    """All of them, those of an account together, by its address. One statement where nobody shares."""
    found: list[Shared] = []
    for few in _together(await sharing(reader, actor)):
        if len(few) == 1 and few[0].reach > AT_ONCE:
            found += await _visible(few[0], await _in_slices(reader, actor, few[0].account))
            continue
        rows: dict[int, list[Row]] = {sharer.account: [] for sharer in few}
        for row in await reader.rows(_OF_ACCOUNTS, actor, list(rows)):
            rows[account_of(row[1])].append(row)
        for sharer in few:
            await asyncio.sleep(0)
            found += await _visible(sharer, rows[sharer.account])
    return found


def _together(sharers: list[Sharer]) -> Iterator[list[Sharer]]:
    """Those who can be read in one statement: of so many mailboxes, or one alone."""
    few: list[Sharer] = []
    boxes = 0
    for sharer in sharers:
        if few and boxes + sharer.reach > AT_ONCE:
            yield few
            few, boxes = [], 0
        few.append(sharer)
        boxes += sharer.reach
    if few:
        yield few


async def _in_slices(reader: Reader, actor: int, account: int) -> list[Row]:
    found: list[Row] = []
    after, end = account << 32, (account + 1) << 32
    while True:
        rows = await reader.rows(_SLICE, actor, after, end)
        found += rows
        if len(rows) < AT_ONCE:
            return found
        after = rows[-1][1]
        await asyncio.sleep(0)


async def _visible(sharer: Sharer, rows: list[Row]) -> list[Shared]:
    """Of all mailboxes of an account those that may be looked up."""
    parents: dict[int, int] = {}
    lists: dict[int, str] = {}
    names: dict[int, tuple[int, str]] = {}
    for at, (text, mailbox, parent, name, *_) in enumerate(rows, 1):
        parents[mailbox] = parent
        names[mailbox] = (parent, name)
        if text is not None:
            lists[mailbox] = summed(text)
        if not at % AT_ONCE:
            await asyncio.sleep(0)
    paths = Paths(names)
    found: list[Shared] = []
    for at, (_, *row) in enumerate(rows, 1):
        letters = lists.get(nearest(row[0], parents, lists), "")
        if "l" in letters:
            found.append(Shared(sharer, mailbox_of(tuple(row), paths.of(row[0])), letters))
        if not at % _BREATH:
            await asyncio.sleep(0)
    return found
