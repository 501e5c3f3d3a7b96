"""What runs now and then: purge and sweep. Each in slices, each harmless when run twice."""

from malleposte.store.commands import (
    PurgeRecoverable,
    SweepBlobs,
    SweepRecords,
    SweepTombstones,
)
from malleposte.store.dialect import Sql, any_of, both
from malleposte.store.execute.credentials import OLD_CHALLENGES
from malleposte.store.execute.purging import forget_emails
from malleposte.store.execute.sessions import ENDED
from malleposte.store.ids import account_of
from malleposte.store.results import Done, Refused, Swept
from malleposte.store.sent import HOURS
from malleposte.store.work import Work

_UNUSED = (
    "NOT EXISTS (SELECT 1 FROM email e WHERE e.blob = blob.id)"
    " AND NOT EXISTS (SELECT 1 FROM upload u WHERE u.blob = blob.id)"
    " AND NOT EXISTS (SELECT 1 FROM queue_message q WHERE q.blob = blob.id)"
)
_LOOK = (
    f"SELECT id, CASE WHEN touched_at < $1 AND {_UNUSED} THEN 1 ELSE 0 END FROM blob"
    " WHERE id > $2 ORDER BY id LIMIT $3"
)
_LOCK = both(
    "SELECT id FROM blob WHERE {ids} ORDER BY id{lock}",
    ids=any_of("id", 1),
    lock=Sql(sqlite="", postgres=" FOR UPDATE SKIP LOCKED"),
)
DELETE_UNUSED = both(
    f"DELETE FROM blob WHERE {{ids}} AND touched_at < $2 AND {_UNUSED} RETURNING id, place",
    ids=any_of("id", 1),
)
"""Looks once more: between the search and this a delivery may have used what was found."""
_PURGEABLE = (
    "r.until <= $1"
    " AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.account = r.account AND h.released_at IS NULL)"
)
_DUE = f"SELECT r.email FROM recoverable r WHERE {_PURGEABLE} ORDER BY r.until LIMIT $2"
_STILL_DUE = both(
    "SELECT r.email, coalesce(e.size, 0) FROM recoverable r LEFT JOIN email e ON e.id = r.email"
    f" WHERE {_PURGEABLE} AND {{ids}}",
    ids=any_of("r.email", 2),
)
_GONE_DUE = (
    "DELETE FROM gone_mailbox WHERE id IN (SELECT g.id FROM gone_mailbox g WHERE g.until <= $1"
    " AND NOT EXISTS (SELECT 1 FROM recoverable r WHERE r.account = g.account AND r.mailbox = g.id)"
    " AND NOT EXISTS (SELECT 1 FROM membership m WHERE m.mailbox = g.id)"
    " ORDER BY g.until LIMIT $2)"
)
_OLD_RESULTS = (
    "DELETE FROM command_result WHERE (origin, seq) IN"
    " (SELECT origin, seq FROM command_result WHERE at < $1 LIMIT $2)"
)
_OLD_TRACES = (
    # The number begins with the time, so that no other index is needed.
    "DELETE FROM trace WHERE id IN (SELECT id FROM trace WHERE id < $1 ORDER BY id LIMIT $2)"
)
_OLD_ATTEMPTS = (
    "DELETE FROM trace_attempt WHERE (trace, address, attempt, outcome) IN"
    " (SELECT trace, address, attempt, outcome FROM trace_attempt WHERE trace < $1"
    " ORDER BY trace LIMIT $2)"
)
_OLD_SENT = (
    "DELETE FROM sent WHERE (kind, id, hour) IN"
    " (SELECT kind, id, hour FROM sent WHERE hour < $1 LIMIT $2)"
)
_OLD_MEMORY = (
    "DELETE FROM sieve_memory WHERE (account, kind, digest) IN"
    " (SELECT account, kind, digest FROM sieve_memory WHERE until <= $1 ORDER BY until LIMIT $2)"
)
_OLD_UPLOADS = (
    "DELETE FROM upload WHERE (account, id) IN"
    " (SELECT account, id FROM upload WHERE until <= $1 LIMIT $2)"
)
_SWEEP_TOMBSTONES = (
    "DELETE FROM tombstone WHERE (account, kind, container, modseq, first) IN"
    " (SELECT account, kind, container, modseq, first FROM tombstone"
    " WHERE account = $1 AND modseq <= $2 LIMIT $3)"
)

_SWEEP_PLACES = (
    "DELETE FROM card_place WHERE (book, card) IN (SELECT book, card FROM card_place"
    " WHERE gone = 1 AND modseq <= $1 AND book > $2 AND book < $3 LIMIT $4)"
)

_FRAMES_OF = both(
    "DELETE FROM blob_frame WHERE id IN (SELECT f.id FROM {blobs}"
    " JOIN blob_frame f ON f.id BETWEEN b.id * 4096 AND b.id * 4096 + 4095)",
    blobs=Sql(
        sqlite="(SELECT value AS id FROM json_each($1)) b",
        postgres="(SELECT unnest($1::bigint[]) AS id) b",
    ),
)


async def purge_recoverable(work: Work, command: PurgeRecoverable) -> Done:
    """Execute ``PurgeRecoverable``."""
    await work.flush()
    found = await work.tx.rows(_DUE, work.now, command.limit)
    # Only now are the accounts known. Locked, so that nobody recovers an email while it is removed;
    # what was recovered before the lock is not due any more.
    await work.lock(account_of(row[0]) for row in found)
    rows = await work.tx.rows(_STILL_DUE, work.now, [row[0] for row in found])
    if rows:
        await forget_emails(work, [row[0] for row in rows])
    for email, size in rows:
        head = await work.head(account_of(email))
        if head is not None:
            head.count_recoverable(-size)
    # What was in a mailbox is gone for good, or back: then so may its name.
    names = await work.tx.run(_GONE_DUE, work.now, command.limit)
    return Done(count=len(rows), more=command.limit in (len(found), names))


async def sweep_blobs(work: Work, command: SweepBlobs) -> Swept:
    """Execute ``SweepBlobs``."""
    await work.flush()
    before = work.now - command.idle
    rows = await work.tx.rows(_LOOK, before, command.after, command.limit)
    count, files = await delete_unused(work, [row[0] for row in rows if row[1]], before)
    after = rows[-1][0] if rows else command.after
    return Swept(count=count, files=files, after=after, more=len(rows) == command.limit)


async def delete_unused(work: Work, blobs: list[int], before: int) -> tuple[int, tuple[str, ...]]:
    """Remove those of some content that nothing uses and that was touched before a time; how many, and
    the names of their files, for the caller to remove once this is committed."""
    if not blobs:
        return 0, ()
    # On PostgreSQL what a delivery under way holds is left alone. Of the rest a statement that begins with
    # them locked sees every use there is, however long the commit that made it took.
    locked = [row[0] for row in await work.tx.rows(_LOCK, blobs)]
    removed = await work.tx.rows(DELETE_UNUSED, locked, before)
    await work.tx.run(_FRAMES_OF, [row[0] for row in removed])
    return len(removed), tuple(str(row[0]) for row in removed if row[1] == "file")


async def sweep_records(work: Work, command: SweepRecords) -> Done:
    """Execute ``SweepRecords``, at most ``limit`` of each kind."""
    await work.flush()
    counts = [
        await work.tx.run(_OLD_RESULTS, command.results_before, command.limit),
        await work.tx.run(_OLD_TRACES, command.traces_before << 31, command.limit),
        await work.tx.run(_OLD_ATTEMPTS, command.traces_before << 31, command.limit),
        await work.tx.run(_OLD_SENT, work.now // 3600 - 2 * HOURS, command.limit),
        await work.tx.run(_OLD_MEMORY, work.now, command.limit),
        await work.tx.run(ENDED, work.now, command.limit),
        await work.tx.run(OLD_CHALLENGES, work.now, command.limit),
        await work.tx.run(_OLD_UPLOADS, work.now, command.limit),
    ]
    return Done(count=sum(counts), more=max(counts) == command.limit)


async def sweep_tombstones(work: Work, command: SweepTombstones) -> Done | Refused:
    """Execute ``SweepTombstones``: the floor first, so that nothing is half told between two slices."""
    await work.flush()
    head = await work.head(command.account)
    if head is None:
        return Refused(reason="no-such-account")
    head.tombstone_floor = max(head.tombstone_floor, min(command.upto, head.modseq))
    low, high = command.account << 32, (command.account + 1) << 32
    await work.tx.run(
        "UPDATE account_head SET tombstone_floor = $1 WHERE account = $2",
        head.tombstone_floor,
        command.account,
    )
    places = await work.tx.run(_SWEEP_PLACES, head.tombstone_floor, low, high, command.limit)
    count = await work.tx.run(
        _SWEEP_TOMBSTONES, command.account, head.tombstone_floor, command.limit
    )
    return Done(count=count, more=command.limit in (count, places))
