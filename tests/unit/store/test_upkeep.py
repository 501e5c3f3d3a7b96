"""Upkeep: purge of recoverable emails, sweep of content and of old records; each may run twice."""

import os

import pytest

from malleposte.store.commands import (
    AddJob,
    DeleteAccount,
    DeleteMailbox,
    PurgeRecoverable,
    RepairNumbers,
    SweepBlobs,
    SweepRecords,
    SweepTombstones,
)
from malleposte.store.content import blob_path, in_file
from malleposte.store.read.tombstones import sweepable
from malleposte.store.results import Delivered, Done, Swept
from support.store import House, deliver, inbox

DAY = 86_400


async def hold(house: House, account: int, released_at: int | None = None) -> None:
    async with house.place.raw() as tx:
        await tx.run(
            "INSERT INTO hold (account, reason, actor, created_at, released_at)"
            " VALUES ($1, 'court', 'me', 1, $2)",
            account,
            released_at,
        )


async def purge(house: House, limit: int = 100) -> tuple[int, bool]:
    done = await house.do(PurgeRecoverable(limit=limit), Done)
    return done.count, done.more


# Recoverable emails -------------------------------------------------------------------------------


async def test_emails_are_purged_when_their_time_is_over(house: House) -> None:
    now = house.clock.stop()
    account = await house.account()
    await house.fill(account, 3)
    await house.expunge(inbox(account), ((1, 1),), until=now + 10)
    await house.expunge(inbox(account), ((2, 2),), until=now + 20)
    assert await purge(house) == (0, False)
    house.clock.turn(10)
    assert await purge(house) == (1, False)
    assert await purge(house) == (0, False)
    for table in ("email", "email_wide"):
        assert await house.value(f"SELECT count(*) FROM {table}") == 2, table
    house.clock.turn(10)
    assert await purge(house) == (1, False)
    assert await house.rows("SELECT * FROM recoverable") == []


async def test_the_names_of_deleted_mailboxes_go_with_what_was_in_them(house: House) -> None:
    now = house.clock.stop()
    account = await house.account()
    for number, (kept, gone) in enumerate([(10, 10), (30, 10), (10, 30)]):
        box = await house.mailbox(account, f"box{number}")
        await house.fill(account, 1, box)
        await house.expunge(box, until=now + kept)
        await house.do(DeleteMailbox(actor=0, mailbox=box, recoverable_until=now + gone), Done)

    async def names() -> list[str]:
        await purge(house)
        return [row[0] for row in await house.rows("SELECT path FROM gone_mailbox ORDER BY path")]

    assert await names() == ["box0", "box1", "box2"]
    house.clock.turn(10)
    assert await names() == ["box1", "box2"], "one longer for its message, one for itself"
    house.clock.turn(20)
    assert await names() == []


async def test_purging_names_goes_in_slices(house: House) -> None:
    account = await house.account()
    for number in range(3):
        box = await house.mailbox(account, f"box{number}")
        await house.fill(account, 1, box)
        await house.do(DeleteMailbox(actor=0, mailbox=box, recoverable_until=0), Done)
    assert [await purge(house, 2) for _ in range(2)] == [(2, True), (1, False)]
    assert await house.rows("SELECT path FROM gone_mailbox") == []


async def test_purging_goes_in_slices(house: House) -> None:
    account = await house.account()
    await house.fill(account, 5)
    await house.expunge(inbox(account), until=0)
    assert [await purge(house, 2) for _ in range(4)] == [
        (2, True),
        (2, True),
        (1, False),
        (0, False),
    ]


async def test_a_hold_keeps_emails_from_the_purge(house: House) -> None:
    held, free = await house.account(), await house.account()
    for account in (held, free):
        await house.fill(account, 1)
        await house.expunge(inbox(account), until=0)
    await hold(house, held)
    await hold(house, free, released_at=5)
    assert await purge(house) == (1, False)
    assert [row[0] >> 32 for row in await house.rows("SELECT email FROM recoverable")] == [held]


async def test_a_readers_flags_go_with_the_email(house: House) -> None:
    account, other = await house.account(), await house.account()
    await house.fill(account, 1)
    await house.grant(inbox(account), other, "lrs")
    await house.flag(inbox(account), actor=other, flags=1)
    await house.expunge(inbox(account), until=0)
    await purge(house)
    assert await house.rows("SELECT * FROM reader_seen") == []


# Content ------------------------------------------------------------------------------------------


async def sweep(house: House, **how: int) -> Swept:
    return await house.do(SweepBlobs(**how), Swept)


async def unused(house: House, count: int) -> list[int]:
    """Content nothing uses any more: its ids."""
    account = await house.account()
    await house.fill(account, count)
    await house.expunge(inbox(account), until=0)
    await purge(house)
    rows = await house.rows("SELECT id FROM blob ORDER BY id")
    return [row[0] for row in rows][-count:]


async def test_unused_content_is_swept_after_its_rest(house: House) -> None:
    house.clock.stop()
    account = await house.account()
    kept = await house.deliver(account, data=b"kept")
    blobs = await unused(house, 2)
    house.clock.turn(2 * DAY)
    assert (await sweep(house)).count == 0, "48 h are not over"
    house.clock.turn(1)
    swept = await sweep(house)
    assert (swept.count, swept.files, swept.after, swept.more) == (2, (), blobs[-1], False)
    assert await house.value("SELECT count(*) FROM blob") == 1
    assert await house.value("SELECT count(*) FROM blob_frame") == 1
    assert await house.bytes_of(kept.email) == b"kept"
    assert (await sweep(house)).count == 0


async def test_the_purge_touches_content(house: House) -> None:
    """Copies that use the same content find it for another 48 h."""
    house.clock.stop()
    account = await house.account()
    await house.fill(account, 1)
    house.clock.turn(10 * DAY)
    await house.expunge(inbox(account), until=0)
    await purge(house)
    assert (await sweep(house)).count == 0
    house.clock.turn(2 * DAY + 1)
    assert (await sweep(house)).count == 1


async def test_recoverable_and_uploaded_content_is_in_use(house: House) -> None:
    house.clock.stop()
    account = await house.account()
    await house.fill(account, 1)
    await house.expunge(inbox(account), until=1 << 40)
    (blob,) = await unused(house, 1)
    async with house.place.raw() as tx:
        await tx.run(
            "INSERT INTO upload (account, id, blob, until) VALUES ($1, 1, $2, 0)", account, blob
        )
    house.clock.turn(3 * DAY)
    assert (await sweep(house)).count == 0
    async with house.place.raw() as tx:
        await tx.run("DELETE FROM upload")
    assert (await sweep(house)).count == 1


async def test_sweeping_goes_in_slices(house: House) -> None:
    house.clock.stop()
    await unused(house, 3)
    house.clock.turn(3 * DAY)
    first = await sweep(house, limit=2)
    assert (first.count, first.more) == (2, True)
    second = await sweep(house, limit=2, after=first.after)
    assert (second.count, second.more) == (1, False)
    assert (await sweep(house, after=second.after)).after == second.after


async def test_content_in_use_again_is_not_swept(house: House) -> None:
    """The deleting statement looks once more: between it and the search a delivery may have come."""
    import malleposte.store.execute.upkeep as upkeep

    house.clock.stop()
    account = await house.account()
    (blob,) = await unused(house, 1)
    house.clock.turn(3 * DAY)
    async with house.place.raw() as tx:
        # Used again, though not touched: only the look at the emails saves it.
        await tx.run("UPDATE blob SET touched_at = 0")
    filed = await house.deliver(account, data=b"other")
    await house.damage("UPDATE email SET blob = $1 WHERE id = $2", blob, filed.email)
    statement = upkeep.DELETE_UNUSED
    async with house.place.raw() as tx:
        assert await tx.rows(statement, [blob], 1 << 40) == []
    assert await house.value("SELECT count(*) FROM blob WHERE id = $1", blob) == 1


async def test_files_are_named_for_removal(house: House) -> None:
    house.clock.stop()
    account = await house.account()
    what, descriptor = in_file(memoryview(os.urandom(300_000)), house.store.blobs)
    try:
        await house.do(deliver(account, what=what), Delivered, descriptor)
    finally:
        os.close(descriptor)
    (blob,) = (await house.rows("SELECT id FROM blob"))[0]
    await house.expunge(inbox(account), until=0)
    await purge(house)
    house.clock.turn(3 * DAY)
    swept = await sweep(house)
    if house.place.dsn:
        assert swept.files == ()
    else:
        assert swept.files == (str(blob),)
        blob_path(house.store.blobs, blob).unlink()
    assert await house.rows("SELECT * FROM blob_frame") == []


# Records ------------------------------------------------------------------------------------------


async def sweep_records(
    house: House, *, results: int = 0, traces: int = 0, limit: int = 100
) -> tuple[int, bool]:
    command = SweepRecords(results_before=results, traces_before=traces, limit=limit)
    done = await house.do(command, Done)
    return done.count, done.more


async def test_traces_are_swept_by_time_in_slices(house: House) -> None:
    account = await house.account()
    now = house.clock.stop()
    for n in range(5):
        await house.do(deliver(account, trace_id=(now + n) << 31 | 7), Delivered)
    assert await sweep_records(house, traces=now) == (0, False)
    assert await sweep_records(house, traces=now + 4, limit=3) == (3, True)
    assert await sweep_records(house, traces=now + 4, limit=3) == (1, False)
    assert len(await house.rows("SELECT id FROM trace")) == 1


async def test_results_are_swept_by_time(house: House) -> None:
    async with house.place.raw() as tx:
        for n in range(3):
            await tx.run(
                "INSERT INTO command_result (origin, seq, at, result) VALUES (77, $1, $2, $3)",
                n,
                100 + n,
                b"x",
            )
    assert await sweep_records(house, results=102) == (2, False)
    rows = await house.rows("SELECT seq FROM command_result WHERE origin = 77")
    assert rows == [(2,)]


async def test_tombstones_go_by_number_and_age(house: House) -> None:
    """Whoever asks for changes since before the floor hears that they cannot be told."""
    now = house.clock.stop()
    account = await house.account()
    await house.fill(account, 6)
    changes = []
    for uid in (1, 3, 5):
        changes.append(await house.expunge(inbox(account), ((uid, uid),)))
        house.clock.turn(100)
    reader = house.store.reader
    # Each expunge left three: a uid, an email, a thread.
    assert await sweepable(reader, account, number=9, before=now + 1000) == 0
    assert await sweepable(reader, account, number=0, before=now) == 0
    assert await sweepable(reader, account, number=0, before=now + 150) == changes[1].modseq
    # The cut keeps a change whole: with room for four, two changes stay.
    upto = await sweepable(reader, account, number=4, before=now + 1000)
    assert changes[0].modseq <= upto < changes[1].modseq
    done = await house.do(SweepTombstones(account=account, upto=upto, limit=2), Done)
    assert (done.count, done.more) == (2, True)
    done = await house.do(SweepTombstones(account=account, upto=upto, limit=2), Done)
    assert (done.count, done.more) == (1, False)
    assert await house.value("SELECT tombstone_floor FROM account_head") == upto
    assert [t[2] for t in await house.tombstones(account, "uid")] == [3, 5]


async def test_tombstones_of_no_account_are_refused(house: House) -> None:
    assert await house.refused(SweepTombstones(account=99, upto=1)) == "no-such-account"


# Numbers ------------------------------------------------------------------------------------------


async def test_numbers_leap_after_a_restore(house: House) -> None:
    first = await house.account()
    await house.do(RepairNumbers(), Done)
    assert await house.account() == first + 1
    await house.do(RepairNumbers(leap=1000), Done)
    assert await house.account() == first + 1002


@pytest.mark.parametrize("name", ["account", "job"])
async def test_numbers_never_come_twice(house: House, name: str) -> None:
    """Also not when the rows they were given to are gone."""
    numbers = []
    for n in range(3):
        if name == "account":
            numbers.append(await house.account(f"a{n}"))
            await house.do(DeleteAccount(account=numbers[-1]), Done)
        else:
            await house.do(AddJob(kind="k", key=str(n), payload=b"", run_at=0), Done)
            numbers.append(await house.value("SELECT max(id) FROM job"))
        async with house.place.raw() as tx:
            await tx.run("DELETE FROM job")
    assert numbers == sorted(set(numbers))
