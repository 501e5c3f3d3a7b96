"""How long full names may be: one of them, and all of an account together.

Lists hold them all, for whoever reads slowly and for each colleague they are shared with. Names that are
longer, or more, from before this was asked, stay; what makes them longer still is refused.
"""

from itertools import accumulate
from typing import Final

from malleposte.store.dialect import Sql, both
from malleposte.store.execute.listed_names import SEPARATOR, Moved
from malleposte.store.results import Refused
from malleposte.store.work import Work

MAX_PATH: Final = 1_000
"""Octets of a full name in UTF-8. People's have some 30; other servers end between 200 and 4,000."""
MAX_OCTETS: Final = 4_000_000
"""Octets of all full names of an account: 400 each where there are as many mailboxes as there may be."""

_COUNT: Final = "SELECT count(*) FROM mailbox WHERE account = $1"
_LENGTH: Final = Sql(sqlite="length(CAST(b.name AS BLOB))", postgres="octet_length(b.name)")
_ALL: Final = both(
    "WITH RECURSIVE full_name (id, octets) AS ("
    "SELECT b.id, {length} FROM mailbox b WHERE b.account = $1 AND b.parent = 0"
    # CROSS keeps SQLite from walking through all mailboxes for each of them.
    " UNION ALL SELECT b.id, f.octets + 1 + {length} FROM full_name f CROSS JOIN mailbox b"
    " WHERE b.account = $1 AND b.parent = f.id) SELECT sum(octets) FROM full_name",
    length=_LENGTH,
)
_TOO_LONG: Final = Refused(
    reason="limit", text=f"a full name has at most {MAX_PATH} octets: choose a shorter one"
)
_TOO_MUCH: Final = Refused(
    reason="limit",
    text=f"the full names of an account's mailboxes have at most {MAX_OCTETS // 1_000_000} million"
    " octets together: choose shorter ones, or delete mailboxes",
)


def octets(name: str) -> int:
    """Of a name in UTF-8."""
    return len(name.encode("utf-8", "surrogatepass"))


async def no_room_to_make(
    work: Work, account: int, above: str, missing: list[str]
) -> Refused | None:
    """Why mailboxes cannot be made, one below the other, below the one of a full name ('': on top)."""
    return await _no_room(work, account, _made(above, missing), 0)


async def no_room_to_move(
    work: Work, account: int, old: str, moved: Moved, above: str, path: list[str]
) -> Refused | None:
    """Why a mailbox and those below it cannot go from a full name to ``path`` below ``above``; all of
    ``path`` but its end is made for it."""
    *made, new = _made(above, path)
    longer = new - octets(old)
    if longer > 0 and new + max(octets(rest) for _, rest, _ in moved) > MAX_PATH:
        return _TOO_LONG
    return await _no_room(work, account, made, longer * len(moved))


def _made(above: str, levels: list[str]) -> list[int]:
    """Octets of the full names of levels, one below the other."""
    first, *rest = map(octets, levels)
    start = first + (octets(above + SEPARATOR) if above else 0)
    return list(accumulate(rest, lambda length, name: length + 1 + name, initial=start))


async def _no_room(work: Work, account: int, made: list[int], more: int) -> Refused | None:
    if made and made[-1] > MAX_PATH:
        return _TOO_LONG
    more += sum(made)
    if more <= 0:
        return None
    count = await work.tx.row(_COUNT, account)
    if count is None or (count[0] + len(made)) * MAX_PATH <= MAX_OCTETS:
        return None  # most accounts, whatever their names
    held = await work.tx.row(_ALL, account)
    return _TOO_MUCH if held is not None and int(held[0] or 0) + more > MAX_OCTETS else None
