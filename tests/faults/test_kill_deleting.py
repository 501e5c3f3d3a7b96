"""`kill -9` while what was in a deleted mailbox becomes recoverable: it stays gone, and nothing is lost."""

import asyncio
import random
import signal
import time
from contextlib import suppress

from malleposte.runtime import upkeep
from malleposte.runtime.jobs import JobRunner
from malleposte.store import Store, alone, embedded
from malleposte.store.commands import (
    MAX_ROWS,
    Copy,
    CreateAccount,
    CreateDomain,
    CreateMailbox,
    DeleteMailbox,
)
from malleposte.store.execute.deleting import SWEEP_JOB
from malleposte.store.fsck import check
from malleposte.store.read import mailboxes
from malleposte.store.results import Copied, Created, Done
from support.store import ALL, deliver
from support.writer_process import WriterProcess


async def made(store: Store, command: CreateAccount | CreateMailbox) -> int:
    answer = await store.submit(command)
    assert isinstance(answer, Created)
    return answer.id


async def filled(store: Store, account: int) -> tuple[int, int]:
    """A mailbox of more than go with it, and how many they are."""
    box = await made(store, CreateMailbox(actor=account, account=account, parent=0, path=("Big",)))
    for n in range(20):
        await store.submit(deliver(account, mailbox=box, data=b"%d" % n))
    count = 20
    while count <= MAX_ROWS:
        copied = await store.submit(Copy(actor=account, mailbox=box, uids=ALL, target=box))
        assert isinstance(copied, Copied)
        count += len(copied.uids)
    return box, count


async def restart(writer: WriterProcess) -> None:
    writer.signal(signal.SIGKILL)
    await asyncio.to_thread(writer.wait)
    await asyncio.to_thread(writer.start)


async def left(store: Store, box: int) -> int:
    row = await store.reader.row("SELECT count(*) FROM membership WHERE mailbox = $1", box)
    return int(row[0]) if row else 0


async def test_a_sweep_that_breaks_off_is_finished_by_the_job(writer: WriterProcess) -> None:
    seed = time.time_ns()
    print(f"seed {seed}")
    moment = random.Random(seed)
    async with embedded(writer.folder, writer.socket) as store:
        await store.submit(CreateDomain(name="example.org"))
        account = await made(
            store, CreateAccount(address="u@example.org", name="", password_hash="")
        )
        box, count = await filled(store, account)
        # The writer dies somewhere around the command that deletes.
        command = DeleteMailbox(actor=account, mailbox=box, recoverable_until=1 << 40)
        deleting = asyncio.create_task(store.submit(command))
        await asyncio.sleep(moment.uniform(0, 0.005))
        await restart(writer)
        assert isinstance(await deleting, Done)
        assert await mailboxes.find(store.reader, account, "Big") == 0
        assert await left(store, box) == count
        sweeping = asyncio.create_task(upkeep.sweep_deleted(store, box))
        await asyncio.sleep(moment.uniform(0, 0.05))
        await restart(writer)
        async with asyncio.timeout(30):
            while await left(store, box) == count:
                await asyncio.sleep(0.01)
        # And so does the worker that swept.
        sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await sweeping
        await restart(writer)
        there = await left(store, box)
        assert 0 < there < count, "the sweep did not break off in the middle: this shows nothing"
        assert [f async for f in check(store.reader, store.blobs, deep=True)] == []
        runner = JobRunner(store, "w", {SWEEP_JOB: lambda job: upkeep.sweep_mailbox(store, job)})
        assert await runner.run_due() == 1
    writer.signal(signal.SIGTERM)
    assert await asyncio.to_thread(writer.wait) == 0
    async with alone(writer.folder) as fresh:
        rows = await fresh.reader.rows("SELECT mailbox, count(*) FROM recoverable GROUP BY mailbox")
        assert rows == [(box, count)]
        assert await left(fresh, box) == 0
        assert await fresh.reader.rows("SELECT * FROM job") == []
        assert [f async for f in check(fresh.reader, fresh.blobs, deep=True)] == []
