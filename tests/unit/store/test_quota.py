"""Quota: when mail is refused, for how long only temporarily, and when its owner is told."""

import msgspec
import pytest

from malleposte.store.commands import (
    Copy,
    DeleteMailbox,
    Recover,
    RepairAccount,
    Replace,
    SetAccount,
)
from malleposte.store.fsck import Kind
from malleposte.store.quota import QUOTA_JOB, level_kept, level_reached
from malleposte.store.results import Appended, Copied, Delivered, Done
from support.store import ALL, House, append, deliver, inbox

DAY = 86_400


def replacing(mailbox: int, source: int, uid: int, *, data: bytes) -> Replace:
    fields = msgspec.structs.asdict(append(mailbox, data=data))
    return Replace(**fields, source=source, uid=uid, recoverable_until=1 << 40)


async def refusal(house: House, account: int, octets: int, grace: int = 5 * DAY) -> str:
    answer = await house.do(deliver(account, data=b"x" * octets, grace=grace), Delivered)
    return answer.filed[0].refused


async def warned(house: House) -> list[tuple[int, int]]:
    rows = await house.rows("SELECT payload FROM job WHERE kind = $1 ORDER BY id", QUOTA_JOB)
    return [tuple(msgspec.msgpack.decode(row[0])) for row in rows]


async def used(house: House, account: int) -> tuple[int, int]:
    rows = await house.rows(
        "SELECT used_bytes, used_emails FROM account_head WHERE account = $1", account
    )
    return rows[0][0], rows[0][1]


async def test_over_quota_is_temporary_for_a_time_and_then_final(house: House) -> None:
    """452 4.2.2 for some days, then 552 5.2.2."""
    house.clock.stop()
    account = await house.account(quota=1000)
    assert await refusal(house, account, 900) == ""
    assert await refusal(house, account, 101) == "over-quota"
    house.clock.turn(5 * DAY)
    assert await refusal(house, account, 101) == "over-quota"
    house.clock.turn(1)
    assert await refusal(house, account, 101) == "over-quota-long"
    assert await refusal(house, account, 100) == ""


async def test_room_ends_the_grace(house: House) -> None:
    house.clock.stop()
    account = await house.account(quota=1000)
    await house.deliver(account, data=b"x" * 900)
    assert await refusal(house, account, 200) == "over-quota"
    house.clock.turn(6 * DAY)
    await house.expunge(inbox(account))
    await house.deliver(account, data=b"y" * 900)
    assert await refusal(house, account, 200) == "over-quota"


async def test_the_prefix_counts(house: House) -> None:
    account = await house.account(quota=100)
    answer = await house.do(deliver(account, data=b"x" * 90, prefix=b"y" * 11), Delivered)
    assert answer.filed[0].refused == "over-quota"
    assert await used(house, account) == (0, 0)


async def test_exempt_mail_is_never_refused_and_takes_no_room(house: House) -> None:
    """Else whoever writes to postmaster would shut the administrator's own mailbox."""
    account = await house.account(quota=100)
    for n in range(4):
        await house.deliver(account, data=b"%d" % n * 60, exempt=True)
    assert await used(house, account) == (0, 4)
    assert await warned(house) == []
    assert await refusal(house, account, 101) == "over-quota"
    await house.deliver(account, data=b"x" * 60)
    await house.append(inbox(account), data=b"y" * 40)
    await house.deliver(account, data=b"z" * 60, exempt=True)
    assert await used(house, account) == (100, 7)


async def test_exempt_mail_takes_no_room_wherever_it_goes(house: House) -> None:
    account = await house.account(quota=1000)
    archive = await house.standard(account, "archive")
    filed = await house.deliver(account, data=b"x" * 50, exempt=True)
    await house.copy(inbox(account), archive)
    assert await used(house, account) == (0, 1)
    await house.expunge(inbox(account))
    await house.expunge(archive)
    assert await used(house, account) == (0, 0)
    await house.do(Recover(actor=account, target=archive, emails=(filed.email,)), Copied)
    assert await used(house, account) == (0, 1)
    await house.copy(archive, inbox(account), move=True)
    await house.do(DeleteMailbox(actor=account, mailbox=archive, recoverable_until=1 << 40), Done)
    assert await used(house, account) == (0, 1)
    (uid,) = await house.uids(inbox(account))
    await house.do(replacing(inbox(account), inbox(account), uid, data=b"y" * 20), Appended)
    assert await used(house, account) == (20, 1)


async def test_what_its_owner_makes_of_exempt_mail_counts(house: House) -> None:
    """A copy as an email of its own, in the account or another: else copies would have no bound."""
    account, other = await house.account(quota=120), await house.account(quota=100)
    await house.deliver(account, data=b"x" * 50, exempt=True)
    await house.copy(inbox(account), inbox(account))
    await house.copy(inbox(account), inbox(other), ((1, 1),))
    assert await used(house, account) == (50, 2)
    assert await used(house, other) == (50, 1)
    again = Copy(actor=0, mailbox=inbox(account), uids=ALL, target=inbox(account))
    assert await house.refused(again) == "over-quota"
    # The target holds it already: the twin that a MOVE leaves is a copy as well.
    archive = await house.standard(account, "archive")
    await house.copy(inbox(account), archive, ((1, 1),))
    await house.copy(inbox(account), archive, ((1, 1),), move=True)
    assert await used(house, account) == (100, 3)
    await house.expunge(archive)
    await house.expunge(inbox(account))
    assert await used(house, account) == (0, 0)


async def test_replacing_exempt_mail_frees_nothing(house: House) -> None:
    account = await house.account(quota=100)
    await house.deliver(account, data=b"x" * 90, exempt=True)
    await house.deliver(account, data=b"y" * 60)
    one = replacing(inbox(account), inbox(account), 1, data=b"z" * 50)
    assert await house.refused(one) == "over-quota"
    other = replacing(inbox(account), inbox(account), 2, data=b"z" * 100)
    await house.do(other, Appended)
    assert await used(house, account) == (100, 2)


@pytest.mark.parametrize("first", [True, False], ids=["full first", "full last"])
async def test_one_answer_for_all_keeps_what_was_promised_in_the_same_commit(
    house: House, first: bool
) -> None:
    """A second commit could fail after the first, and the sender sent to those again who had it."""
    house.clock.stop()  # how long it has been full is another question
    full, other = await house.account(quota=100), await house.account()
    await house.deliver(full, data=b"x" * 90)
    both = (full, other) if first else (other, full)
    filed = (await house.do(deliver(*both, data=b"y" * 90, one_answer=True), Delivered)).filed
    assert [(f.account, f.refused) for f in filed] == [(account, "") for account in both]
    assert await used(house, full) == (180, 2)
    assert await used(house, other) == (90, 1)
    # Where nobody has room nothing was promised to anybody who could keep it.
    assert await refusal(house, full, 1) == "over-quota"
    alone = (await house.do(deliver(full, data=b"z", one_answer=True), Delivered)).filed
    assert [f.refused for f in alone] == ["over-quota"]


async def test_a_repair_counts_as_filing_did(house: House) -> None:
    account = await house.account(quota=100)
    await house.deliver(account, data=b"x" * 90, exempt=True)
    await house.deliver(account, data=b"y" * 80)
    before = await used(house, account)
    async with house.place.raw() as tx:
        await tx.run("UPDATE account_head SET used_bytes = 7")
    assert [finding.kind for finding in await house.fsck()] == [Kind.USED]
    await house.do(RepairAccount(account=account), Done)
    assert await used(house, account) == before == (80, 2)


async def test_no_quota_means_no_bound(house: House) -> None:
    account = await house.account()
    assert await refusal(house, account, 100_000) == ""


async def test_append_over_quota_is_refused(house: House) -> None:
    account = await house.account(quota=100)
    assert await house.refused(append(inbox(account), data=b"x" * 101)) == "over-quota"
    await house.append(inbox(account), data=b"x" * 100)


async def test_usage_follows_expunge_copy_and_recovery(house: House) -> None:
    account = await house.account()
    archive = await house.standard(account, "archive")
    await house.deliver(account, data=b"x" * 50)
    await house.copy(inbox(account), archive)
    assert await used(house, account) == (50, 1), "a second mailbox takes no room"
    await house.copy(inbox(account), archive)
    assert await used(house, account) == (100, 2), "a twin does"
    await house.expunge(inbox(account))
    assert await used(house, account) == (100, 2)
    await house.expunge(archive)
    assert await used(house, account) == (0, 0)


async def test_the_owner_is_told_once_at_each_level(house: House) -> None:
    account = await house.account(quota=1000)
    await house.deliver(account, data=b"a" * 790)
    assert await warned(house) == []
    await house.deliver(account, data=b"b" * 10)
    await house.deliver(account, data=b"c" * 10)
    assert await warned(house) == [(account, 80)]
    await house.deliver(account, data=b"d" * 145)
    assert await warned(house) == [(account, 80), (account, 95)]


async def test_a_level_is_told_again_after_usage_fell_well_below(house: House) -> None:
    account = await house.account(quota=1000)
    await house.deliver(account, data=b"a" * 700)
    await house.deliver(account, data=b"b" * 120)
    assert await warned(house) == [(account, 80)]
    async with house.place.raw() as tx:
        await tx.run("DELETE FROM job")
    await house.expunge(inbox(account), ((2, 2),))
    await house.deliver(account, data=b"c" * 120)
    assert await warned(house) == [(account, 80)]


async def test_copies_into_an_account_count_and_warn(house: House) -> None:
    one, two = await house.account(), await house.account(quota=100)
    await house.deliver(one, data=b"x" * 85)
    await house.copy(inbox(one), inbox(two))
    assert await used(house, two) == (85, 1)
    assert await warned(house) == [(two, 80)]


async def test_a_smaller_quota_shows_at_once(house: House) -> None:
    account = await house.account(quota=1000)
    await house.deliver(account, data=b"a" * 500)
    await house.do(SetAccount(account=account, quota_bytes=400), Done)
    assert await refusal(house, account, 1) == "over-quota"
    await house.do(SetAccount(account=account, quota_bytes=0), Done)
    assert await refusal(house, account, 1) == ""


@pytest.mark.parametrize(
    ("used", "level"), [(0, 0), (799, 0), (800, 80), (899, 80), (900, 90), (950, 95), (5000, 95)]
)
def test_levels(used: int, level: int) -> None:
    assert level_reached(used, 1000) == level
    assert level_reached(used, 0) == 0


def test_levels_are_kept_until_five_percent_below() -> None:
    assert level_kept(760, 1000, 95) == 80
    assert level_kept(750, 1000, 95) == 0
    assert level_kept(920, 1000, 95) == 95
    assert level_kept(920, 1000, 80) == 80
    assert level_kept(920, 0, 80) == 0
