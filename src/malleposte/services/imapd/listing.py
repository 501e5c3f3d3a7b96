"""LIST, LSUB, NAMESPACE (RFC 9051 §6.3.9, §6.3.10, RFC 3501 §6.3.9)."""

from typing import TYPE_CHECKING, Final

from malleposte.services.imapd import names
from malleposte.store.read import mailboxes
from malleposte.wire.imap import responses
from malleposte.wire.imap.commands.listing import List, Namespace

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

SPECIAL_USE: Final = {
    "drafts": b"\\Drafts",
    "sent": b"\\Sent",
    "archive": b"\\Archive",
    "junk": b"\\Junk",
    "trash": b"\\Trash",
}


async def list_(session: "Session", command: List) -> bytes:
    """RFC 9051 §6.3.9."""
    utf8 = session.engine.utf8
    reader = session.service.store.reader
    if command.patterns == ("",) and not command.extended:
        session.send(responses.list_mailbox([b"\\Noselect"], names.SEPARATOR, "", utf8))
        return responses.ok(command.tag, "Done")
    found = await session.patiently(mailboxes.mailboxes(reader, session.actor))
    parents = {box.parent for box in found}
    for box in found:
        attributes = [b"\\HasChildren" if box.id in parents else b"\\HasNoChildren"]
        if box.role in SPECIAL_USE:
            attributes.append(SPECIAL_USE[box.role])
        session.send(responses.list_mailbox(attributes, names.SEPARATOR, box.path, utf8))
    return responses.ok(command.tag, "Done")


async def namespace(session: "Session", command: Namespace) -> bytes:
    """RFC 9051 §6.3.10."""
    session.send(responses.namespace(names.PERSONAL, (), (), session.engine.utf8))
    return responses.ok(command.tag, "Done")


HANDLERS: Final = {List: list_, Namespace: namespace}
