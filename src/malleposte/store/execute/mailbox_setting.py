"""``SetMailbox``: what JMAP sets of a mailbox, in one transaction (RFC 8621 §2.5), out of the same parts as
IMAP's commands."""

from typing import Final

from malleposte.store.commands import SYSTEM, CreateMailbox, RenameMailbox, SetMailbox
from malleposte.store.execute import claiming
from malleposte.store.execute.listed_names import UNSUBSCRIBE, path_of
from malleposte.store.execute.mailboxes import create_mailbox, level_name, rename_mailbox
from malleposte.store.execute.rights import NO_SUCH_MAILBOX, no_rights, opened
from malleposte.store.ids import account_of, mailbox_id
from malleposte.store.results import Created, Done, Refused
from malleposte.store.work import MailboxRow, Work

_NOW: Final = "SELECT sort_order, subscribed FROM mailbox WHERE id = $1"
_NOTE: Final = "UPDATE mailbox SET sort_order = $1, subscribed = $2, modseq = $3 WHERE id = $4"
_THEIR_LISTS: Final = Refused(
    reason="no-rights", text="what you subscribe to in another's account is in a list of your own"
)


async def set_mailbox(work: Work, command: SetMailbox) -> Created | Done | Refused:
    """Execute ``SetMailbox``."""
    head = await work.head(command.account)
    if head is None:
        return Refused(reason="no-such-account")
    if command.if_modseq not in (None, head.modseq):
        return Refused(reason="changed")
    own = command.actor in (SYSTEM, command.account)
    if command.subscribed is not None and not own:
        return _THEIR_LISTS
    if command.mailbox:
        return await _changed(work, command, own=own)
    made = await create_mailbox(
        work,
        CreateMailbox(
            actor=command.actor,
            account=command.account,
            parent=command.parent or 0,
            path=(command.name or "",),
            role=command.role or None,
            subscribe=own and command.subscribed is not False,
        ),
    )
    if isinstance(made, Created):
        await _note(work, command, made.id, made.modseq)
    return made


async def _changed(work: Work, command: SetMailbox, *, own: bool) -> Done | Refused:
    place = await opened(work, command.actor, command.mailbox)
    if isinstance(place, Refused):
        return place
    head, row, held = place
    if account_of(row.id) != command.account:
        return NO_SUCH_MAILBOX
    if command.sort_order is not None and "x" not in held:
        return no_rights("x")
    role = None if command.role == (row.role or "") else command.role
    if role is not None and not own:
        return claiming.FOR_OWNERS
    if role is not None and row.id == mailbox_id(command.account, 1):
        return claiming.FOR_MAIL
    moved = await _moved(work, command, row)
    if isinstance(moved, Refused):
        return moved
    modseq = moved.modseq
    if role is not None:
        modseq = modseq or head.bump()
        await claiming.give(work, row, role, modseq)
    return Done(modseq=await _note(work, command, row.id, modseq))


async def _moved(work: Work, command: SetMailbox, row: MailboxRow) -> Done | Refused:
    """Give it its name and its place, where they are others than it has."""
    name = row.name if command.name is None else command.name
    parent = row.parent if command.parent is None else command.parent
    if (parent, level_name(name)) == (row.parent, row.name):
        return Done()
    rename = RenameMailbox(actor=command.actor, mailbox=row.id, parent=parent, path=(name,))
    return await rename_mailbox(work, rename)


async def _note(work: Work, command: SetMailbox, mailbox: int, modseq: int) -> int:
    """Keep order and subscription; the modseq, a new one if this is the first change."""
    await work.flush()
    now = await work.tx.row(_NOW, mailbox)
    head = await work.head(command.account)
    assert now is not None
    assert head is not None
    order = now[0] if command.sort_order is None else command.sort_order
    subscribed = now[1] if command.subscribed is None else int(command.subscribed)
    if (order, subscribed) == tuple(now):
        return modseq
    modseq = modseq or head.bump()
    await work.tx.run(_NOTE, order, subscribed, modseq, mailbox)
    work.forget(mailbox)
    if now[1] and not subscribed:
        # Nor in the list, should its name stand there.
        await work.tx.run(UNSUBSCRIBE, command.account, await path_of(work, mailbox))
    return modseq
