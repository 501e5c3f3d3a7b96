r"""Others' mailboxes in lists: those the session may look up, under the names it has for them.

A level of a name that is no mailbox to the session (a namespace, an owner whose INBOX is not shared, a
mailbox without the right ``l``) is listed as ``\Noselect``: programs build trees from what they are told.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from malleposte.services.imapd import names
from malleposte.store.read import shared
from malleposte.store.read.mailboxes import Mailbox
from malleposte.store.read.shared import Shared
from malleposte.store.unread import as_read

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

_LEVELS: Final = "\0"


@dataclass(frozen=True, slots=True)
class Name:
    """A name to list; ``box`` is None where it only stands above others."""

    name: str
    box: Mailbox | None
    letters: str
    children: bool


async def listed(session: "Session", own: Iterable[str], *, unseen: bool = False) -> list[Name]:
    """All of them, each below what stands above it. One statement where nothing is shared.

    ``own``: the session's own mailboxes, which come first where names are the same. ``unseen``: count
    what the session has not read.
    """
    reader = session.service.store.reader
    found = await session.reading(shared.shared(reader, session.actor))
    if not found:
        return []
    if unseen:
        found = await _unseen(session, found)
    taken = set(own)
    rows: dict[str, Name] = {}
    above: set[str] = set()
    for sharer, ones in groupby(found, key=attrgetter("sharer")):
        for one in ones:
            await session.pause()
            name = names.full(sharer, one.box.path)
            above.update(names.ancestors((name,), above))
            if name not in taken:
                rows[name] = Name(name, one.box, one.letters, False)
    for name in above - taken:
        await session.pause()
        row = rows.get(name)
        rows[name] = Name(name, None, "", True) if row is None else replace(row, children=True)
    return [rows[name] for name in await _in_order(session, rows)]


async def _in_order(session: "Session", found: Iterable[str]) -> list[str]:
    """Names level by level, those of one account after those of another: never many sorted at once."""
    by_owner: dict[str, list[str]] = {}
    for name in found:
        owner = name.split(names.SEPARATOR, 2)[:2]
        by_owner.setdefault(_LEVELS.join(owner), []).append(name)
    ordered: list[str] = []
    for owner_ in sorted(by_owner):
        await session.pause()
        # As lists of levels would be sorted, for nothing in a name comes before this.
        ordered += sorted(by_owner[owner_], key=lambda name: name.replace(names.SEPARATOR, _LEVELS))
    return ordered


async def _unseen(session: "Session", found: list[Shared]) -> list[Shared]:
    """With the session's own count of what is unseen: one statement for most, however many share."""
    accounts = {one.sharer.account for one in found}
    unread = session.service.store.unread
    more = await session.reading(unread.differences(session.actor, accounts))
    return [
        replace(one, box=as_read(one.box, more)) if one.box.id in more else one for one in found
    ]
