"""The writer killed (SIGKILL) under load: nothing acknowledged is lost, nothing is there twice.

The workers' side is a real client on a real socket; the writer is a process of its own, killed at random
moments, or by itself at the points where something is half done.
"""

import asyncio
import hashlib
import os
import random
import shutil
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from malleposte.store import Store, alone, embedded
from malleposte.store.commands import CreateAccount, CreateDomain, Deliver, StoreFlags
from malleposte.store.content import FRAME, in_file
from malleposte.store.fsck import check
from malleposte.store.read import emails
from malleposte.store.results import Created, Delivered, Stored
from support.store import deliver, inbox
from support.writer_process import POINTS, WriterProcess

ACCOUNTS = 3
SENDERS = 12


@pytest.fixture
async def store(writer: WriterProcess) -> AsyncIterator[Store]:
    async with embedded(writer.folder, writer.socket) as store:
        yield store


class Load:
    """Delivers and flags until told to stop; remembers what was acknowledged."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store = store
        self.random = random.Random(seed)
        self.accounts: list[int] = []
        self.acknowledged: dict[bytes, tuple[int, int, int]] = {}
        """Content to (account, UID, email)."""
        self.flagged: set[tuple[int, int]] = set()
        self.sent = 0
        self.stopping = False

    async def prepare(self) -> None:
        await self.store.submit(CreateDomain(name="example.org"))
        for n in range(ACCOUNTS):
            command = CreateAccount(address=f"u{n}@example.org", name="", password_hash="")
            made = await self.store.submit(command)
            assert isinstance(made, Created)
            self.accounts.append(made.id)

    async def run(self) -> None:
        await asyncio.gather(*(self._send() for _ in range(SENDERS)))

    async def _send(self) -> None:
        while not self.stopping:
            self.sent += 1
            size = FRAME + self.sent if self.random.random() < 0.1 else 20
            data = b"%d " % self.sent + self.random.randbytes(size)
            account = self.random.choice(self.accounts)
            filed = await self._deliver(account, data)
            assert data not in self.acknowledged
            self.acknowledged[data] = filed
            if self.random.random() < 0.3:
                await self._flag(account, filed[1])

    async def _deliver(self, account: int, data: bytes) -> tuple[int, int, int]:
        if len(data) <= FRAME:
            command: Deliver = deliver(account, data=data)
            answer = await self.store.submit(command)
        else:
            what, descriptor = await asyncio.to_thread(in_file, memoryview(data), self.store.blobs)
            try:
                answer = await self.store.submit(deliver(account, what=what), descriptor)
            finally:
                os.close(descriptor)
        assert isinstance(answer, Delivered)
        (filed,) = answer.filed
        assert not filed.refused
        return account, filed.uid, filed.email

    async def _flag(self, account: int, uid: int) -> None:
        command = StoreFlags(actor=0, mailbox=inbox(account), uids=((uid, uid),), mode="+", flags=4)
        assert isinstance(await self.store.submit(command), Stored)
        self.flagged.add((account, uid))

    async def examine(self, store: Store) -> None:
        """Everything acknowledged is there, once, byte for byte; and there is nothing else."""
        rows = await store.reader.rows(
            "SELECT m.mailbox >> 32, m.uid, m.email, e.flags FROM membership m"
            " JOIN email e ON e.id = m.email"
        )
        there = {(row[0], row[1], row[2]) for row in rows}
        assert there == set(self.acknowledged.values())
        assert {(row[0], row[1]) for row in rows if row[3] & 4} == self.flagged
        for data, (_, _, email) in self.acknowledged.items():
            stored = await emails.stored_by_id(store.reader, email)
            assert stored is not None
            pieces = emails.read(store.reader, store.blobs, stored, 0, stored.size)
            found = b"".join([piece async for piece in pieces])
            assert hashlib.sha256(found).digest() == hashlib.sha256(data).digest()
        assert [f async for f in check(store.reader, store.blobs, deep=True)] == []


async def finish(load: Load, running: "asyncio.Task[None]", writer: WriterProcess) -> None:
    """Let the senders end, end the writer in order, look at everything with fresh eyes."""
    load.stopping = True
    await asyncio.wait_for(running, 60)
    writer.signal(signal.SIGTERM)
    assert await asyncio.to_thread(writer.wait) == 0
    assert "restored" not in writer.said, "a crash was taken for a copy put back"
    async with alone(writer.folder) as fresh:
        await load.examine(fresh)


@pytest.mark.parametrize(
    "kills", [15, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
async def test_kills_at_random_moments(writer: WriterProcess, store: Store, kills: int) -> None:
    seed = time.time_ns()
    print(f"seed {seed}")
    load = Load(store, seed)
    await load.prepare()
    running = asyncio.create_task(load.run())
    moment = random.Random(seed + 1)
    for _ in range(kills):
        await asyncio.sleep(moment.uniform(0.0, 0.15))
        writer.signal(signal.SIGKILL)
        await asyncio.to_thread(writer.wait)
        assert not running.done(), running.result()
        await asyncio.to_thread(writer.start)
    await asyncio.sleep(0.1)
    await finish(load, running, writer)
    assert len(load.acknowledged) > kills


@pytest.mark.parametrize("point", POINTS)
async def test_death_at_each_point_of_a_commit(
    writer: WriterProcess, store: Store, point: str
) -> None:
    load = Load(store, 7)
    await load.prepare()
    running = asyncio.create_task(load.run())
    writer.signal(signal.SIGKILL)
    await asyncio.to_thread(writer.wait)
    await asyncio.to_thread(writer.start, "--die", point, "1" if point == "checkpoint" else "3")
    assert await asyncio.to_thread(writer.wait) == -signal.SIGKILL
    await asyncio.to_thread(writer.start)
    await asyncio.sleep(0.2)
    await finish(load, running, writer)


async def test_a_copy_put_back_gives_no_uid_twice(tmp_path: Path) -> None:
    """The database file of a moment ago comes back, as a restore does it, with the writer away."""
    writer = WriterProcess(tmp_path)
    writer.start()
    seen: dict[tuple[int, int, int], bytes] = {}

    async def file(store: Store, account: int, count: int) -> None:
        for _ in range(count):
            data = os.urandom(8)
            answer = await store.submit(deliver(account, data=data))
            assert isinstance(answer, Delivered)
            row = await store.reader.row(
                "SELECT uidvalidity FROM mailbox WHERE id = $1", inbox(account)
            )
            assert row is not None
            key = (account, row[0], answer.filed[0].uid)
            assert key not in seen, "a UID names another message"
            seen[key] = data

    async with embedded(writer.folder, writer.socket) as store:
        load = Load(store, 1)
        await load.prepare()
        for account in load.accounts:
            await file(store, account, 3)
    writer.signal(signal.SIGTERM)
    assert writer.wait() == 0
    shutil.copy(writer.folder / "store.db", tmp_path / "copy")
    for _ in range(3):
        writer.start()
        async with embedded(writer.folder, writer.socket) as store:
            for account in load.accounts:
                await file(store, account, 5)
        writer.signal(signal.SIGTERM)
        assert writer.wait() == 0
        shutil.copy(tmp_path / "copy", writer.folder / "store.db")
    writer.start()
    assert writer.said == ["ready", "ready", "restored", "restored", "restored"]
    async with embedded(writer.folder, writer.socket) as store:
        assert [f async for f in check(store.reader, store.blobs, deep=True)] == []
    writer.clear()
