"""What exceeds a limit of sending is held in the queue, and people are told once."""

import asyncio
import contextlib

import msgspec
import pytest

from malleposte.store import Store
from malleposte.store.commands import (
    ACCOUNT,
    DOMAIN,
    Allowance,
    ChangeQueued,
    CreateAccount,
    CreateDomain,
    DeleteAccount,
    Deliver,
    Handing,
    Relay,
    SetAccount,
    SetAlias,
    SetNetworks,
    SetSendLimit,
    SetSendRight,
    SweepRecords,
    TakeQueued,
)
from malleposte.store.execute.allowing import HELD_JOB, HeldNotice
from malleposte.store.results import Created, Delivered, Done, Refused, Taken
from support.store import House, Place, deliver

HOUR = 3_600


def leaving(*recipients: int, messages: int = 0, day: int = 0, account: int = 1) -> list[Deliver]:
    """Messages to so many recipients each, of a sender with limits, in a domain without."""
    allowances = (
        Allowance(
            kind=ACCOUNT, id=account, name="ada@here.example", messages=messages, recipients=day
        ),
        Allowance(kind=DOMAIN, id=1, name="here.example", messages=0, recipients=0),
    )
    return [one(count, allowances, account) for count in recipients]


def one(count: int, allowances: tuple[Allowance, ...], account: int = 1) -> Deliver:
    relays = tuple(Relay(address=f"{n}@there.example", route="there.example") for n in range(count))
    handing = Handing(
        organisation=1,
        account=account,
        sender="ada@here.example",
        relays=relays,
        expires_at=2_000_000_000,
        allowances=allowances,
    )
    return msgspec.structs.replace(deliver(), handings=(handing,))


async def states(house: House) -> list[str]:
    rows = await house.rows("SELECT held FROM queue_message ORDER BY id")
    return [row[0] for row in rows]


async def notices(house: House) -> list[HeldNotice]:
    rows = await house.rows("SELECT payload FROM job WHERE kind = $1 ORDER BY id", HELD_JOB)
    return [msgspec.msgpack.decode(row[0], type=HeldNotice) for row in rows]


async def test_what_exceeds_the_messages_of_an_hour_is_held_until_the_next(house: House) -> None:
    now = house.clock.stop()
    house.clock.turn(HOUR - now % HOUR)
    await house.account()
    for command in leaving(1, 1, 1, messages=2):
        await house.do(command, Delivered)
    held = "sending limit: ada@here.example sends 2 messages an hour at most"
    assert await states(house) == ["", "", held]
    rows = await house.rows("SELECT state FROM queue_recipient ORDER BY message")
    assert [row[0] for row in rows] == [0, 0, 1]
    house.clock.turn(HOUR)
    await house.do(leaving(1, messages=2)[0], Delivered)
    assert (await states(house))[3] == ""


async def test_what_exceeds_the_recipients_of_a_day_is_held_whole(house: House) -> None:
    house.clock.stop()
    await house.account()
    for command in leaving(3, 3, 2, day=5):
        await house.do(command, Delivered)
    held = "sending limit: ada@here.example sends to 5 recipients a day at most"
    # What was held does not count: two more fit.
    assert await states(house) == ["", held, ""]
    for _ in range(24):
        house.clock.turn(HOUR)
    await house.do(leaving(5, day=5)[0], Delivered)
    assert (await states(house))[3] == ""


async def test_the_messages_of_one_transaction_are_counted_as_well(house: House) -> None:
    house.clock.stop()
    await house.account()
    await asyncio.gather(*(house.do(c, Delivered) for c in leaving(*[1] * 12, messages=5)))
    assert sum(not held for held in await states(house)) == 5


async def test_a_domain_is_counted_over_its_accounts(house: House) -> None:
    house.clock.stop()
    await house.account()
    await house.account()
    for account in (1, 2, 1):
        allowances = (
            Allowance(kind=ACCOUNT, id=account, name="x", messages=9, recipients=0),
            Allowance(kind=DOMAIN, id=1, name="here.example", messages=2, recipients=0),
        )
        await house.do(one(1, allowances, account), Delivered)
    assert [bool(held) for held in await states(house)] == [False, False, True]
    (notice,) = await notices(house)
    assert (notice.account, notice.kind, notice.name, notice.limit) == (
        1,
        DOMAIN,
        "here.example",
        2,
    )
    assert (notice.owner, notice.administrators) == (True, True)
    # Another account of it: its owner has not heard, the administrators have.
    allowances = (
        Allowance(kind=ACCOUNT, id=2, name="x", messages=9, recipients=0),
        Allowance(kind=DOMAIN, id=1, name="here.example", messages=2, recipients=0),
    )
    await house.do(one(1, allowances, 2), Delivered)
    _, second = await notices(house)
    assert (second.account, second.owner, second.administrators) == (2, True, False)


async def test_people_are_told_once_a_day(house: House) -> None:
    house.clock.stop()
    await house.account()
    for command in leaving(1, 1, 1, 1, messages=1):
        await house.do(command, Delivered)
    (notice,) = await notices(house)
    assert (notice.account, notice.what, notice.limit) == (1, "messages", 1)
    await house.rows("SELECT 1")
    for hours in (2, 20, 5):
        house.clock.turn(hours * HOUR)
        for command in leaving(1, 1, messages=1):
            await house.do(command, Delivered)
    # Within a day of the first nothing; 27 hours later once more.
    assert len(await notices(house)) == 2


async def test_what_stays_here_asks_for_no_counts(house: House) -> None:
    account = await house.account()
    await house.do(deliver(account), Delivered)
    assert await house.rows("SELECT * FROM sent") == []


async def test_all_that_an_account_has_held_is_released_in_one_act(house: House) -> None:
    house.clock.stop()
    await house.account()
    for command in leaving(1, 1, 2, messages=1):
        await house.do(command, Delivered)
    house.clock.turn(10 * 86_400)
    done = await house.do(ChangeQueued(messages=(), act="release", account=1), Done)
    assert (done.count, done.more) == (3, False)
    assert await states(house) == ["", "", ""]
    taken = await house.do(TakeQueued(routes=5, each=50, seconds=60), Taken)
    assert sum(len(message.recipients) for message in taken.messages) == 4
    # The time of what was held begins anew.
    now = int(house.clock.time())
    held = taken.messages[1:]
    assert all(message.expires_at > now + 86_400 for message in held)


async def test_all_that_an_account_sent_is_held_or_removed_in_one_act(house: House) -> None:
    await house.account()
    await house.account()
    for command in leaving(1, 2):
        await house.do(command, Delivered)
    await house.do(leaving(1, account=2)[0], Delivered)
    done = await house.do(ChangeQueued(messages=(), act="hold", account=1, said="stolen"), Done)
    assert done.count == 3
    assert await states(house) == ["stolen", "stolen", ""]
    done = await house.do(ChangeQueued(messages=(), act="remove", account=1), Done)
    assert done.count == 3
    assert await states(house) == [""]


async def test_counts_are_swept(house: House) -> None:
    house.clock.stop()
    await house.account()
    await house.do(leaving(1)[0], Delivered)
    await house.do(SweepRecords(results_before=0, traces_before=0), Done)
    assert len(await house.rows("SELECT * FROM sent")) == 2
    house.clock.turn(3 * 86_400)
    await house.do(SweepRecords(results_before=0, traces_before=0), Done)
    assert await house.rows("SELECT * FROM sent") == []


@pytest.fixture
async def people(house: House) -> House:
    """ada (1), bob (2), a scanner (3), and the alias sales of ada."""
    await house.do(CreateDomain(name="here.example"), Created)
    for name, kind in (("ada", "person"), ("bob", "person"), ("scanner", "device")):
        await house.do(
            CreateAccount(address=f"{name}@here.example", name="", password_hash="", kind=kind),
            Created,
        )
    await house.do(SetAlias(address="sales@here.example", accounts_=(1,)), Done)
    return house


async def test_rights_hang_on_an_address_and_go_with_it(people: House) -> None:
    right = SetSendRight(address="sales@here.example", account=2, way="as", by="ada")
    assert (await people.do(right, Done)).count == 1
    assert (await people.do(right, Done)).count == 0
    await people.do(SetSendRight(address="ada@here.example", account=3, way="behalf"), Done)
    await people.do(SetAlias(address="sales@here.example"), Done)
    assert await people.rows("SELECT address, account, way FROM send_right") == [
        ("ada@here.example", 3, "behalf")
    ]
    # Made anew, it is nobody's to send from.
    await people.do(SetAlias(address="sales@here.example", accounts_=(1,)), Done)
    assert len(await people.rows("SELECT 1 FROM send_right")) == 1
    await people.do(DeleteAccount(account=1), Done)
    assert await people.rows("SELECT 1 FROM send_right") == []


async def test_rights_are_not_given_on_what_is_not_there(people: House) -> None:
    for address, account in (
        ("nobody@here.example", 2),
        ("postmaster@here.example", 2),
        ("ada@here.example", 99),
    ):
        await people.do(SetSendRight(address=address, account=account, way="as"), Refused)
    await people.do(SetSendRight(address="ada@here.example", account=2, way="all"), Refused)
    assert await people.rows("SELECT 1 FROM send_right") == []


async def test_only_devices_have_networks(people: House) -> None:
    await people.do(SetNetworks(account=1, networks=("192.0.2.7/32",)), Refused)
    await people.do(SetNetworks(account=3, networks=("192.0.2.7/32", "192.0.2.8/32")), Done)
    await people.do(SetNetworks(account=3, networks=("192.0.2.9/32",)), Done)
    assert await people.rows("SELECT network FROM device_network") == [("192.0.2.9/32",)]
    await people.do(DeleteAccount(account=3), Done)
    assert await people.rows("SELECT network FROM device_network") == []


async def test_limits_are_set_and_taken_back(people: House) -> None:
    before = await people.rows("SELECT version FROM directory_head")
    await people.do(SetSendLimit(kind=ACCOUNT, id=1, messages=10), Done)
    await people.do(SetSendLimit(kind=DOMAIN, id=1, recipients=0, until=5), Done)
    await people.do(SetSendLimit(kind=DOMAIN, id=9, messages=1), Refused)
    assert await people.rows("SELECT * FROM send_limit ORDER BY kind") == [
        (1, 1, 10, -1, 0),
        (2, 1, -1, 0, 5),
    ]
    await people.do(SetSendLimit(kind=ACCOUNT, id=1), Done)
    assert len(await people.rows("SELECT * FROM send_limit")) == 1
    assert await people.rows("SELECT version FROM directory_head") > before


async def test_several_machines_count_together_and_wait_for_each_other_in_no_ring(
    place: Place,
) -> None:
    """Two of them (on SQLite one), with many accounts of one domain in each transaction."""
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(place.open())
        again = place.dialect == "postgres"
        second = await stack.enter_async_context(place.open()) if again else first
        await first.submit(CreateDomain(name="here.example"))
        accounts = range(1, 9)
        for n in accounts:
            await first.submit(
                CreateAccount(address=f"u{n}@here.example", name="", password_hash="")
            )

        async def send(store: Store, account: int) -> None:
            allowances = (
                Allowance(kind=ACCOUNT, id=account, name="x", messages=0, recipients=0),
                Allowance(kind=DOMAIN, id=1, name="here.example", messages=100, recipients=0),
            )
            assert isinstance(await store.submit(one(1, allowances, account)), Delivered)

        order = [*accounts, *reversed(accounts)] * 10
        await asyncio.gather(
            *(send(store, n) for n in order for store in (first, second)),
        )
        rows = await first.reader.rows("SELECT sum(messages) FROM sent WHERE kind = 2")
        held = await first.reader.rows("SELECT count(*) FROM queue_message WHERE held <> ''")
    assert int(rows[0][0]) == 100
    assert held == [(2 * len(order) - 100,)]


async def test_a_full_mailbox_here_refuses_nothing_that_leaves(house: House) -> None:
    """One answer for all: what was promised to a full mailbox is filed when the rest goes out."""
    account = await house.account()
    await house.do(SetAccount(account=account, quota_bytes=1), Done)
    command = msgspec.structs.replace(
        deliver(account, one_answer=True), handings=leaving(1)[0].handings
    )
    done = await house.do(command, Delivered)
    assert [one.refused for one in done.filed] == [""]
