"""Opening and leaving a mailbox: SELECT, EXAMINE, CLOSE, UNSELECT (RFC 9051 §6.3.2, §6.4.1)."""

from typing import TYPE_CHECKING, Final

from malleposte.services.imapd import names, old_names, recency, resync, storing, updates
from malleposte.services.imapd.replies import NO_SUCH_MAILBOX, Refuse, refuse
from malleposte.services.imapd.selected import Selected
from malleposte.services.imapd.special_use import ATTRIBUTES
from malleposte.store import StoreError
from malleposte.store.flags import SEEN
from malleposte.store.ids import mailbox_text
from malleposte.store.view import View
from malleposte.wire.imap import codes, responses
from malleposte.wire.imap.commands.select import Close, Examine, Select, Unselect
from malleposte.wire.imap.responses import UNTAGGED

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session


async def select(session: "Session", command: Select | Examine) -> bytes:
    """RFC 9051 §6.3.2, §6.3.3; RFC 7162 §3.1.1, §3.2.5; RFC 8474 §4.2."""
    if session.selected is not None:
        # §6.3.2: the mailbox open before is closed, also when the new one cannot be opened.
        session.deselect()
        session.engine.deselected()
        session.send(responses.ok(UNTAGGED, "The mailbox before is closed", codes.CLOSED))
    if command.qresync is not None and not session.qresync:
        raise Refuse("QRESYNC must be enabled first", bad=True)  # RFC 7162 §3.2.5
    place = await names.place(session, command.mailbox, "r")
    mailbox = place.mailbox
    rev2 = session.engine.rev2
    attributes = await _special_use(session, place) if rev2 else []
    views = session.service.store.views
    view = await session.reading(views.open(mailbox, names.reader_of(session, mailbox)))
    if view.gone or "l" not in view.letters:
        raise refuse(NO_SUCH_MAILBOX)
    names.demand(view.letters, "r")
    selected = Selected(view, read_only=isinstance(command, Examine))
    if command.condstore:
        session.condstore = True
    flags = updates.flags_lines(view, selected.changeable)
    lines = [flags, responses.exists(selected.exists)]
    if not rev2:
        first = first_unseen(view)
        if first:
            lines.append(responses.ok(UNTAGGED, "First unseen", codes.unseen(first)))
    lines += [
        responses.ok(UNTAGGED, "UIDs are valid", codes.uid_validity(view.uidvalidity)),
        responses.ok(UNTAGGED, "The next UID", codes.uid_next(view.uidnext)),
        responses.ok(UNTAGGED, "The highest", codes.highest_modseq(view.highest)),
        responses.ok(UNTAGGED, "Its id", codes.mailbox_id(mailbox_text(mailbox).encode("ascii"))),
    ]
    if rev2:
        # RFC 9051 §6.3.2: the name as LIST shows it.
        lines.append(
            responses.list_mailbox(
                attributes,
                names.SEPARATOR,
                place.name,
                session.engine.utf8,
                old_name=old_names.other_form(command.mailbox, place),
            )
        )
    session.selected = selected
    session.engine.selected()
    try:
        if not rev2:
            # RFC 3501 §6.3.1. The lines are of before: what comes meanwhile is told behind them.
            await recency.hear(session, selected, selected.announced)
            lines.insert(2, responses.recent(selected.take_recent()))
        session.send(b"".join(lines))
        if command.qresync is not None:
            await resync.resynchronise(session, selected, command.qresync)
    except StoreError:
        session.deselect()  # a SELECT that fails selects nothing (§6.3.2)
        session.engine.deselected()
        raise
    if selected.writable:
        return responses.ok(command.tag, "Open", codes.READ_WRITE)
    return responses.ok(command.tag, "Open for reading", codes.READ_ONLY)


async def _special_use(session: "Session", place: names.Place) -> list[bytes]:
    """The special use of the session's own mailbox; those of others' would be taken for its own."""
    if place.foreign:
        return []
    role = (await names.counters(session, place)).role
    return [ATTRIBUTES[role]] if role in ATTRIBUTES else []


def first_unseen(view: View) -> int:
    """The sequence number of the first message without ``\\Seen``; 0 where all have it."""
    first = len(view)
    sets = view.sets
    for index, (flags, _, _) in enumerate(view.flagsets):
        if not flags & SEEN and first:
            try:
                first = sets.index(index, 0, first)
            except ValueError:
                continue
    return first + 1 if first < len(view) else 0


async def close(session: "Session", command: Close) -> bytes:
    """RFC 9051 §6.4.1: what is marked goes, and nobody is told."""
    selected = session.mailbox
    if "e" in selected.changeable:  # RFC 4314 §4: without, CLOSE is as UNSELECT
        # No HIGHESTMODSEQ: the client does not know what went (RFC 7162 §3.2.8).
        await storing.remove_marked(session, selected.marked())
    session.deselect()
    session.engine.deselected()
    return responses.ok(command.tag, "Closed")


async def unselect(session: "Session", command: Unselect) -> bytes:
    """RFC 9051 §6.4.2."""
    session.deselect()
    session.engine.deselected()
    return responses.ok(command.tag, "Closed")


HANDLERS: Final = {Select: select, Examine: select, Close: close, Unselect: unselect}
