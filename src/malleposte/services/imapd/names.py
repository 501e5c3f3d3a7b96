"""From a mailbox's full name to its id, and back: the one place that knows namespaces.

Only the signed-in account's own mailboxes for now: the personal namespace has no prefix.
"""

from typing import TYPE_CHECKING

from malleposte.normal_form import normal
from malleposte.services.imapd.replies import NO_SUCH_MAILBOX, refuse
from malleposte.store.read import mailboxes
from malleposte.store.read.mailboxes import Mailbox

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

SEPARATOR = "/"
PERSONAL = (("", SEPARATOR),)
"""Prefix and separator of the personal namespace (RFC 9051 §6.3.10)."""


def kept(name: str) -> str:
    """A name as the store keeps it: NFC, without a separator at its end."""
    return normal("NFC", name).removesuffix(SEPARATOR)


async def find(session: "Session", name: str) -> int:
    """The id of a mailbox; 0 where there is none of this name."""
    reader = session.service.store.reader
    return await session.reading(mailboxes.find(reader, session.actor, kept(name)))


async def need(session: "Session", name: str, *, target: bool = False) -> int:
    """The id of a mailbox. Raises ``Refuse``; ``target`` as in ``replies.refuse``."""
    mailbox = await find(session, name)
    if not mailbox:
        raise refuse(NO_SUCH_MAILBOX, target=target)
    return mailbox


async def row(session: "Session", name: str) -> Mailbox:
    """A mailbox with its counters. Raises ``Refuse``."""
    reader = session.service.store.reader
    found = await session.reading(mailboxes.mailbox(reader, await need(session, name)))
    if found is None:
        raise refuse(NO_SUCH_MAILBOX)
    return found
