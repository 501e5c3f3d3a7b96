"""Roles that pass from one mailbox to another: each role of an account is held by one at the most.

A role never takes mail with it. It passes where the mailbox that holds it was never used, which is then
moved to where the new one was wanted (it keeps its id and its UIDVALIDITY, as under RENAME), and to an heir
when the mailbox that held it is deleted.
"""

from typing import Final

from malleposte.store.ids import account_of
from malleposte.store.results import Refused
from malleposte.store.work import MailboxRow, Work

_USED = (
    "SELECT 1 FROM mailbox WHERE id = $1 AND uidnext > 1"
    " UNION ALL SELECT 1 FROM mailbox WHERE account = $2 AND parent = $1"
    " UNION ALL SELECT 1 FROM mailbox_right WHERE mailbox = $1 LIMIT 1"
)
_HOLDER = "SELECT id FROM mailbox WHERE account = $1 AND role = $2"
_MOVE = "UPDATE mailbox SET parent = $1, name = $2, modseq = $3 WHERE id = $4"
_GIVE_UP = (
    "UPDATE mailbox SET role = NULL, modseq = $1 WHERE account = $2 AND role = $3 AND id <> $4"
    " RETURNING id"
)
_ALL = "UPDATE mailbox SET modseq = $1 WHERE account = $2 RETURNING id"
_INHERIT = (
    "UPDATE mailbox SET role = $1, modseq = $2 WHERE id = $3 AND account = $4 AND role IS NULL"
)
FOR_OWNERS: Final = Refused(
    reason="no-rights", text="special mailboxes are for their owner to choose"
)
FOR_MAIL: Final = Refused(reason="reserved", text="INBOX has no other use")


async def holder(work: Work, account: int, role: str) -> int:
    """The mailbox that has a role; 0 where none has."""
    row = await work.tx.row(_HOLDER, account, role)
    return 0 if row is None else int(row[0])


async def never_used(work: Work, account: int, mailbox: int) -> bool:
    """Whether no message was ever in a mailbox, nothing stands below it and nobody was given rights."""
    await work.flush()
    return await work.tx.row(_USED, mailbox, account) is None


async def move(work: Work, mailbox: int, parent: int, name: str, modseq: int) -> None:
    """Give a mailbox another place. The name it had is nobody's, subscriptions included."""
    await work.flush()
    await work.tx.run(_MOVE, parent, name, modseq, mailbox)
    work.forget(mailbox)


async def inherit(work: Work, account: int, role: str, heir: int, modseq: int) -> None:
    """Give the role of a mailbox that is gone to another one that has none."""
    await work.flush()
    await work.tx.run(_INHERIT, role, modseq, heir, account)
    work.forget(heir)


async def give(work: Work, row: MailboxRow, role: str, modseq: int) -> None:
    """Have a mailbox be of a role, or ('') of none; whichever had it has it no more."""
    await work.flush()
    if role:
        for (other,) in await work.tx.rows(_GIVE_UP, modseq, account_of(row.id), role, row.id):
            work.forget(other)
    await work.tx.run(
        "UPDATE mailbox SET role = $1, modseq = $2 WHERE id = $3", role or None, modseq, row.id
    )
    work.forget(row.id)
    if "trash" in (role, row.role):
        # Which threads are unread in any mailbox depends on what is in the trash (RFC 8621 §2).
        for (other,) in await work.tx.rows(_ALL, modseq, account_of(row.id)):
            work.forget(other)
