"""Accounts in which something is shared with an actor, by name or with anyone.

They are found one after the other by the index of grantees: what is looked at is the first right that each
of them gave, however many there are.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from malleposte.store.dialect import Reader, any_of, both

OPENED: Final = 500
"""Accounts of others that a program is told of at once."""
AT_ONCE: Final = 500
"""Accounts found in one statement: some 2 ms."""

_NEXT = (
    "(SELECT min(r.mailbox) FROM mailbox_right r"
    " WHERE r.grantee = {grantee} AND r.mailbox >= ({after} + 1) << 32) >> 32"
)
_SHARING = (
    "WITH RECURSIVE found (grantee, account, n) AS (SELECT g.id, "
    + _NEXT.format(grantee="g.id", after="CAST($1 AS bigint)")
    + ", 1 FROM (SELECT CAST($2 AS bigint) AS id UNION ALL SELECT 0) g UNION ALL SELECT f.grantee, "
    + _NEXT.format(grantee="f.grantee", after="f.account")
    + f", f.n + 1 FROM found f WHERE f.account IS NOT NULL AND f.n < {AT_ONCE})"
    " SELECT f.account, f.n, o.id, o.address, o.kind, coalesce(h.modseq, 0),"
    " coalesce(h.next_mailbox, 0) FROM found f"
    " JOIN account a ON a.id = $2 LEFT JOIN account o ON o.id = f.account AND o.id <> a.id"
    " AND o.organisation = a.organisation AND o.status <> 'deleted'"
    " LEFT JOIN account_head h ON h.account = o.id WHERE f.account IS NOT NULL"
)
_GIVEN = (
    "EXISTS (SELECT 1 FROM mailbox_right r WHERE r.grantee = {grantee}"
    " AND r.mailbox >= o.id << 32 AND r.mailbox < (o.id + 1) << 32)"
)
_BY_ADDRESS = (
    "SELECT o.id, o.address, o.kind FROM account o JOIN account a ON a.organisation = o.organisation"
    " WHERE o.address = $1 AND a.id = $2 AND o.id <> a.id AND o.status <> 'deleted' AND ("
    + _GIVEN.format(grantee="a.id")
    + " OR "
    + _GIVEN.format(grantee="0")
    + ")"
)

_SOME = both(
    "SELECT o.id, o.address, o.kind, coalesce(h.modseq, 0), coalesce(h.next_mailbox, 0) FROM account o"
    " JOIN account a ON a.organisation = o.organisation LEFT JOIN account_head h ON h.account = o.id"
    " WHERE {accounts} AND a.id = $2 AND o.id <> a.id AND o.status <> 'deleted'",
    accounts=any_of("o.id", 1),
)


_RIGHTS = (
    "EXISTS (SELECT 1 FROM mailbox_right r WHERE r.grantee IN ($1, 0)"
    " AND r.mailbox >= o.id << 32 AND r.mailbox < (o.id + 1) << 32 AND {which})"
)
_MORE_THAN_READING = "replace(replace(replace(r.letters, 'l', ''), 'r', ''), 'p', '') <> ''"
_OPENED = both(
    "SELECT o.id, o.address, o.kind, CASE WHEN "
    + _RIGHTS.format(which=_MORE_THAN_READING)
    + " THEN 1 ELSE 0 END, CASE WHEN "
    + _RIGHTS.format(which="r.mailbox = (o.id << 32) + 1 AND r.letters LIKE '%k%'")
    + " THEN 1 ELSE 0 END FROM account o WHERE {accounts} AND "
    + _RIGHTS.format(which="r.letters LIKE '%l%'")
    + " ORDER BY o.address",
    accounts=any_of("o.id", 2),
)


@dataclass(frozen=True, slots=True)
class Opened:
    """An account of which an actor sees a mailbox. ``writes``: there is one in which he may change
    something; ``creates``: he may make mailboxes beside INBOX."""

    account: int
    address: str
    kind: str
    writes: bool
    creates: bool


@dataclass(frozen=True, slots=True)
class Sharer:
    """An account some of whose mailboxes others may use. ``kind``: person, shared, resource.

    ``modseq`` and ``reach``, where it was read with them: the account's last change, and a number that
    none of its mailboxes reaches.
    """

    account: int
    address: str
    kind: str
    modseq: int = field(default=0, compare=False)
    reach: int = field(default=0, compare=False)


async def sharing(reader: Reader, actor: int) -> list[Sharer]:
    """Accounts, other than the actor's, in which somebody gave something to the actor or to anyone; by
    address. One statement for up to ``AT_ONCE`` of them."""
    found: dict[int, Sharer] = {}
    after = 0
    while True:
        ends: list[int] = []
        for account, n, owner, *about in await reader.rows(_SHARING, after, actor):
            if owner is not None:
                found[owner] = Sharer(owner, *about)
            if n == AT_ONCE:
                ends.append(account)
        if not ends:
            break
        # Both, what is given to the actor and to anyone, are known up to here.
        after = min(ends)
        await asyncio.sleep(0)
    return sorted(found.values(), key=lambda sharer: sharer.address)


async def opened(reader: Reader, actor: int) -> list[Opened]:
    """Of these accounts those of which the actor sees a mailbox; by address. A mailbox is seen where a
    list says so, its own or one that counts for others too: that the right stands in one is enough.
    The first ``OPENED``: what is given to anyone may be much, and each is a paragraph of a session."""
    found = await sharing(reader, actor)
    if not found:
        return []
    rows = await reader.rows(_OPENED, actor, [one.account for one in found])
    return [
        Opened(account, address, kind, bool(writes), bool(creates))
        for account, address, kind, writes, creates in rows[:OPENED]
    ]


async def sharer(reader: Reader, actor: int, address: str) -> Sharer | None:
    """The one of these accounts that has an address, in the directory's form; the others cost nothing."""
    row = await reader.row(_BY_ADDRESS, address, actor)
    return None if row is None else Sharer(*row)


async def some(reader: Reader, actor: int, accounts: Collection[int]) -> list[Sharer]:
    """Of accounts that shared something with an actor those that still may, in the same order."""
    rows = {row[0]: Sharer(*row) for row in await reader.rows(_SOME, list(accounts), actor)}
    return [rows[account] for account in accounts if account in rows]
