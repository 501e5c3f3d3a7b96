"""A disk that runs short: what goes, in which order, and what stays."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from structlog.testing import capture_logs

from malleposte.runtime import shortage
from malleposte.runtime.shortage import Shortage, Told
from malleposte.store import Store, alone
from malleposte.store.commands import CreateAccount, CreateDomain, Expunge, PutContent
from malleposte.store.content import in_file
from malleposte.store.execute.filing import PUT_FOR
from malleposte.store.ids import mailbox_id
from malleposte.store.reserve import Reserve
from malleposte.store.results import Delivered
from support.store import deliver

SIZE = 300_000
"""Octets of a message: its content is a file."""
RESERVE = 3_000_000
ALL = ((1, 0xFFFFFFFF),)


class Disk:
    """A disk on which only the files of content take room."""

    octets = RESERVE

    def __init__(self, folder: Path, capacity: int) -> None:
        self.folder = folder
        self.capacity = capacity

    def room(self) -> int:
        used = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        return self.capacity - used - self.octets


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """On SQLite, with three accounts."""
    async with alone(tmp_path / "data") as store:
        await store.submit(CreateDomain(name="example.test"))
        for name in ("ada", "bob", "cyd"):
            await store.submit(
                CreateAccount(address=f"{name}@example.test", name="", password_hash="")
            )
        yield store


async def file(store: Store, account: int, count: int, *, expunge: bool = True) -> None:
    """Messages of ``SIZE`` octets."""
    for _ in range(count):
        what, descriptor = in_file(memoryview(os.urandom(SIZE)), store.blobs)
        try:
            done = await store.submit(deliver(account, what=what), descriptor)
        finally:
            os.close(descriptor)
        assert isinstance(done, Delivered)
    if expunge:
        await store.submit(
            Expunge(
                actor=0,
                mailbox=mailbox_id(account, 1),
                uids=ALL,
                marked=False,
                recoverable_until=1 << 40,
            )
        )


async def recoverable(store: Store) -> dict[int, int]:
    rows = await store.reader.rows("SELECT account, count(*) FROM recoverable GROUP BY account")
    return dict(rows)


def of(store: Store, room: int, told: Told | None = None) -> Shortage:
    """With so many octets free above the reserve, as things stand."""
    disk = Disk(store.blobs, 0)
    disk.capacity = room - disk.room()
    return Shortage(store, cast("Reserve", disk), told)


async def test_it_begins_at_twice_the_reserve(store: Store) -> None:
    assert not of(store, RESERVE).near
    assert of(store, RESERVE - 1).near


async def test_what_nobody_uses_goes_before_what_somebody_may_want(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.store.execute.filing.PUT_FOR", 0)
    monkeypatch.setattr("malleposte.store.execute.appending.PUT_FOR", -PUT_FOR)
    for _ in range(6):
        what, descriptor = in_file(memoryview(os.urandom(SIZE)), store.blobs)
        await store.submit(PutContent(account=1, content=what), descriptor)
        os.close(descriptor)
    await file(store, 1, 8)
    swept: list[int] = []
    assert await of(store, RESERVE - 1, Told(swept=swept.append)).relieve()
    assert sum(swept) == 6
    assert await recoverable(store) == {1: 8}


async def test_content_that_waits_for_its_command_stays(store: Store) -> None:
    what, descriptor = in_file(memoryview(os.urandom(SIZE)), store.blobs)
    await store.submit(PutContent(account=1, content=what), descriptor)
    os.close(descriptor)
    assert not await of(store, RESERVE - 1).relieve()
    assert await store.reader.row("SELECT count(*) FROM blob") == (1,)


async def test_of_the_account_that_has_most_the_oldest_goes(store: Store) -> None:
    await file(store, 1, 4)
    await file(store, 2, 20)
    await file(store, 3, 3, expunge=False)
    purged: list[int] = []
    assert await of(store, RESERVE - 100_000, Told(purged=purged.append)).relieve()
    left = await recoverable(store)
    assert left[1] == 4
    assert sum(purged) == 20 - left[2]
    assert 3 <= sum(purged) <= 5, "no more than was asked for"
    rows = await store.reader.rows("SELECT email FROM recoverable WHERE account = 2")
    assert min(row[0] for row in rows) & 0xFFFFFFFF == 1 + sum(purged)


async def test_each_keeps_a_share_while_mail_comes_in(store: Store) -> None:
    """A tenth of the reserve: a message of 300,000 octets."""
    await file(store, 1, 3)
    await file(store, 2, 2)
    assert not await of(store, RESERVE // 10).relieve()
    assert await recoverable(store) == {1: 1, 2: 1}


async def test_nobody_keeps_one_while_mail_is_put_off(store: Store) -> None:
    await file(store, 1, 1)
    await file(store, 2, 1)
    assert not await of(store, -RESERVE).relieve()
    assert await recoverable(store) == {}


async def test_a_hold_stands(store: Store) -> None:
    committer = store.writer._committer  # type: ignore[attr-defined]
    committer.db.begin()
    await committer.db.run(
        "INSERT INTO hold (account, reason, actor, created_at) VALUES (1, 'court', 'me', 1)"
    )
    committer.db.commit()
    await file(store, 1, 5)
    await file(store, 2, 2)
    assert not await of(store, -RESERVE).relieve()
    assert await recoverable(store) == {1: 5}


async def test_the_log_says_it_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortage, "TELL_EVERY", 1e9)
    await file(store, 1, 8)
    with capture_logs() as lines:
        scarce = of(store, RESERVE - 1)
        assert await scarce.relieve()
        for _ in range(2):
            cast("Disk", scarce._reserve).capacity -= 2 * RESERVE
            assert not await scarce.relieve()
    assert [line["event"].split(":")[0] for line in lines] == [
        "the disk runs short",
        "the disk has room again",
        "the disk runs short and nothing is left that may go",
    ]


async def test_rows_give_their_pages_back(store: Store) -> None:
    """Small mail stands in the database file, which must get shorter for it to count."""
    for _ in range(30):
        await store.submit(deliver(1, data=os.urandom(100_000)))
    mailbox = mailbox_id(1, 1)
    await store.submit(
        Expunge(actor=0, mailbox=mailbox, uids=ALL, marked=False, recoverable_until=1 << 40)
    )
    database = store.blobs.parent / "store.db"
    store.writer._committer.rest(idle=True)  # type: ignore[attr-defined]
    disk = Disk(database.parent, 0)
    disk.capacity = RESERVE - 1 - disk.room()
    before = database.stat().st_size
    assert await Shortage(store, cast("Reserve", disk)).relieve()
    assert database.stat().st_size < before - RESERVE // 5
    assert (await recoverable(store))[1] > 10, "not all of it for a fifth of the reserve"
