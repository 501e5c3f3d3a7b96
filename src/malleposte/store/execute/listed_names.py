"""Names an account subscribed to that no mailbox has, where mailboxes come and go under them.

A subscription is the client's: RENAME and DELETE leave the old name in the list, and a mailbox that comes
under a name of the list is subscribed (RFC 9051 §6.3.7, §6.3.9).
"""

from typing import Final

from malleposte.store.read.rights import MAX_DEPTH
from malleposte.store.work import Work

SEPARATOR: Final = "/"
MAX_NAMES: Final = 10_000
"""Names in the list of an account."""
SUBSCRIBE: Final = "INSERT INTO subscription (account, name) VALUES ($1, $2) ON CONFLICT DO NOTHING"
UNSUBSCRIBE: Final = "DELETE FROM subscription WHERE account = $1 AND name = $2"

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
    """The names of those that leave ``top`` stay subscribed: only the client takes one away."""
    for _, rest, subscribed in moved:
        if subscribed:
            await work.tx.run(SUBSCRIBE, account, top + rest)


async def take(work: Work, account: int, top: str, moved: Moved) -> None:
    """Those that came under ``top`` are subscribed where their names were."""
    rows = await work.tx.rows("SELECT name FROM subscription WHERE account = $1", account)
    names = {row[0] for row in rows}
    for mailbox, rest, _ in moved:
        if top + rest in names:
            await take_one(work, account, top + rest, mailbox)


async def take_one(work: Work, account: int, name: str, mailbox: int) -> None:
    """The same for one mailbox that came under a name."""
    if await work.tx.run(UNSUBSCRIBE, account, name):
        await work.tx.run("UPDATE mailbox SET subscribed = 1 WHERE id = $1", mailbox)
