"""``ExchangeMailboxes``: two mailboxes have each other's place, and never the same one in between.

As two renamings (``mailboxes``), for whoever holds the account: what is subscribed, given and followed by
name is what two of them would leave behind.
"""

from typing import Final

from malleposte.store.commands import SYSTEM, ExchangeMailboxes
from malleposte.store.execute import full_names, listed_names, parting, readers_names
from malleposte.store.execute.listed_names import Moved, path_of
from malleposte.store.execute.mailboxes import MAX_DEPTH, SEPARATOR, TOO_DEEP, depth_of, is_within
from malleposte.store.execute.rights import NO_SUCH_MAILBOX, opened
from malleposte.store.ids import account_of, mailbox_id
from malleposte.store.read.rights import writers_of
from malleposte.store.results import Done, Refused
from malleposte.store.work import Head, MailboxRow, Work

_AWAY: Final = "UPDATE mailbox SET name = $1 WHERE id = $2"
_PLACE: Final = "UPDATE mailbox SET parent = $1, name = $2, modseq = $3 WHERE id = $4"
_NOWHERE: Final = "\x01"
"""A name that no mailbox has."""


async def exchange_mailboxes(work: Work, command: ExchangeMailboxes) -> Done | Refused:
    """Execute ``ExchangeMailboxes``."""
    account = account_of(command.one)
    boxes: list[MailboxRow] = []
    head: Head | None = None
    for mailbox in (command.one, command.other):
        place = await opened(work, command.actor, mailbox, "x")
        if isinstance(place, Refused):
            return place
        head, row, _ = place
        boxes.append(row)
    one, other = boxes
    if account_of(other.id) != account or head is None or one is other:
        return NO_SUCH_MAILBOX
    if command.actor not in (SYSTEM, account):
        return Refused(reason="no-rights", text="only their owner exchanges mailboxes")
    if mailbox_id(account, 1) in (one.id, other.id):
        return Refused(reason="reserved", text="INBOX keeps its name")
    if await is_within(work, one.parent, other.id) or await is_within(work, other.parent, one.id):
        return Refused(reason="loop", text="a mailbox cannot move below itself")
    moves: list[tuple[MailboxRow, MailboxRow, str, Moved, set[int]]] = []
    for box, to in ((one, other), (other, one)):
        old, moved = (
            await path_of(work, box.id),
            await listed_names.with_those_below(work, account, box.id),
        )
        height = 1 + max(rest.count(SEPARATOR) for _, rest, _ in moved)
        if await depth_of(work, to.parent) + height > MAX_DEPTH:
            return TOO_DEEP
        above = await path_of(work, to.parent)
        refused = await full_names.no_room_to_move(work, account, old, moved, above, [to.name])
        if refused is not None:
            return refused
        moves.append((box, to, old, moved, await writers_of(work.tx, box.id)))
    modseq = head.bump()
    await work.flush()
    for _, _, old, moved, _ in moves:
        await listed_names.keep(work, account, old, moved)
    await work.tx.run(_AWAY, _NOWHERE, one.id)
    for box, to in ((other, one), (one, other)):
        await work.tx.run(_PLACE, to.parent, to.name, modseq, box.id)
    for box in boxes:
        work.forget(box.id)
    places = [(old, await path_of(work, box.id), moved) for box, _, old, moved, _ in moves]
    for _, new, moved in places:
        await listed_names.take(work, account, new, moved)
    await readers_names.follow(work, account, *places)
    for box, _, _, _, writing in moves:
        if await writers_of(work.tx, box.id) != writing:
            await parting.begin(work, box.id, modseq)
    return Done(modseq=modseq)
