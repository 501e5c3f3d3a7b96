"""Disks that fail the writer: a write that is refused, no room, read-only. Nothing acknowledged is lost."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from malleposte.store import DiskFull, Store, TemporaryFailure, alone, embedded
from malleposte.store.commands import CreateAccount, CreateDomain, Expunge, PurgeRecoverable
from malleposte.store.committer import Committer
from malleposte.store.content import FRAME, in_file
from malleposte.store.fsck import check
from malleposte.store.results import Created, Delivered, Done, Expunged
from support.disks import Disk, tmpfs
from support.store import ALL, deliver, inbox
from support.writer_process import WriterProcess


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[WriterProcess]:
    process = WriterProcess(tmp_path)
    yield process
    process.clear()


async def account(store: Store) -> int:
    await store.submit(CreateDomain(name="example.org"))
    command = CreateAccount(address="u@example.org", name="", password_hash="")
    made = await store.submit(command)
    assert isinstance(made, Created)
    return made.id


async def uids(store: Store, user: int) -> list[int]:
    rows = await store.reader.rows(
        "SELECT uid FROM membership WHERE mailbox = $1 ORDER BY uid", inbox(user)
    )
    return [row[0] for row in rows]


async def test_a_commit_that_fails_ends_the_writer_and_the_next_one_goes_on(
    writer: WriterProcess,
) -> None:
    """The log may not grow past a limit (EFBIG): that is no full disk, nobody knows what it is."""
    writer.start("--file-size", "800000")
    async with embedded(writer.folder, writer.socket) as store:
        user = await account(store)
        tasks = [
            asyncio.create_task(store.submit(deliver(user, data=os.urandom(20_000))))
            for _ in range(60)
        ]
        assert await asyncio.to_thread(writer.wait) == 74
        assert any("commit failed" in line for line in writer.said)
        await asyncio.sleep(0.05)
        done = sum(task.done() for task in tasks)
        assert done < 60
        # What was answered before is there; nothing that was not is.
        assert len(await uids(store, user)) >= done
        await asyncio.to_thread(writer.start)
        answers = await asyncio.wait_for(asyncio.gather(*tasks), 30)
        given = sorted(a.filed[0].uid for a in answers if isinstance(a, Delivered))
        assert given == list(range(1, 61))
        assert await uids(store, user) == given
    writer.signal(signal.SIGTERM)
    assert writer.wait() == 0
    async with alone(writer.folder) as fresh:
        assert [f async for f in check(fresh.reader, fresh.blobs, deep=True)] == []


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk of 16 MB where the data folder is."""
    with tmpfs(tmp_path / "data", 16 << 20) as disk:
        yield disk


@pytest.fixture
async def full(disk: Disk, writer: WriterProcess) -> AsyncIterator[tuple[Store, int]]:
    """A store on it, with some mail; no reserve, so that it can be filled to the last octet."""
    writer.start()
    async with embedded(writer.folder, writer.socket) as store:
        user = await account(store)
        for _ in range(10):
            await store.submit(deliver(user, data=os.urandom(30_000)))
        yield store, user
    writer.signal(signal.SIGTERM)
    assert writer.wait() == 0, "a full disk must not end the writer"
    async with alone(writer.folder) as fresh:
        assert [f async for f in check(fresh.reader, fresh.blobs, deep=True)] == []


async def test_a_full_disk_is_a_temporary_failure(
    full: tuple[Store, int], disk: Disk, writer: WriterProcess
) -> None:
    store, user = full
    disk.fill()
    failed = 0
    given = list(range(1, 11))
    for _ in range(100):
        try:
            answer = await store.submit(deliver(user, data=os.urandom(60_000)))
        except DiskFull:  # through the writer's socket too
            failed += 1
            if failed > 5:
                break
        else:
            assert isinstance(answer, Delivered)
            given.append(answer.filed[0].uid)
    assert failed > 5
    assert writer.alive
    # Reading goes on, and shows exactly what was acknowledged.
    assert await uids(store, user) == given
    with pytest.raises(OSError, match="space"):
        in_file(memoryview(os.urandom(4 * FRAME)), store.blobs)
    disk.make_room()
    answer = await store.submit(deliver(user, data=os.urandom(60_000)))
    assert isinstance(answer, Delivered)
    assert answer.filed[0].uid == given[-1] + 1


async def test_many_at_once_on_a_full_disk(full: tuple[Store, int], disk: Disk) -> None:
    """A batch that finds no room is tried in halves: what fits is filed, the rest is told so."""
    store, user = full
    disk.fill(leave=200_000)
    answers = await asyncio.gather(
        *(store.submit(deliver(user, data=os.urandom(10_000 + n))) for n in range(100)),
        return_exceptions=True,
    )
    kinds = {type(answer) for answer in answers}
    assert kinds == {Delivered, DiskFull}
    given = [a.filed[0].uid for a in answers if isinstance(a, Delivered)]
    assert await uids(store, user) == [*range(1, 11), *sorted(given)]
    disk.make_room()


async def test_deleting_makes_room_on_a_disk_that_is_almost_full(
    full: tuple[Store, int], disk: Disk
) -> None:
    """With some octets left for the log, as the reserve keeps them."""
    store, user = full
    disk.fill(leave=300_000)
    expunge = Expunge(actor=0, mailbox=inbox(user), uids=ALL, marked=False)
    assert isinstance(await store.submit(expunge), Expunged)
    assert isinstance(await store.submit(PurgeRecoverable()), Done)
    assert await uids(store, user) == []
    disk.make_room()


async def test_a_read_only_disk(disk: Disk, writer: WriterProcess) -> None:
    """Reading goes on; a writer that cannot write says so when it starts."""
    writer.start()
    async with embedded(writer.folder, writer.socket) as store:
        user = await account(store)
        await store.submit(deliver(user, data=b"x"))
    writer.signal(signal.SIGTERM)
    assert writer.wait() == 0
    disk.remount("ro")
    with pytest.raises((TemporaryFailure, OSError)):
        Committer(writer.folder)
    disk.remount("rw")
    async with alone(writer.folder) as store:
        assert await uids(store, user) == [1]
