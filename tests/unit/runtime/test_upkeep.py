"""Upkeep: what nothing uses goes, what is in use or fresh stays, however often a task runs."""

import os
import time

import pytest

from malleposte.delivery.spool import Spool, prepare
from malleposte.runtime import upkeep
from malleposte.runtime.upkeep import UpkeepSettings
from malleposte.store import Store
from malleposte.store.commands import Append, CreateAccount, CreateDomain, DeleteAccount, Expunge
from malleposte.store.content import FRAME, blob_path
from malleposte.store.ids import mailbox_id
from malleposte.store.results import Appended, LeasedJob

INBOX = mailbox_id(1, 1)


@pytest.fixture
async def filled(store: Store) -> Store:
    """One account with a small and a large message."""
    await store.submit(CreateDomain(name="example.test"))
    await store.submit(CreateAccount(address="ada@example.test", name="", password_hash=""))
    for size in (10, 2 * FRAME):
        spool = Spool(store.incoming)
        spool.write(b"Subject: x\r\n\r\n" + os.urandom(size))
        message = await prepare(spool)
        answer = await store.submit(
            Append(
                actor=1,
                mailbox=INBOX,
                content=message.content,
                rendered=message.rendered,
                received_at=1,
            ),
            message.descriptor,
        )
        assert isinstance(answer, Appended)
        message.close()
        spool.close()
    return store


async def count(store: Store, table: str) -> int:
    row = await store.reader.row(f"SELECT count(*) FROM {table}")
    assert row is not None
    return int(row[0])


async def test_expunged_mail_goes_when_its_time_is_over_and_its_content_after(
    filled: Store,
) -> None:
    everything = ((1, 10),)
    await filled.submit(
        Expunge(
            actor=1,
            mailbox=INBOX,
            uids=everything,
            marked=False,
            recoverable_until=int(time.time()) - 1,
        )
    )
    assert await upkeep.sweep_blobs(filled, 0) == 0
    assert await upkeep.purge_recoverable(filled) == 2
    assert await upkeep.purge_recoverable(filled) == 0
    assert await upkeep.sweep_blobs(filled, 3_600) == 0
    assert await upkeep.sweep_blobs(filled, -5) == 2
    assert await upkeep.sweep_blobs(filled, -5) == 0
    assert await count(filled, "blob") == 0
    assert await count(filled, "blob_frame") == 0
    assert [path for path in filled.blobs.rglob("*") if path.is_file()] == []


async def test_files_a_crash_left_go_and_those_in_use_stay(filled: Store) -> None:
    before = sorted(path for path in filled.blobs.rglob("*") if path.is_file())
    # An id that was given, whose row is not there: what a crash between link and commit leaves.
    orphan = blob_path(filled.blobs, 0)
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"left over")
    assert await upkeep.sweep_orphans(filled, 3_600) == 0
    await upkeep.sweep_orphans(filled, -5)
    assert sorted(path for path in filled.blobs.rglob("*") if path.is_file()) == before


async def test_old_records_go_in_steps_until_none_is_left(filled: Store) -> None:
    await upkeep.sweep_records(filled, UpkeepSettings())
    assert await upkeep.sweep_tombstones(filled, UpkeepSettings()) == 0
    await filled.submit(
        Expunge(actor=1, mailbox=INBOX, uids=((1, 1),), marked=False, recoverable_until=0)
    )
    settings = UpkeepSettings(tombstones=0, tombstones_kept=-5)
    assert await upkeep.sweep_tombstones(filled, settings) == 3
    assert await count(filled, "tombstone") == 0


async def test_a_deleted_account_is_removed_to_the_last_row(filled: Store) -> None:
    await filled.submit(DeleteAccount(account=1))
    row = await filled.reader.row("SELECT id, kind, key, payload FROM job")
    assert row is not None
    job = LeasedJob(id=row[0], kind=row[1], key=row[2], payload=bytes(row[3]), epoch=1, attempts=1)
    for _ in range(2):
        await upkeep.purge_account(filled, job)
    for table in ("account", "account_head", "mailbox", "email", "email_wide", "membership"):
        assert await count(filled, table) == 0, table
