"""STATUS, of any mailbox, and as LIST returns it (RFC 9051 §6.3.11, RFC 5819)."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from malleposte.services.imapd import names, quotas
from malleposte.services.imapd.replies import done
from malleposte.store.ids import mailbox_text
from malleposte.store.read import mailboxes
from malleposte.store.read.mailboxes import Mailbox
from malleposte.wire.imap import responses
from malleposte.wire.imap.commands.listing import Status, StatusItem

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

ITEMS: Final[dict[StatusItem, Callable[[Mailbox], int]]] = {
    StatusItem.MESSAGES: lambda box: box.messages,
    StatusItem.UIDNEXT: lambda box: box.uidnext,
    StatusItem.UIDVALIDITY: lambda box: box.uidvalidity,
    StatusItem.UNSEEN: lambda box: box.unseen,
    StatusItem.DELETED: lambda box: box.deleted,
    StatusItem.SIZE: lambda box: box.size,
    StatusItem.HIGHESTMODSEQ: lambda box: box.message_modseq,
}
"""What is a column of the mailbox's row; the store keeps the counters."""

_NONE: Final[Mapping[int, int]] = {}


async def recents(
    session: "Session", boxes: Iterable[Mailbox], items: tuple[StatusItem, ...]
) -> dict[int, int]:
    """What RECENT of mailboxes is, by id; those left out have none. Nothing is read unless it is asked
    for."""
    if StatusItem.RECENT not in items or session.engine.rev2:
        return {}
    return await session.reading(mailboxes.recent(session.service.store.reader, boxes))


async def marked_octets(
    session: "Session", boxes: Iterable[Mailbox], items: tuple[StatusItem, ...]
) -> Mapping[int, int]:
    """What DELETED-STORAGE of mailboxes is, likewise."""
    if StatusItem.DELETED_STORAGE not in items:
        return _NONE
    return await quotas.deleted_storage(session, boxes)


def values(
    session: "Session",
    box: Mailbox,
    items: tuple[StatusItem, ...],
    recent: Mapping[int, int] = _NONE,
    marked: Mapping[int, int] = _NONE,
) -> dict[bytes, int | bytes | None]:
    """The answer's items for a mailbox; ``recent`` as ``recents`` has it, ``marked`` as
    ``marked_octets``."""
    if StatusItem.HIGHESTMODSEQ in items:
        session.enable_condstore()  # RFC 7162 §3.1.7
    found: dict[bytes, int | bytes | None] = {}
    for item in items:
        if item in ITEMS:
            found[item.value] = ITEMS[item](box)
        elif item is StatusItem.RECENT:
            found[item.value] = recent.get(box.id, 0)
        elif item is StatusItem.DELETED_STORAGE:
            found[item.value] = marked.get(box.id, 0)
        elif item is StatusItem.APPENDLIMIT:
            found[item.value] = session.service.settings.limits.append_bytes
        elif item is StatusItem.MAILBOXID:
            found[item.value] = b"(%b)" % mailbox_text(box.id).encode("ascii")
    return found


async def status(session: "Session", command: Status) -> bytes:
    """RFC 9051 §6.3.11."""
    box = await names.row(session, command.mailbox)
    recent = await recents(session, (box,), command.items)
    marked = await marked_octets(session, (box,), command.items)
    found = values(session, box, command.items, recent, marked)
    session.send(responses.status(command.mailbox, session.engine.utf8, found))
    return done(command.tag)


HANDLERS: Final = {Status: status}
