"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 §6.3.4 to §6.3.8)."""

import time
from array import array
from typing import TYPE_CHECKING, Final

from malleposte.directory.sharing import under_root
from malleposte.services.imapd import names, old_names, role_names
from malleposte.services.imapd.copying import transfer
from malleposte.services.imapd.replies import Refuse, refuse
from malleposte.services.imapd.special_use import ROLES
from malleposte.store import commands as c
from malleposte.store.execute.rights import no_rights
from malleposte.store.ids import mailbox_text
from malleposte.store.read import mailboxes
from malleposte.store.results import Created, Refused
from malleposte.store.view import View
from malleposte.wire.imap import codes, mailbox_names, responses
from malleposte.wire.imap.commands.mailbox import (
    Create,
    Delete,
    Rename,
    Subscribe,
    Unsubscribe,
)
from malleposte.wire.imap.mailbox_attributes import NONEXISTENT
from malleposte.wire.imap.responses import UNTAGGED

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session


ELSEWHERE: Final = "This is a name in another account: make a mailbox there and move the messages"


def _fit(place: names.Place) -> list[str]:
    """The levels of a name that a mailbox may be given, in its account. Raises ``Refuse``."""
    problem = mailbox_names.unfit(place.name)
    if problem is not None:
        raise Refuse(problem, codes.CANNOT)
    if place.name in names.ROOTS or (place.foreign and under_root(place.path)):
        # In another's account too: that owner would come to it instead of to a third one's mailbox.
        raise Refuse("This name stands above the mailboxes of others", codes.CANNOT)
    if not place.account:
        # As in an account where the session has no rights.
        raise refuse(no_rights("k"))
    return place.path.split(names.SEPARATOR)


async def create(session: "Session", command: Create) -> bytes:
    """RFC 9051 §6.3.4; USE is RFC 6154 §3, MAILBOXID RFC 8474 §4.1."""
    role = None
    if command.special_uses:
        # RFC 6154 §3: one that cannot be kept, or a second one, is refused.
        role = ROLES.get(command.special_uses[0].lower())
        if role is None or len(command.special_uses) > 1:
            raise Refuse("A mailbox cannot have this special use", codes.USEATTR)
    place = await names.locate(session, command.mailbox)
    taken, claim = await role_names.wanted(session, place, role)
    made = await _create(session, place, taken, claim, by_name=role is None)
    old_names.tell(session, command.mailbox, place)
    return responses.ok(
        command.tag, "Created", codes.mailbox_id(mailbox_text(made).encode("ascii"))
    )


async def delete(session: "Session", command: Delete) -> bytes:
    """RFC 9051 §6.3.5. The messages go with the mailbox and stay recoverable."""
    place = await names.place(session, command.mailbox, "x")
    mailbox = place.mailbox
    if place.path == mailbox_names.INBOX:
        raise refuse(Refused(reason="reserved"))
    store = session.service.store
    reader = store.reader
    if await session.reading(mailboxes.has_children(reader, mailbox)):
        raise Refuse("Delete the mailboxes below it first", codes.HASCHILDREN)
    until = int(time.time()) + session.service.settings.recoverable
    box = await session.reading(mailboxes.mailbox(reader, mailbox))
    if session.selected is not None and session.selected.view.mailbox == mailbox:
        # The client that deletes its own selected mailbox need not be thrown out for it.
        session.deselect()
        session.engine.deselected()
        session.send(responses.ok(UNTAGGED, "The mailbox is closed", codes.CLOSED))
    await session.submit(
        c.DeleteMailbox(
            actor=session.actor,
            mailbox=mailbox,
            recoverable_until=until,
            heir=await role_names.heir(session, place, box.role if box else None),
        )
    )
    # Whoever has it selected in this worker hears of it now.
    await session.reading(store.views.open(mailbox))
    old_names.tell(session, command.mailbox, place, [NONEXISTENT])
    return responses.ok(command.tag, "Deleted")


async def rename(session: "Session", command: Rename) -> bytes:
    """RFC 9051 §6.3.6. What is missing above the new name is made."""
    old = await names.place(session, command.mailbox, "x")
    new = await names.locate(session, command.new_name)
    if new.account != old.account:
        # Also where there is no such account: who has one is not told (RFC 4314 §6).
        raise Refuse(ELSEWHERE, codes.CANNOT)
    levels = _fit(new)
    if new.mailbox:
        raise Refuse("There is a mailbox of this name already", codes.ALREADYEXISTS)
    if old.path == mailbox_names.INBOX:
        if old.foreign:
            raise Refuse("INBOX of another account keeps its name", codes.CANNOT)
        return await _rename_inbox(session, old.mailbox, new, command)
    before = old.path.split(names.SEPARATOR)
    if levels[: len(before)] == before:
        raise Refuse("A mailbox cannot move below itself", codes.CANNOT)
    await session.submit(
        c.RenameMailbox(actor=session.actor, mailbox=old.mailbox, parent=0, path=tuple(levels))
    )
    await old_names.tell_renamed(session, old, command.new_name, new)
    return responses.ok(command.tag, "Renamed")


async def _create(
    session: "Session",
    place: names.Place,
    role: str | None = None,
    claim: int = 0,
    *,
    by_name: bool = True,
) -> int:
    """``by_name``: the role is not asked for, so that it is made without where another keeps it."""
    levels = _fit(place)
    result = await session.patiently(
        session.service.store.submit(
            c.CreateMailbox(
                actor=session.actor,
                account=place.account,
                parent=0,
                path=tuple(levels),
                role=role,
                subscribe=False,
                claim=claim,
            )
        )
    )
    if isinstance(result, Refused):
        if result.reason == "in-use" and by_name:
            return await _create(session, place)
        if result.reason == "in-use":
            raise Refuse("Another mailbox has this special use", codes.USEATTR)  # RFC 6154 §3
        raise refuse(result)
    assert isinstance(result, Created)
    if session.watch is not None:
        session.watch.made(place.account, result.modseq)
    return result.id


async def _rename_inbox(session: "Session", inbox: int, new: names.Place, command: Rename) -> bytes:
    """INBOX stays and its messages move to a new mailbox (RFC 9051 §6.3.6)."""
    target = await _create(session, new)
    old_names.tell(session, command.new_name, new)
    view: View = await session.reading(session.service.store.views.open(inbox))
    *_, error = await transfer(session, inbox, array("I", view.uids), target, move=True)
    await session.reading(view.refresh())
    if error is not None:
        raise error
    return responses.ok(command.tag, "The messages of INBOX were moved")


async def subscribe(session: "Session", command: Subscribe | Unsubscribe) -> bytes:
    """RFC 9051 §6.3.7, §6.3.8: also names that no mailbox has, or had."""
    on = isinstance(command, Subscribe)
    place = await names.locate(session, command.mailbox)
    if on and not place.mailbox:
        problem = mailbox_names.unfit(place.name)
        if problem is not None:
            raise Refuse(problem, codes.CANNOT)
    # Others' mailboxes are names in the reader's own list: what their owner sees is not touched.
    own, of = (0, place.mailbox) if place.foreign else (place.mailbox, 0)
    await session.submit(
        c.Subscribe(account=session.actor, name=place.name, mailbox=own, subscribed=on, of=of)
    )
    return responses.ok(command.tag, "Subscribed" if on else "No longer subscribed")


HANDLERS: Final = {
    Create: create,
    Delete: delete,
    Rename: rename,
    Subscribe: subscribe,
    Unsubscribe: subscribe,
}
