"""What an account has recoverable is counted and bounded; what goes early goes with its content."""

import asyncio
import os
from typing import Any

import msgspec
import pytest

from malleposte.runtime import upkeep
from malleposte.store.commands import (
    AppendAll,
    DeleteMailbox,
    DropContent,
    Enclosed,
    Filing,
    PurgeOldest,
    PurgeRecoverable,
    PutContent,
    Recover,
    RepairAccount,
    SetAccount,
    Shrink,
    SweepBlobs,
)
from malleposte.store.content import blob_path, in_file
from malleposte.store.execute import appending
from malleposte.store.execute.filing import PUT_FOR
from malleposte.store.quota import PURGE_OLDEST_JOB
from malleposte.store.results import AppendedAll, Copied, Delivered, Done, Swept
from support.store import ALL, House, append, deliver, inbox, rendered, small

DAY = 86_400


def bound(house: House, octets: int) -> None:
    """Octets every account may have recoverable."""
    writer: Any = house.store.writer
    getattr(writer, "_committer", writer).recoverable = octets


async def hold(house: House, account: int) -> None:
    async with house.place.raw() as tx:
        await tx.run(
            "INSERT INTO hold (account, reason, actor, created_at) VALUES ($1, 'court', 'me', 1)",
            account,
        )


async def counted(house: House, account: int) -> int:
    sql = "SELECT recoverable_bytes FROM account_head WHERE account = $1"
    return int(await house.value(sql, account))


async def left(house: House, account: int) -> list[int]:
    """Recoverable emails, by their number in the account."""
    sql = "SELECT email FROM recoverable WHERE account = $1 ORDER BY email"
    return [row[0] & 0xFFFFFFFF for row in await house.rows(sql, account)]


async def jobs(house: House) -> list[str]:
    sql = "SELECT key FROM job WHERE kind = $1 ORDER BY key"
    return [row[0] for row in await house.rows(sql, PURGE_OLDEST_JOB)]


async def oldest(house: House, account: int, keep: int, limit: int = 500) -> Swept:
    return await house.do(PurgeOldest(account=account, keep=keep, limit=limit), Swept)


async def expunged(house: House, account: int, *sizes: int) -> None:
    """Messages that were delivered and expunged one after the other, a second between."""
    for size in sizes:
        filed = await house.deliver(account, data=os.urandom(size))
        await house.expunge(inbox(account), ((filed.uid, filed.uid),))
        house.clock.turn(1)


# The count ----------------------------------------------------------------------------------------


async def test_what_can_be_brought_back_is_counted(house: House) -> None:
    """Through every way in and out; fsck compares after the test."""
    now = house.clock.stop()
    account = await house.account()
    archive = await house.standard(account, "archive")
    for size in (100, 200, 400, 800):
        await house.deliver(account, data=b"x" * size)
    await house.copy(inbox(account), archive, ((1, 1),))
    await house.expunge(inbox(account), ((1, 1),))
    assert await counted(house, account) == 0, "another mailbox has it"
    await house.expunge(inbox(account), ((2, 3),), until=now + 5)
    assert await counted(house, account) == 600
    emails = [row[0] for row in await house.rows("SELECT email FROM recoverable ORDER BY email")]
    await house.do(Recover(actor=account, target=archive, emails=(emails[0],)), Copied)
    assert await counted(house, account) == 400
    box = await house.mailbox(account, "gone")
    await house.copy(inbox(account), box, ALL, move=True)
    await house.do(DeleteMailbox(actor=0, mailbox=box, recoverable_until=now + 50), Done)
    assert await counted(house, account) == 1200
    house.clock.turn(10)
    assert (await house.do(PurgeRecoverable(), Done)).count == 1
    assert await counted(house, account) == 800


async def test_mail_to_postmaster_takes_room_too_once_it_is_expunged(house: House) -> None:
    account = await house.account()
    await house.deliver(account, data=b"x" * 300, exempt=True)
    await house.expunge(inbox(account))
    assert await counted(house, account) == 300


async def test_a_count_that_is_wrong_is_repaired(house: House) -> None:
    account = await house.account()
    await expunged(house, account, 100)
    await house.damage("UPDATE account_head SET recoverable_bytes = 7")
    await house.do(RepairAccount(account=account), Done)
    assert await counted(house, account) == 100
    house.damaged = False


# The bound ----------------------------------------------------------------------------------------


async def test_past_the_bound_a_job_has_the_oldest_go(house: House) -> None:
    house.clock.stop()
    bound(house, 1000)
    account = await house.account()
    await expunged(house, account, 400, 300, 200)
    assert await jobs(house) == []
    await expunged(house, account, 250, 100)
    assert await jobs(house) == [str(account)], "one, however often it is passed"
    assert await upkeep.purge_past_bound(house.store, account, 1000) == 1
    assert await left(house, account) == [2, 3, 4, 5]
    assert await counted(house, account) == 850
    assert await upkeep.purge_past_bound(house.store, account, 1000) == 0


async def test_the_oldest_is_what_was_expunged_first(house: House) -> None:
    house.clock.stop()
    account = await house.account()
    for _ in range(3):
        await house.deliver(account, data=os.urandom(100))
    for uid in (2, 3, 1):
        await house.expunge(inbox(account), ((uid, uid),))
        house.clock.turn(1)
    await oldest(house, account, 200)
    assert await left(house, account) == [1, 3]


async def test_the_bound_is_the_quota_where_that_is_more(house: House) -> None:
    house.clock.stop()
    bound(house, 100)
    account = await house.account(quota=1000)
    await expunged(house, account, 500, 400)
    assert await jobs(house) == []
    await expunged(house, account, 300)
    assert await jobs(house) == [str(account)]
    assert await upkeep.purge(house.store, 100) == 1, "the hourly run finds it as well"
    assert await counted(house, account) == 700
    await house.do(SetAccount(account=account, quota_bytes=0), Done)
    assert await upkeep.purge(house.store, 100) == 2


async def test_a_purge_goes_in_slices(house: House) -> None:
    house.clock.stop()
    account = await house.account()
    await expunged(house, account, *[100] * 5)
    first = await oldest(house, account, 150, limit=2)
    assert (first.count, first.more) == (2, True)
    second = await oldest(house, account, 150, limit=2)
    assert (second.count, second.more) == (2, False)
    assert await left(house, account) == [5]
    assert (await oldest(house, account, 150)).count == 0


async def test_a_hold_keeps_what_is_past_the_bound(house: House) -> None:
    house.clock.stop()
    bound(house, 100)
    account = await house.account()
    await hold(house, account)
    await expunged(house, account, 300, 300)
    assert await upkeep.purge_past_bound(house.store, account, 100) == 0
    swept = await oldest(house, account, 0)
    assert (swept.count, swept.more) == (0, False)
    assert await left(house, account) == [1, 2]


async def test_of_no_account_nothing_is_purged(house: House) -> None:
    assert await house.refused(PurgeOldest(account=99, keep=0)) == "no-such-account"


async def test_a_count_of_what_is_not_there_brings_nobody_again(house: House) -> None:
    account = await house.account()
    await house.damage("UPDATE account_head SET recoverable_bytes = 500")
    assert (await oldest(house, account, 0)).more is False
    assert await counted(house, account) == 0
    house.damaged = False


# Content ------------------------------------------------------------------------------------------


async def test_content_goes_with_the_last_that_used_it(house: House) -> None:
    """At once, not when the sweep comes: it is what takes the room."""
    house.clock.stop()
    one, other = await house.account(), await house.account()
    await house.do(deliver(one, other, data=b"shared"), Delivered)
    await expunged(house, one, 5000)
    await house.expunge(inbox(one))
    await house.expunge(inbox(other))
    assert await house.value("SELECT count(*) FROM blob") == 2
    await oldest(house, one, 0)
    assert await house.value("SELECT count(*) FROM blob") == 1, "the other can have it back"
    await oldest(house, other, 0)
    for table in ("blob", "blob_frame", "email", "email_wide", "recoverable"):
        assert await house.rows(f"SELECT * FROM {table}") == [], table


async def test_files_of_large_content_are_named(house: House) -> None:
    account = await house.account()
    what, descriptor = in_file(memoryview(os.urandom(300_000)), house.store.blobs)
    try:
        await house.do(deliver(account, what=what), Delivered, descriptor)
    finally:
        os.close(descriptor)
    (blob,) = (await house.rows("SELECT id FROM blob"))[0]
    await house.expunge(inbox(account))
    path = blob_path(house.store.blobs, blob)
    assert path.exists() is not bool(house.place.dsn)
    assert await upkeep.purge_past_bound(house.store, account, 0) == 1
    assert not path.exists()


async def test_content_that_waits_for_its_command_is_no_bodys_to_remove(house: House) -> None:
    """Neither a purge of the same content nor a sweep without any rest takes it away."""
    house.clock.stop()
    account = await house.account()
    same = small(b"the same")
    await house.do(deliver(account, what=same), Delivered)
    await house.expunge(inbox(account))
    assert (await house.do(PutContent(account=account, content=same), Done)).count == 0
    new = small(b"another")
    assert (await house.do(PutContent(account=account, content=new), Done)).count == 1
    await oldest(house, account, 0)
    house.clock.turn(PUT_FOR - 1)
    await house.do(PurgeRecoverable(), Done)
    assert (await house.do(SweepBlobs(idle=0), Swept)).count == 0
    messages = tuple(
        Enclosed(
            content=type(same)(digest=one.digest, size=one.size),
            rendered=rendered(),
            received_at=1,
        )
        for one in (same, new)
    )
    command = AppendAll(actor=account, mailbox=inbox(account), messages=messages)
    done = await house.do(command, AppendedAll)
    assert [await house.bytes_of(email) for email in done.emails] == [b"the same", b"another"]


async def test_content_that_no_command_used_goes_without_its_rest(house: House) -> None:
    house.clock.stop()
    account = await house.account()
    await house.do(PutContent(account=account, content=small()), Done)
    house.clock.turn(PUT_FOR + 1)
    assert (await house.do(SweepBlobs(idle=0), Swept)).count == 1


async def test_content_is_dropped_when_its_command_will_not_come(house: House) -> None:
    account = await house.account()
    used, unused = small(b"used"), small(b"unused")
    await house.do(deliver(account, what=used), Delivered)
    for content in (used, unused):
        await house.do(PutContent(account=account, content=content), Done)
    digests = (used.digest, unused.digest, b"never put")
    swept = await house.do(DropContent(account=account, digests=digests), Swept)
    assert (swept.count, swept.files) == (1, ())
    assert await house.value("SELECT count(*) FROM blob") == 1
    assert await house.refused(DropContent(account=99, digests=digests)) == "no-such-account"


async def test_a_variant_for_a_full_account_is_for_the_next_sweep(house: House) -> None:
    """It was put before the delivery that is refused; whoever sends it again and again fills no disk."""
    account = await house.account(quota=10)
    other = small(b"Subject: changed\r\n\r\nHi\r\n")
    await house.do(PutContent(account=account, content=other), Done)
    changed = Enclosed(
        content=msgspec.structs.replace(other, frames=()), rendered=rendered(), received_at=0
    )
    command = msgspec.structs.replace(
        deliver(account, data=b"Subject: first\r\n\r\nHi\r\n"),
        filings=(Filing(account=account, variant=1),),
        variants=(changed,),
    )
    done = await house.do(command, Delivered)
    assert [one.refused for one in done.filed] == ["over-quota"]
    assert (await house.do(SweepBlobs(), Swept)).count == 1


@pytest.mark.postgres
async def test_a_sweep_leaves_alone_what_a_delivery_under_way_holds(house: House) -> None:
    """However long its commit takes: the sweep's own look at the emails may be older."""
    if not house.place.dsn:
        pytest.skip("on SQLite nobody writes meanwhile")
    house.clock.stop()
    account = await house.account()
    await expunged(house, account, 100)
    await house.do(PurgeRecoverable(), Done)
    blob = await house.value("SELECT id FROM blob")
    async with house.place.raw() as tx:
        # As a delivery does that began long ago: it locks, touches, and uses it.
        await tx.run("SELECT id FROM blob WHERE id = $1 FOR UPDATE", blob)
        await tx.run("UPDATE blob SET touched_at = 0 WHERE id = $1", blob)
        for command in (SweepBlobs(idle=-DAY), PurgeOldest(account=account, keep=0)):
            done = house.do(command, Swept)
            await asyncio.wait_for(done, 5)
        assert await house.value("SELECT count(*) FROM blob") == 1
    assert (await house.do(SweepBlobs(idle=-DAY), Swept)).count == 1


# Whoever is faster than the purge -----------------------------------------------------------------


async def test_appends_that_outrun_the_purge_are_put_off(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appending, "OUTRUN", 0)
    house.clock.stop()
    bound(house, 1000)
    account, other = await house.account(), await house.account()
    await expunged(house, account, 900, 1100)
    await house.append(inbox(account), actor=account)
    await house.expunge(inbox(account))
    put_off = append(inbox(account), actor=account)
    assert await house.refused(put_off) == "purging"
    several = AppendAll(
        actor=account,
        mailbox=inbox(account),
        messages=(Enclosed(content=small(), rendered=rendered(), received_at=1),),
    )
    assert await house.refused(several) == "purging"
    # Its mail comes in, the operator's import does, and others are not concerned.
    await house.deliver(account)
    await house.append(inbox(account))
    await house.append(inbox(other), actor=other)
    await upkeep.purge_past_bound(house.store, account, 1000)
    await house.append(inbox(account), actor=account)


async def test_a_small_bound_is_no_reason_to_wait(house: House) -> None:
    """A draft is saved again each second, and what it replaces is expunged."""
    bound(house, 0)
    account = await house.account()
    await expunged(house, account, 900)
    await house.append(inbox(account), actor=account)


async def test_whose_mail_a_hold_keeps_may_append(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept there for a court says nothing about how fast it came."""
    monkeypatch.setattr(appending, "OUTRUN", 0)
    house.clock.stop()
    bound(house, 100)
    account = await house.account()
    await hold(house, account)
    await expunged(house, account, 900)
    await house.append(inbox(account), actor=account)


# Pages --------------------------------------------------------------------------------------------


async def test_free_pages_are_given_back(house: House) -> None:
    account = await house.account()
    for _ in range(40):
        await house.deliver(account, data=os.urandom(100_000))
    await house.expunge(inbox(account))
    await oldest(house, account, 0)
    if house.place.dsn:
        assert await house.do(Shrink(), Done) == Done()
        return
    house.store.writer._committer.rest(idle=True)  # type: ignore[attr-defined]
    assert house.place.database.stat().st_size > 4_000_000
    given, more = 0, True
    while more:
        done = await house.do(Shrink(pages=300), Done)
        assert done.count <= 300
        given, more = given + done.count, done.more
    assert given * 4096 > 3_500_000
    assert house.place.database.stat().st_size < 1_000_000, "copied from the log at once"
