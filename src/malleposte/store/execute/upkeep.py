"""What runs now and then: purge, sweep, repair. Each in slices, each harmless when run twice."""

from malleposte.store.commands import (
    PurgeRecoverable,
    RepairAccount,
    SweepBlobs,
    SweepRecords,
)
from malleposte.store.dialect import any_of, both
from malleposte.store.execute.directory import forget_emails
from malleposte.store.results import Done, Refused, Swept
from malleposte.store.work import Work

_UNUSED = (
    "NOT EXISTS (SELECT 1 FROM email e WHERE e.blob = blob.id)"
    " AND NOT EXISTS (SELECT 1 FROM upload u WHERE u.blob = blob.id)"
)
_HELD = "NOT EXISTS (SELECT 1 FROM hold h WHERE h.account = r.account AND h.released_at IS NULL)"


async def purge_recoverable(work: Work, command: PurgeRecoverable) -> Done:
    """Execute ``PurgeRecoverable``."""
    await work.flush()
    rows = await work.tx.rows(
        f"SELECT r.email FROM recoverable r WHERE r.until <= $1 AND {_HELD} ORDER BY r.until LIMIT $2",
        work.now,
        command.limit,
    )
    if rows:
        await forget_emails(work, [row[0] for row in rows])
    return Done(count=len(rows), more=len(rows) == command.limit)


async def sweep_blobs(work: Work, command: SweepBlobs) -> Swept:
    """Execute ``SweepBlobs``: the deleting statement itself checks again that nothing uses the blob."""
    await work.flush()
    rows = await work.tx.rows(
        f"SELECT id, place FROM blob WHERE id > $1 AND touched_at < $2 AND {_UNUSED}"
        " ORDER BY id LIMIT $3",
        command.after,
        work.now - command.idle,
        command.limit,
    )
    if not rows:
        return Swept(count=0, files=(), after=command.after, more=False)
    ids = [row[0] for row in rows]
    removed = await work.tx.rows(
        both(
            f"DELETE FROM blob WHERE {{ids}} AND touched_at < $2 AND {_UNUSED} RETURNING id, place",
            ids=any_of("id", 1),
        ),
        ids,
        work.now - command.idle,
    )
    await work.tx.run(
        both("DELETE FROM blob_frame WHERE {ids}", ids=any_of("blob", 1)),
        [row[0] for row in removed],
    )
    files = tuple(str(row[0]) for row in removed if row[1] == "file")
    return Swept(count=len(removed), files=files, after=ids[-1], more=len(rows) == command.limit)


async def sweep_records(work: Work, command: SweepRecords) -> Done:
    """Execute ``SweepRecords``."""
    await work.flush()
    count = await work.tx.run("DELETE FROM command_result WHERE at < $1", command.results_before)
    count += await work.tx.run("DELETE FROM trace WHERE at < $1", command.traces_before)
    rows = await work.tx.rows(
        "SELECT account, max(modseq) FROM tombstone WHERE at < $1 GROUP BY account",
        command.tombstones_before,
    )
    for account, modseq in rows:
        await work.tx.run(
            "UPDATE account_head SET tombstone_floor = $1"
            " WHERE account = $2 AND tombstone_floor < $1",
            modseq,
            account,
        )
        count += await work.tx.run(
            "DELETE FROM tombstone WHERE account = $1 AND modseq <= $2", account, modseq
        )
    return Done(count=count)


async def repair_account(work: Work, command: RepairAccount) -> Done | Refused:
    """Execute ``RepairAccount``: what is derived is computed again from emails and memberships."""
    await work.flush()
    account = command.account
    head = await work.head(account)
    if head is None:
        return Refused(reason="no-such-account")
    low, high = account << 32, (account + 1) << 32
    changed = await work.tx.run(
        "UPDATE email SET mailboxes = (SELECT count(*) FROM membership m WHERE m.email = email.id)"
        " WHERE id > $1 AND id < $2 AND mailboxes <>"
        " (SELECT count(*) FROM membership m WHERE m.email = email.id)",
        low,
        high,
    )
    for (mailbox,) in await work.tx.rows("SELECT id FROM mailbox WHERE account = $1", account):
        row = await work.mailbox(mailbox)
        counted = await work.tx.row(
            "SELECT count(*), coalesce(sum(1 - (e.flags & 1)), 0), coalesce(sum(m.deleted), 0),"
            " coalesce(sum(e.size), 0), coalesce(max(m.uid), 0), coalesce(max(e.modseq), 0)"
            " FROM membership m JOIN email e ON e.id = m.email WHERE m.mailbox = $1",
            mailbox,
        )
        if row is None or counted is None:
            continue
        messages, unseen, deleted, size, top, modseq = (int(n) for n in counted)
        before = (row.messages, row.unseen, row.deleted, row.size)
        if before != (messages, unseen, deleted, size) or row.uidnext <= top:
            row.messages, row.unseen, row.deleted, row.size = messages, unseen, deleted, size
            row.uidnext = max(row.uidnext, top + 1)
            row.message_modseq = max(row.message_modseq, modseq)
            row.modseq = head.bump()
            row.dirty = True
            changed += 1
    used = await work.tx.row(
        "SELECT coalesce(sum(size), 0), count(*), coalesce(max(modseq), 0) FROM email"
        " WHERE id > $1 AND id < $2 AND mailboxes > 0",
        low,
        high,
    )
    top_email = await work.tx.row(
        "SELECT coalesce(max(id), 0) FROM email WHERE id > $1 AND id < $2", low, high
    )
    if used is not None and top_email is not None:
        if (head.used_bytes, head.used_emails) != (int(used[0]), used[1]):
            head.used_bytes, head.used_emails = int(used[0]), used[1]
            head.dirty = True
            changed += 1
        head.modseq = max(head.modseq, used[2])
        head.next_email = max(head.next_email, (top_email[0] & 0xFFFFFFFF) + 1)
    return Done(count=changed, modseq=head.modseq)
