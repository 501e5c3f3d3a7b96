"""Names under which readers subscribed to mailboxes of another account, and what becomes of them with it.

A name is in the reader's own list, as the reader writes it; beside it stands which mailbox it is of, and
whether the right that was given brought it. Where the mailbox is renamed, or one above it, the name
follows. What a right brought goes with the right and with the mailbox; what the reader subscribed to
himself stays in his list until he takes it out (RFC 9051 §6.3.7).

Readers' accounts are not named by the commands that do this, so that their heads are locked late: on
PostgreSQL two that meet may have to be tried again.
"""

from collections.abc import Collection
from typing import Any, Final

from malleposte.store import dialect
from malleposte.store.dialect import Row, Sql, any_of, both
from malleposte.store.execute.listed_names import BROUGHT, MOST_BROUGHT, SEPARATOR, Moved
from malleposte.store.read.rights import seen_by
from malleposte.store.work import Work

MOST_FOLLOWING: Final = 20_000
"""Names that follow one renaming (some 0.2 s); those past it keep the old name."""

_BRING = (
    "INSERT INTO subscription (account, name, mailbox, given) VALUES ($1, $2, $3, 1)"
    # One that was there is the reader's own.
    " ON CONFLICT (account, name) DO UPDATE SET mailbox = excluded.mailbox"
)
_CHOOSE = (
    "INSERT INTO subscription (account, name, mailbox, given) VALUES ($1, $2, $3, 0)"
    " ON CONFLICT (account, name) DO UPDATE SET mailbox = excluded.mailbox, given = 0"
)
_BROUGHT = "SELECT account, name FROM subscription WHERE mailbox = $1 AND given = 1"
_OF = both(
    "SELECT account, name, mailbox, given FROM subscription WHERE {mailboxes}"
    " ORDER BY account, name LIMIT $2",
    mailboxes=any_of("mailbox", 1),
)
_KEY = {"account": "bigint", "name": "text"}
_DROP = dialect.Bulk(
    sqlite="DELETE FROM subscription WHERE account = $1 AND name = $2",
    postgres="DELETE FROM subscription s USING unnest($1::bigint[], $2::text[]) AS v(account, name)"
    " WHERE s.account = v.account AND s.name = v.name",
    types=tuple(_KEY.values()),
)
_PUT = dialect.insert(
    "subscription",
    {**_KEY, "mailbox": "bigint", "given": "bigint"},
    on_conflict="ON CONFLICT (account, name) DO UPDATE SET mailbox = excluded.mailbox",
)
_LEFT = "UPDATE subscription SET mailbox = 0 WHERE mailbox = $1"
_ALL_BROUGHT = "DELETE FROM subscription WHERE mailbox BETWEEN $1 AND $2 AND given = 1"
_ALL_LEFT = "UPDATE subscription SET mailbox = 0 WHERE mailbox BETWEEN $1 AND $2"


async def bring(work: Work, reader: int, name: str, mailbox: int) -> None:
    """Subscribe a reader to a mailbox that was given to him, if not too many others brought theirs."""
    head = await work.head(reader)
    brought = await work.tx.row(BROUGHT, reader)
    if head is None or (brought is not None and brought[0] >= MOST_BROUGHT):
        return
    await work.tx.run(_BRING, reader, name, mailbox)
    head.bump()


async def choose(work: Work, reader: int, name: str, mailbox: int) -> None:
    """Keep a name that a reader subscribes to himself; ``mailbox`` 0: of none that he may look up."""
    await work.tx.run(_CHOOSE, reader, name, mailbox)


async def withdraw(work: Work, mailbox: int, seeing: Collection[int] = ()) -> None:
    """Take away what rights on a mailbox had brought, but from those who see it still."""
    rows = await _locked(work, _BROUGHT, mailbox)
    await _drop(work, [row for row in rows if row[0] not in seeing])


async def leave(work: Work, mailbox: int) -> None:
    """A mailbox goes: what rights on it brought goes too, readers' own names stay and are of none."""
    await withdraw(work, mailbox)
    await work.tx.run(_LEFT, mailbox)


async def leave_all(work: Work, low: int, high: int) -> None:
    """The same for all mailboxes of an account that goes."""
    await work.tx.run(_ALL_BROUGHT, low, high)
    await work.tx.run(_ALL_LEFT, low, high)


async def follow(work: Work, account: int, *moves: tuple[str, str, Moved]) -> None:
    """Names of what left one full name for another (of each move: from, to, what) get the new one, as their
    readers see it.

    Those who may no longer look the mailbox up are not told where it went: they keep the old name.
    """
    places = {
        mailbox: (f"{SEPARATOR}{old}{rest}", f"{SEPARATOR}{new}{rest}")
        for old, new, moved in moves
        for mailbox, rest, _ in moved
    }
    rows = await _locked(work, _OF, list(places), MOST_FOLLOWING)
    if not rows:
        return
    seen = await seen_by(work.tx, account, [(row[0], row[2]) for row in rows])
    gone: list[Row] = []
    come: list[Row] = []
    for reader, name, mailbox, given in rows:
        before, after = places[mailbox]
        if (reader, mailbox) in seen and name.endswith(before):
            gone.append((reader, name))
            come.append((reader, name.removesuffix(before) + after, mailbox, given))
    await _drop(work, gone)
    if come:
        await work.tx.many(_PUT, come)


async def _locked(work: Work, sql: str | Sql, *parameters: Any) -> list[Row]:
    """Rows whose first column is a reader, read while nobody changes the lists of these."""
    readers = {row[0] for row in await work.tx.rows(sql, *parameters)}
    if not readers:
        return []
    await work.lock(readers)
    return [row for row in await work.tx.rows(sql, *parameters) if row[0] in readers]


async def _drop(work: Work, rows: list[Row]) -> None:
    if not rows:
        return
    await work.tx.many(_DROP, rows)
    for reader in {row[0] for row in rows}:
        head = await work.head(reader)
        if head is not None:
            head.bump()  # sessions look again
