"""What goes before its time: recoverable mail past a bound or for want of room, content that was put for
a command that did not come, pages that hold nothing.

Here content goes in the same command: it would else rest for the sweep, and whoever expunges in a loop
could fill the disk with what rests.
"""

from malleposte.store.commands import DropContent, PurgeOldest, Shrink
from malleposte.store.execute.filing import PUT_FOR
from malleposte.store.execute.purging import ON_HOLD, remove_emails
from malleposte.store.execute.upkeep import delete_unused
from malleposte.store.results import Done, Refused, Swept
from malleposte.store.work import Work

AT_ONCE = 64 * 1024 * 1024
"""Octets of emails after which a command ends: on PostgreSQL their content is rows; on SQLite it is files
that stay for days when the worker ends before it removed them."""
SKEW = PUT_FOR // 3
"""Seconds by which another node's clock may be ahead."""

_OLDEST = (
    "SELECT r.email, e.size, e.blob FROM recoverable r JOIN email e ON e.id = r.email"
    " WHERE r.account = $1 ORDER BY r.at, r.email LIMIT $2"
)
_FIND = "SELECT id FROM blob WHERE organisation = $1 AND digest = $2"


async def purge_oldest(work: Work, command: PurgeOldest) -> Swept | Refused:
    """Execute ``PurgeOldest``."""
    await work.flush()
    head = await work.head(command.account)
    if head is None:
        return Refused(reason="no-such-account")
    if await work.tx.row(ON_HOLD, command.account) is not None:
        return Swept(count=0, files=(), after=0, more=False)
    rows = await work.tx.rows(_OLDEST, command.account, command.limit)
    if not rows:
        # Whatever is counted, there is nothing: nobody is to come again for it.
        head.count_recoverable(-head.recoverable_bytes)
    excess = head.recoverable_bytes - command.keep
    emails, blobs, octets = [], set(), 0
    for email, size, blob in rows:
        if octets >= min(excess, AT_ONCE):
            break
        emails.append(email)
        blobs.add(blob)
        octets += size
    if not emails:
        return Swept(count=0, files=(), after=0, more=False)
    await remove_emails(work, emails)
    head.count_recoverable(-octets)
    # Content that was put and not used yet is touched in time to come.
    _, files = await delete_unused(work, sorted(blobs), work.now + SKEW)
    return Swept(count=len(emails), files=files, after=0, more=excess > octets)


async def drop_content(work: Work, command: DropContent) -> Swept | Refused:
    """Execute ``DropContent``."""
    await work.flush()
    organisation = command.organisation
    if not organisation:
        head = await work.head(command.account)
        if head is None:
            return Refused(reason="no-such-account")
        organisation = head.organisation
    found = [await work.tx.row(_FIND, organisation, digest) for digest in command.digests]
    blobs = sorted({row[0] for row in found if row is not None})
    count, files = await delete_unused(work, blobs, work.now + PUT_FOR + SKEW)
    return Swept(count=count, files=files, after=0, more=False)


async def shrink(work: Work, command: Shrink) -> Done:
    """Execute ``Shrink``."""
    if work.tx.dialect == "postgres":
        return Done()
    await work.flush()
    before = await _free_pages(work)
    await work.tx.rows(f"PRAGMA incremental_vacuum({max(1, command.pages)})")
    after = await _free_pages(work)
    return Done(count=before - after, more=0 < after < before)


async def _free_pages(work: Work) -> int:
    row = await work.tx.row("PRAGMA freelist_count")
    return int(row[0]) if row else 0
