"""How a mailbox goes: at once for everybody, whatever is in it; its messages with it, or after it.

Up to ``AT_ONCE`` messages end in the same command. Of more the memberships stay without a mailbox: no
view, list or count has them, for all of these begin with the mailbox's row. A job written in the same
transaction ends them in slices; until then they count in the quota. ``gone_mailbox`` tells such a mailbox
from one that was lost. RFC 9051 §6.3.5.
"""

import msgspec

from malleposte.store.commands import MAX_ROWS, AddJob, DeleteMailbox, SweepMailbox
from malleposte.store.dialect import Row
from malleposte.store.execute import annotations, claiming, listed_names, readers_names
from malleposte.store.execute.expunging import REMOVE, bury, leave
from malleposte.store.execute.listed_names import path_of
from malleposte.store.execute.records import add_job
from malleposte.store.execute.rights import opened
from malleposte.store.ids import account_of, mailbox_id
from malleposte.store.results import Done, Refused
from malleposte.store.work import Head, Work

SWEEP_JOB = "sweep-mailbox"
AT_ONCE = MAX_ROWS
"""Messages that go in the command that deletes their mailbox; where there are more, all go after it."""

_HAS_CHILD = "SELECT 1 FROM mailbox WHERE account = $1 AND parent = $2 LIMIT 1"
_CONTENT = (
    "SELECT m.uid, m.email, m.deleted, e.flags, e.size, e.mailboxes, e.thread, e.exempt"
    " FROM membership m JOIN email e ON e.id = m.email WHERE m.mailbox = $1 ORDER BY m.uid LIMIT $2"
)
_GONE = "INSERT INTO gone_mailbox (id, account, path, role, until) VALUES ($1, $2, $3, $4, $5)"
_UNTIL = "SELECT until FROM gone_mailbox WHERE id = $1"
FORGOTTEN = (
    "SELECT g.id, g.path FROM gone_mailbox g WHERE g.id BETWEEN $1 AND $2"
    " AND EXISTS (SELECT 1 FROM membership m JOIN email e ON e.id = m.email WHERE m.mailbox = g.id)"
    f" AND NOT EXISTS (SELECT 1 FROM job j WHERE j.kind = '{SWEEP_JOB}'"
    " AND j.key = CAST(g.id AS text))"
)
"""Deleted mailboxes that still hold something and that no job sweeps."""
_UID_TOMBSTONES = "DELETE FROM tombstone WHERE account = $1 AND kind = 'uid' AND container = $2"


async def delete_mailbox(work: Work, command: DeleteMailbox) -> Done | Refused:
    """Execute ``DeleteMailbox``."""
    mailbox, until = command.mailbox, command.recoverable_until
    account = account_of(mailbox)
    place = await opened(work, command.actor, mailbox, "x")
    if isinstance(place, Refused):
        return place
    head, row, _ = place
    if command.if_modseq not in (None, head.modseq):
        return Refused(reason="changed")
    if mailbox == mailbox_id(account, 1):
        return Refused(reason="reserved", text="INBOX cannot be deleted")
    await work.flush()
    if await work.tx.row(_HAS_CHILD, account, mailbox) is not None:
        return Refused(reason="has-children", text="delete the mailboxes below it first")
    held = row.messages - (row.deleted if command.but_marked else 0)
    if command.only_empty and held:
        return Refused(reason="not-empty", text="there are messages in it")
    modseq = head.bump()
    path = await path_of(work, mailbox)
    kept = await work.tx.row("SELECT subscribed FROM mailbox WHERE id = $1", mailbox)
    if kept is not None and kept[0]:
        await work.tx.run(listed_names.SUBSCRIBE, account, path)
    await readers_names.leave(work, mailbox)
    if row.uidnext > 1:
        # Something was in it, and may be brought back.
        await work.tx.run(_GONE, mailbox, account, path, row.role, until)
    await work.flush()
    await work.tx.run("DELETE FROM mailbox WHERE id = $1", mailbox)
    await work.tx.run("DELETE FROM mailbox_right WHERE mailbox = $1", mailbox)
    if command.entries and command.heir:
        await annotations.inherit(work, mailbox, command.heir, modseq)
    await work.tx.run(
        "DELETE FROM annotation WHERE account = $1 AND mailbox = $2", account, mailbox
    )
    await work.tx.run(_UID_TOMBSTONES, account, mailbox)
    work.forget(mailbox)
    if row.messages > AT_ONCE:
        await have_swept(work, mailbox)
    else:
        rows = await work.tx.rows(_CONTENT, mailbox, MAX_ROWS)
        await _end(work, head, mailbox, rows, modseq, until)
    if row.role is not None and command.heir:
        await claiming.inherit(work, account, row.role, command.heir, modseq)
    bury(work, account, "mailbox", 0, modseq, [mailbox])
    return Done(modseq=modseq)


async def sweep_mailbox(work: Work, command: SweepMailbox) -> Done:
    """Execute ``SweepMailbox``."""
    await work.flush()
    mailbox = command.mailbox
    head = await work.head(account_of(mailbox))
    gone = await work.tx.row(_UNTIL, mailbox)
    if head is None or gone is None or await work.mailbox(mailbox) is not None:
        return Done()
    limit = min(max(1, command.limit), MAX_ROWS)
    rows = await work.tx.rows(_CONTENT, mailbox, limit)
    if not rows:
        return Done()
    modseq = head.bump()
    await _end(work, head, mailbox, rows, modseq, gone[0])
    return Done(modseq=modseq, count=len(rows), more=len(rows) == limit)


async def _end(
    work: Work, head: Head, mailbox: int, rows: list[Row], modseq: int, until: int
) -> None:
    """End memberships of a mailbox that is gone: nobody is told of its UIDs one by one."""
    if rows:
        await work.tx.run(REMOVE, mailbox, [row[0] for row in rows])
        await leave(work, head, mailbox, rows, modseq, until=until)


async def have_swept(work: Work, mailbox: int) -> None:
    """Have a job end what a deleted mailbox still holds; one that is there already stays as it is."""
    payload = msgspec.msgpack.encode(mailbox)
    await add_job(work, AddJob(kind=SWEEP_JOB, key=str(mailbox), payload=payload, run_at=work.now))
