r"""Others' mailboxes in lists: those the session may look up, under the names it has for them.

A level of a name that is no mailbox to the session (a namespace, an owner whose INBOX is not shared, a
mailbox without the right ``l``) is listed as ``\Noselect``: programs build trees from what they are told.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from malleposte.services.imapd import names
from malleposte.store.read import shared
from malleposte.store.read.mailboxes import Mailbox
from malleposte.store.read.shared import Shared
from malleposte.store.unread import Unread, as_read

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session


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
        found = await session.reading(_unseen(session.service.store.unread, session.actor, found))
    taken = set(own)
    boxes = {names.full(one.sharer, one.box.path): one for one in found}
    above = names.ancestors(boxes)
    rows = [
        Name(name, one.box, one.letters, name in above)
        for name, one in boxes.items()
        if name not in taken
    ]
    rows += [
        Name(name, None, "", True) for name in above if name not in boxes and name not in taken
    ]
    rows.sort(key=lambda row: row.name.split(names.SEPARATOR))
    return rows


async def _unseen(unread: Unread, actor: int, found: list[Shared]) -> list[Shared]:
    """With the actor's own count of what is unseen: one statement for most, however many share."""
    accounts = {one.sharer.account for one in found}
    more = await unread.differences(actor, accounts)
    return [replace(one, box=as_read(one.box, more)) for one in found]
