"""Names an account subscribed to that no mailbox has, where mailboxes come and go under them.

A subscription is the client's: RENAME and DELETE leave the old name in the list, and a mailbox that comes
under a name of the list is subscribed (RFC 9051 §6.3.7, §6.3.9).
"""

from typing import Final

from malleposte.store import dialect
from malleposte.store.dialect import any_of, both
from malleposte.store.read.rights import MAX_DEPTH
from malleposte.store.work import Work

SEPARATOR: Final = "/"
MAX_NAMES: Final = 10_000
"""Names in the list of an account, besides those that others' rights brought."""
MOST_BROUGHT: Final = 1_000
"""Names that others' rights bring: nobody fills another's list, or leaves him no room in it."""
MOST_KEPT: Final = MAX_NAMES // 2
"""Names in a list to which RENAME and DELETE still add: the rest is for what the client asks for."""
HELD: Final = "SELECT count(*) FROM subscription WHERE account = $1 AND given = 0"
BROUGHT: Final = "SELECT count(*) FROM subscription WHERE account = $1 AND given = 1"
SUBSCRIBE: Final = (
    "INSERT INTO subscription (account, name) SELECT CAST($1 AS bigint), CAST($2 AS text)"
    f" WHERE ({HELD}) < {MOST_KEPT}"
    " ON CONFLICT DO NOTHING"
)
"""Keep the name of a mailbox that goes, while the list has room."""
UNSUBSCRIBE: Final = "DELETE FROM subscription WHERE account = $1 AND name = $2"
_KEEP: Final = dialect.insert(
    "subscription", {"account": "bigint", "name": "text"}, on_conflict="ON CONFLICT DO NOTHING"
)
_NAMES: Final = dialect.Sql(
    sqlite="name IN (SELECT value FROM json_each($2))", postgres="name = ANY($2::text[])"
)
_AMONG: Final = both("SELECT name FROM subscription WHERE account = $1 AND {names}", names=_NAMES)
_TAKE: Final = both("DELETE FROM subscription WHERE account = $1 AND {names}", names=_NAMES)
_SUBSCRIBED: Final = both(
    "UPDATE mailbox SET subscribed = 1 WHERE {mailboxes}", mailboxes=any_of("id", 1)
)

Moved = list[tuple[int, str, bool]]
"""A mailbox that gets another name, and those below it: id, what follows that name, subscribed."""


async def path_of(work: Work, mailbox: int) -> str:
    """A mailbox's full name."""
    parts: list[str] = []
    while mailbox and len(parts) <= MAX_DEPTH:
        row = await work.mailbox(mailbox)
        if row is None:
            break
        parts.append(row.name)
        mailbox = row.parent
    return SEPARATOR.join(reversed(parts))


async def with_those_below(work: Work, account: int, mailbox: int) -> Moved:
    """What moves with a mailbox, itself first."""
    below: dict[int, list[tuple[int, str, bool]]] = {}
    moved: Moved = []
    for one, parent, name, subscribed in await work.tx.rows(
        "SELECT id, parent, name, subscribed FROM mailbox WHERE account = $1", account
    ):
        if one == mailbox:
            moved.append((one, "", bool(subscribed)))
        else:
            below.setdefault(parent, []).append((one, name, bool(subscribed)))
    for one, rest, _ in moved:  # grows as it goes down
        children = below.pop(one, ())
        moved += [(child, f"{rest}{SEPARATOR}{name}", on) for child, name, on in children]
    return moved


async def keep(work: Work, account: int, top: str, moved: Moved) -> None:
    """The names of those that leave ``top`` stay subscribed, while the list has room for them: only the
    client takes one away."""
    if not any(subscribed for _, _, subscribed in moved):
        return
    held = await work.tx.row(HELD, account)
    room = MOST_KEPT - (held[0] if held else 0)
    kept = [(account, top + rest) for _, rest, subscribed in moved if subscribed]
    if room > 0:
        await work.tx.many(_KEEP, kept[:room])


async def take(work: Work, account: int, top: str, moved: Moved) -> None:
    """Those that came under ``top`` are subscribed where their names were."""
    came = {top + rest: mailbox for mailbox, rest, _ in moved}
    rows = await work.tx.rows(_AMONG, account, list(came))
    if rows:
        await work.tx.run(_TAKE, account, [row[0] for row in rows])
        await work.tx.run(_SUBSCRIBED, [came[row[0]] for row in rows])


async def take_one(work: Work, account: int, name: str, mailbox: int) -> None:
    """The same for one mailbox that came under a name."""
    if await work.tx.run(UNSUBSCRIBE, account, name):
        await work.tx.run("UPDATE mailbox SET subscribed = 1 WHERE id = $1", mailbox)
