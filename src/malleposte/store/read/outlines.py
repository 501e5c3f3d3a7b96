"""Mailboxes in few words each, a slice at a time, and some of them whole: for lists that are sent as their
readers take them, so that not even a list of all is ever in memory."""

from collections.abc import Collection, Iterator
from typing import Final

from malleposte.store.dialect import Reader, Row, any_of, both
from malleposte.store.ids import account_of
from malleposte.store.read.mailboxes import COLUMNS, Mailbox, Paths, mailbox_of
from malleposte.store.read.rights import AT_ONCE, LETTERS, LISTED, summed
from malleposte.store.read.sharers import Sharer

TOGETHER: Final = 250
"""Accounts of others that are read in one statement, if they have few mailboxes."""

_OWN = (
    "SELECT id, parent, name, role, subscribed, sort_order FROM mailbox"
    f" WHERE id > $1 AND id < $2 ORDER BY id LIMIT {AT_ONCE}"
)
_OTHERS = f"SELECT b.id, b.parent, b.name, {LETTERS} FROM {LISTED}"
_OF_ACCOUNTS = both(f"{_OTHERS} WHERE {{accounts}}", accounts=any_of("b.account", 2))
_SLICE = f"{_OTHERS} WHERE b.id > $2 AND b.id < $3 ORDER BY b.id LIMIT {AT_ONCE}"
_WHOLE = both(
    # With all that stands above them, for their names; a damaged parent below its child ends it, too.
    "WITH RECURSIVE up (id, parent) AS (SELECT id, parent FROM mailbox WHERE {ids}"
    " UNION SELECT b.id, b.parent FROM up JOIN mailbox b ON b.id = up.parent)"
    f" SELECT {COLUMNS} FROM up JOIN mailbox b ON b.id = up.id",
    ids=any_of("id", 1),
)


async def own(reader: Reader, account: int, after: int = 0) -> list[Row]:
    """An account's mailboxes behind one: (id, parent, name, role, subscribed, sort order); the last ones
    where they are fewer than ``AT_ONCE``."""
    return await reader.rows(_OWN, after or account << 32, (account + 1) << 32)


async def of_others(
    reader: Reader, actor: int, few: Collection[Sharer], after: int = 0
) -> list[Row]:
    """Mailboxes of other accounts, read ``together``: (id, parent, name, letters). The letters are what
    the mailbox's own list gives an actor; None: it has none. Of one alone, as ``own``."""
    if len(few) > 1:
        rows = await reader.rows(_OF_ACCOUNTS, actor, [sharer.account for sharer in few])
    else:
        (account,) = (sharer.account for sharer in few)
        rows = await reader.rows(_SLICE, actor, after or account << 32, (account + 1) << 32)
    return [(*row[:3], None if row[3] is None else summed(row[3])) for row in rows]


def together(sharers: Collection[Sharer]) -> Iterator[list[Sharer]]:
    """Those who can be read in one statement: of few mailboxes, or one alone."""
    few: list[Sharer] = []
    boxes = 0
    for sharer in sharers:
        if few and (boxes + sharer.reach > AT_ONCE or len(few) >= TOGETHER):
            yield few
            few, boxes = [], 0
        few.append(sharer)
        boxes += sharer.reach
    if few:
        yield few


async def whole(reader: Reader, ids: Collection[int]) -> dict[int, Mailbox]:
    """Mailboxes with their full names, by id, as they are at one moment; those that are gone are left
    out."""
    rows = {row[0]: row for row in await reader.rows(_WHOLE, list(ids))}
    paths = Paths({one: (row[1], row[2]) for one, row in rows.items()})
    return {one: mailbox_of(rows[one], paths.of(one)) for one in ids if one in rows}


def inbox_of(mailbox: int) -> int:
    """INBOX of a mailbox's account."""
    return account_of(mailbox) << 32 | 1
