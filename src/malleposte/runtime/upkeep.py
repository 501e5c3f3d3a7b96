"""What the store needs done now and then: purge what is past recovering, sweep what nothing uses.

Each task works in slices, lets others pass between, and may be run twice or broken off anywhere.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from malleposte.store import Store
from malleposte.store.commands import (
    PurgeAccount,
    PurgeOldest,
    PurgeRecoverable,
    SweepBlobs,
    SweepMailbox,
    SweepRecords,
    SweepTombstones,
)
from malleposte.store.content import unlink
from malleposte.store.quota import recoverable_most
from malleposte.store.read import mailboxes
from malleposte.store.read.blobs import unclaimed
from malleposte.store.read.tombstones import accounts_with_heads, sweepable
from malleposte.store.results import Done, LeasedJob, Swept

PAUSE = 0.05
"""Seconds between two slices, so that mail passes between."""
ORPHANS = 500
"""Files asked for in one statement."""
LOOKED = 5_000
"""Contents looked at in one command for whether they are used: some 10 ms of the writer."""
SWEPT = 1_000
"""Messages of a deleted mailbox that become recoverable in one command."""
RESULT_KEPT = 86_400
"""Seconds a command's answer is kept for a worker that may ask again; a worker lives on or is gone."""


@dataclass(frozen=True, slots=True)
class UpkeepSettings:
    """Seconds that unused content, traces and tombstones are kept; and how many tombstones of an
    account are kept in any case."""

    sweep_after: int = 48 * 3600
    trace_kept: int = 30 * 86_400
    tombstones: int = 1_000_000
    tombstones_kept: int = 365 * 86_400


_PAST_BOUND = (
    "SELECT account FROM account_head"
    " WHERE recoverable_bytes > $1 AND recoverable_bytes > quota_bytes"
)
_RECOVERABLE = "SELECT recoverable_bytes, quota_bytes FROM account_head WHERE account = $1"


async def purge(store: Store, allowed: int) -> int:
    """Remove expunged emails whose time is over, and the oldest of accounts that have more octets of them
    than their quota and than ``allowed``; how many."""
    count = await purge_recoverable(store)
    for (account,) in await store.reader.rows(_PAST_BOUND, allowed):
        count += await purge_past_bound(store, account, allowed)
    return count


async def purge_recoverable(store: Store) -> int:
    """Remove expunged emails whose time is over; how many."""
    count = 0
    while True:
        done = await store.submit(PurgeRecoverable(limit=1_000))
        if not isinstance(done, Done):
            return count
        count += done.count
        if not done.more:
            return count
        await asyncio.sleep(PAUSE)


async def purge_past_bound(store: Store, account: int, allowed: int) -> int:
    """Remove an account's oldest recoverable emails until the rest is within its bound; how many."""
    count = 0
    row = await store.reader.row(_RECOVERABLE, account)
    if row is None or row[0] <= (keep := recoverable_most(row[1], allowed)):
        return count
    while isinstance(swept := await store.submit(PurgeOldest(account=account, keep=keep)), Swept):
        await asyncio.to_thread(unlink, store.blobs, swept.files)
        count += swept.count
        if not swept.more:
            break
        await asyncio.sleep(PAUSE)
    return count


async def sweep_blobs(store: Store, idle: int) -> int:
    """Remove content nothing uses, and its files; how many blobs."""
    count = after = 0
    while True:
        swept = await store.submit(SweepBlobs(idle=idle, after=after, limit=LOOKED))
        if not isinstance(swept, Swept):
            return count
        await asyncio.to_thread(unlink, store.blobs, swept.files)
        count, after = count + swept.count, swept.after
        if not swept.more:
            return count
        await asyncio.sleep(PAUSE)


async def sweep_orphans(store: Store, idle: int) -> int:
    """Remove files in the blob folder that a crash left without a row; how many."""
    count = 0
    for folder in await asyncio.to_thread(_folders, store.blobs):
        old = await asyncio.to_thread(_old_files, folder, idle)
        for at in range(0, len(old), ORPHANS):
            names = await unclaimed(store.reader, old[at : at + ORPHANS])
            await asyncio.to_thread(unlink, store.blobs, tuple(map(str, names)))
            count += len(names)
            await asyncio.sleep(0)
    return count


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir() and len(path.name) == 2]


def _old_files(folder: Path, idle: int) -> list[int]:
    limit = time.time() - idle
    return [
        int(path.name)
        for path in folder.iterdir()
        if path.name.isdigit() and path.stat().st_mtime < limit
    ]


async def sweep_records(store: Store, settings: UpkeepSettings) -> int:
    """Remove old answers and traces; how many rows."""
    now = int(time.time())
    command = SweepRecords(
        results_before=now - RESULT_KEPT, traces_before=now - settings.trace_kept
    )
    count = 0
    while isinstance(done := await store.submit(command), Done):
        count += done.count
        if not done.more:
            break
        await asyncio.sleep(PAUSE)
    return count


async def sweep_tombstones(store: Store, settings: UpkeepSettings) -> int:
    """Remove tombstones beyond an account's number that are old enough; how many."""
    count = account = 0
    before = int(time.time()) - settings.tombstones_kept
    while accounts := await accounts_with_heads(store.reader, account, 500):
        for account in accounts:
            upto = await sweepable(store.reader, account, number=settings.tombstones, before=before)
            while upto:
                done = await store.submit(SweepTombstones(account=account, upto=upto))
                if not isinstance(done, Done):
                    break
                count += done.count
                if not done.more:
                    break
                await asyncio.sleep(PAUSE)
        await asyncio.sleep(0)
    return count


async def purge_account(store: Store, job: LeasedJob) -> None:
    """The job that removes a deleted account's mail."""
    account = msgspec.msgpack.decode(job.payload, type=int)
    while True:
        done = await store.submit(PurgeAccount(account=account))
        if not isinstance(done, Done) or not done.more:
            return
        await asyncio.sleep(PAUSE)


async def purge_oldest(
    store: Store, job: LeasedJob, allowed: int, purged: Callable[[int], object]
) -> None:
    """The job of an account that passed its bound; ``purged`` is told how many emails went."""
    account = msgspec.msgpack.decode(job.payload, type=int)
    purged(await purge_past_bound(store, account, allowed))


async def sweep_mailbox(store: Store, job: LeasedJob) -> None:
    """The job that makes recoverable what was in a large mailbox when it was deleted."""
    mailbox = msgspec.msgpack.decode(job.payload, type=int)
    await sweep_deleted(store, mailbox)


async def sweep_deleted(store: Store, mailbox: int) -> None:
    """Have what a deleted mailbox still holds become recoverable, whatever is left of it."""
    while True:
        done = await store.submit(SweepMailbox(mailbox=mailbox, limit=SWEPT))
        if not isinstance(done, Done) or not done.more:
            return
        await asyncio.sleep(PAUSE)


async def sweep_all_deleted(store: Store, account: int) -> None:
    """The same for all of an account, before its owner looks for what can be brought back."""
    for mailbox in await mailboxes.unswept(store.reader, account):
        await sweep_deleted(store, mailbox)
