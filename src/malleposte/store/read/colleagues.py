"""The accounts of an organisation, as its people see each other: never those of another."""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

from malleposte.store.dialect import Reader, any_of, both

AT_ONCE: Final = 1_000
"""Accounts in one statement: some 2 ms."""
_COLUMNS: Final = "id, address, name, kind"
_EVERY: Final = (
    f"SELECT {_COLUMNS} FROM account WHERE organisation = $1 AND id > $2"
    " AND status <> 'deleted' AND kind IN ('person', 'shared', 'resource')"
    f" ORDER BY id LIMIT {AT_ONCE}"
)


_SOME: Final = both(
    f"SELECT {_COLUMNS} FROM account WHERE organisation = $1 AND {{ids}}"
    " AND status <> 'deleted' AND kind IN ('person', 'shared', 'resource')",
    ids=any_of("id", 2),
)


class Colleague(NamedTuple):
    """An account to share with. ``kind``: person, shared, resource."""

    id: int
    address: str
    name: str
    kind: str


async def every(reader: Reader, organisation: int) -> list[Colleague]:
    """All of an organisation, by id; a slice at a time. Devices read no mail, and are left out."""
    found: list[Colleague] = []
    after = 0
    while True:
        rows = await reader.rows(_EVERY, organisation, after)
        found += map(Colleague._make, rows)
        if len(rows) < AT_ONCE:
            return found
        after = rows[-1][0]
        await asyncio.sleep(0)


async def some(reader: Reader, organisation: int, accounts: Sequence[int]) -> list[Colleague]:
    """Of accounts those that are of an organisation."""
    return [Colleague._make(row) for row in await reader.rows(_SOME, organisation, list(accounts))]


async def version(reader: Reader) -> int:
    """Moves with each change of the directory."""
    row = await reader.row("SELECT version FROM directory_head WHERE id = 1")
    return int(row[0]) if row is not None else 0
