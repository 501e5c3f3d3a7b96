"""Expunge: memberships end; an email that is left without any stays recoverable for a time.

The uids become tombstones as ranges, the emails and threads that are gone for good in JMAP's eyes too.
What can be brought back is counted, and past its bound a job has the oldest of it go.
RFC 9051 §6.4.3, RFC 7162 §3.2.
"""

import msgspec

from malleposte.store import dialect
from malleposte.store.commands import MAX_ROWS, AddJob, Expunge, Ranges
from malleposte.store.dialect import Row, Sql, any_of, both
from malleposte.store.execute.ranges import compact, encode, in_ranges
from malleposte.store.execute.records import add_job
from malleposte.store.execute.rights import opened
from malleposte.store.flags import SEEN
from malleposte.store.quota import PURGE_OLDEST_JOB, level_kept
from malleposte.store.results import Expunged, Refused
from malleposte.store.work import Head, MailboxRow, Work

_ROWS = in_ranges(
    "SELECT m.uid, m.email, m.deleted, e.flags, e.size, e.mailboxes, e.thread, e.exempt"
    " FROM {ranges} r"
    " JOIN membership m ON m.mailbox = $2 AND m.uid BETWEEN r.first AND r.last AND m.deleted >= $3"
    f" JOIN email e ON e.id = m.email ORDER BY m.uid LIMIT {MAX_ROWS + 1}"
)
REMOVE = both("DELETE FROM membership WHERE mailbox = $1 AND {uids}", uids=any_of("uid", 2))
_LEAVE = both(
    "UPDATE email SET mailboxes = mailboxes - 1, modseq = $1 WHERE {ids}", ids=any_of("id", 2)
)
_END = both("UPDATE email SET mailboxes = 0 WHERE {ids}", ids=any_of("id", 1))
"""Without a new modseq: no mailbox shows it any more, and tombstones tell that it is gone."""
_LIVE_THREADS = both(
    "SELECT DISTINCT thread FROM email WHERE {threads} AND mailboxes > 0",
    threads=any_of("thread", 1),
)
_HOLDERS = both("SELECT DISTINCT mailbox FROM membership WHERE {emails}", emails=any_of("email", 1))
TOMBSTONE = dialect.insert(
    "tombstone",
    {
        "account": "bigint",
        "kind": "text",
        "container": "bigint",
        "modseq": "bigint",
        "first": "bigint",
        "last": "bigint",
        "at": "bigint",
    },
)
_RECOVERABLE = Sql(
    sqlite="INSERT INTO recoverable (account, mailbox, at, until, email)"
    " SELECT $1, $2, $3, $4, value FROM json_each($5)",
    postgres="INSERT INTO recoverable (account, mailbox, at, until, email)"
    " SELECT $1, $2, $3, $4, unnest($5::bigint[])",
)


async def expunge(work: Work, command: Expunge) -> Expunged | Refused:
    """Execute ``Expunge``."""
    place = await opened(work, command.actor, command.mailbox, "e")
    if isinstance(place, Refused):
        return place
    head, mailbox, _ = place
    rows = await members(work, command.mailbox, command.uids, marked=command.marked)
    if len(rows) > MAX_ROWS:
        return Refused(reason="limit", text=f"at most {MAX_ROWS} messages in one command")
    if not rows:
        return Expunged(uids=(), modseq=0)
    modseq = head.bump()
    await remove(work, head, mailbox, rows, modseq, until=command.recoverable_until)
    return Expunged(uids=tuple(row[0] for row in rows), modseq=modseq)


async def members(work: Work, mailbox: int, uids: Ranges, *, marked: bool = False) -> list[Row]:
    """Memberships as ``remove`` takes them, one more than ``MAX_ROWS`` at most."""
    return await work.tx.rows(_ROWS, encode(uids), mailbox, int(marked))


async def remove(
    work: Work, head: Head, mailbox: MailboxRow, rows: list[Row], modseq: int, *, until: int
) -> None:
    """End memberships given as rows (uid, email, deleted, flags, size, mailboxes, thread, exempt)."""
    uids = [row[0] for row in rows]
    await work.tx.run(REMOVE, mailbox.id, uids)
    bury(work, head.account, "uid", mailbox.id, modseq, uids)
    mailbox.messages -= len(rows)
    mailbox.unseen -= sum(1 for row in rows if not row[3] & SEEN)
    mailbox.deleted -= sum(row[2] for row in rows)
    mailbox.size -= sum(row[4] for row in rows)
    mailbox.changed(modseq)
    await leave(work, head, mailbox.id, rows, modseq, until=until)


async def leave(
    work: Work, head: Head, mailbox: int, rows: list[Row], modseq: int, *, until: int
) -> None:
    """What becomes of the emails whose memberships in a mailbox ended; ``rows`` as for ``remove``."""
    held = [row[1] for row in rows if row[5] > 1]
    if held:
        await work.tx.run(_LEAVE, modseq, held)
        await touch_holders(work, held, modseq)
    gone = [row for row in rows if row[5] <= 1]
    if not gone:
        return
    emails = sorted(row[1] for row in gone)
    await work.tx.run(_END, emails)
    await work.tx.run(_RECOVERABLE, head.account, mailbox, work.now, until, emails)
    bury(work, head.account, "email", 0, modseq, emails)
    threads = {row[6] for row in gone}
    live = {row[0] for row in await work.tx.rows(_LIVE_THREADS, sorted(threads))}
    bury(work, head.account, "thread", 0, modseq, sorted(threads - live))
    head.count_recoverable(sum(row[4] for row in gone))
    if head.recoverable_bytes > work.recoverable_most(head):
        payload = msgspec.msgpack.encode(head.account)
        key = str(head.account)
        await add_job(
            work, AddJob(kind=PURGE_OLDEST_JOB, key=key, payload=payload, run_at=work.now)
        )
    head.used_bytes -= sum(row[4] for row in gone if not row[7])
    head.used_emails -= len(gone)
    head.quota_level = level_kept(head.used_bytes, head.quota_bytes, head.quota_level)
    if head.used_bytes <= head.quota_bytes:
        head.over_quota_since = 0


async def touch_holders(work: Work, emails: list[int], modseq: int) -> None:
    """Mark every mailbox that holds one of these emails as changed: they show a new MODSEQ there."""
    if emails:
        for (mailbox,) in await work.tx.rows(_HOLDERS, emails):
            row = await work.mailbox(mailbox)
            if row is not None:
                row.changed(modseq)


def bury(
    work: Work, account: int, kind: str, container: int, modseq: int, numbers: list[int]
) -> None:
    """Gather tombstones for sorted ids."""
    for first, last in compact(numbers):
        work.add(TOMBSTONE, (account, kind, container, modseq, first, last, work.now))
