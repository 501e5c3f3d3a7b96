"""Which special use a mailbox takes by its name (decision 0013): one Sent, whoever made it.

A client that does not look at special uses makes a Sent of its own, under a name of its language. Where
the account's own was never used, the client's takes its place; where no mailbox has the use, the name is
enough. Nothing is moved, hidden or called otherwise that ever held mail.
"""

from typing import TYPE_CHECKING

from malleposte.i18n.folder_names import role_of
from malleposte.services.imapd.names import Place
from malleposte.store.read import mailboxes
from malleposte.store.read.mailboxes import Mailbox

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session


async def wanted(session: "Session", place: Place, asked: str | None) -> tuple[str | None, int]:
    """The role of a mailbox that is to be made, as asked for or by its name, and the mailbox that gives
    it up if it was never used (0: none).

    One that its owner has named otherwise keeps the role against a name, not against who asks for it.
    """
    role = asked or role_of(place.path) or None
    if role is None or place.foreign:
        return asked, 0
    for box in await _all(session):
        if box.role == role:
            return role, box.id if asked or role_of(box.path) == role else 0
    return role, 0


async def heir(session: "Session", place: Place, role: str | None) -> int:
    """The mailbox that takes the role of one that is deleted: by its name, the fullest; 0 for none."""
    if role is None or place.foreign:
        return 0
    named = [box for box in await _all(session) if box.role is None and role_of(box.path) == role]
    return max(named, key=lambda box: box.messages).id if named else 0


async def _all(session: "Session") -> list[Mailbox]:
    return await session.reading(mailboxes.mailboxes(session.service.store.reader, session.actor))
