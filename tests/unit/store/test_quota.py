"""Quota: when mail is refused, for how long only temporarily, and when its owner is told."""

import msgspec
import pytest

from malleposte.store.commands import SetAccount
from malleposte.store.quota import QUOTA_JOB, level_kept, level_reached
from malleposte.store.results import Delivered, Done
from support.store import House, append, deliver, inbox

DAY = 86_400


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


async def test_exempt_mail_is_never_refused(house: House) -> None:
    account = await house.account(quota=100)
    await house.deliver(account, data=b"x" * 200, exempt=True)
    assert await used(house, account) == (200, 1)


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
