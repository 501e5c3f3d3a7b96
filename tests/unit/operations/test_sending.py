"""Limits, rights to send and devices by the command line: shown, set, given, taken; audited."""

import time

import msgspec
import pytest

from malleposte.operations.accounts import AccountAdded
from malleposte.operations.devices import (
    AddDevice,
    Devices,
    DeviceShown,
    ListDevices,
    SetDeviceNetworks,
    parse_network,
)
from malleposte.operations.errors import OperationError
from malleposte.operations.queue_acts import (
    HoldQueued,
    QueueChanged,
    ReleaseQueued,
    RemoveQueued,
)
from malleposte.operations.sending import (
    GiveSendRight,
    Limits,
    LimitShown,
    ListLimits,
    ListSendRights,
    SendRightChanged,
    SendRights,
    SetLimit,
    ShowLimit,
    TakeSendRight,
)
from malleposte.policy.permissions import Actor, Role
from malleposte.store.commands import (
    ACCOUNT_ONWARD,
    MOST_CHANGED,
    Allowance,
    Handing,
    Relay,
    SetAlias,
)
from malleposte.store.results import Delivered, Done
from support.store import House, deliver
from unit.operations.desk import Desk

ADA, BOB = "ada@example.org", "bob@example.org"


async def test_limits_are_those_of_the_configuration_until_others_are_set(
    house: House, desk: Desk
) -> None:
    await house.account("ada")
    first = await desk.call("limit.show", ShowLimit(whom=ADA), LimitShown)
    assert (first.messages, first.recipients, first.own, first.hour) == (500, 2_000, False, 0)
    request = SetLimit(whom=ADA, messages=50, seconds=3_600)
    done = await desk.call("limit.set", request, LimitShown)
    assert (done.messages, done.recipients, done.own) == (50, 2_000, True)
    assert 0 < done.until - time.time() <= 3_600
    # What is not named stays.
    done = await desk.call("limit.set", SetLimit(whom=ADA, recipients=0), LimitShown)
    assert (done.messages, done.recipients, done.until) == (50, 0, 0)
    domain = await desk.call("limit.set", SetLimit(whom="Example.ORG", messages=9), LimitShown)
    assert (domain.whom, domain.messages, domain.recipients) == ("example.org", 9, 20_000)
    back = await desk.call("limit.set", SetLimit(whom=ADA, messages=-1, recipients=-1), LimitShown)
    assert (back.messages, back.own) == (500, False)
    line = (await desk.audit())[0]
    assert line[1:4] == ("limit.set", ADA, "done")
    assert line[4] == {"messages": 50, "seconds": 3_600}


async def test_what_is_sent_on_is_shown_apart(house: House, desk: Desk) -> None:
    ada = await house.account("ada")
    allowance = Allowance(kind=ACCOUNT_ONWARD, id=ada, name=ADA, messages=9, recipients=0)
    handing = Handing(
        organisation=await house.value("SELECT organisation FROM account WHERE id = $1", ada),
        account=ada,
        sender="x@y.example",
        relays=(Relay(address="z@w.example", route="w.example"),),
        expires_at=2_000_000_000,
        allowances=(allowance,),
        by=ADA,
    )
    await house.do(msgspec.structs.replace(deliver(), handings=(handing,)), Delivered)
    shown = await desk.call("limit.show", ShowLimit(whom=ADA), LimitShown)
    assert (shown.hour, shown.day, shown.onward_hour, shown.onward_day) == (0, 0, 1, 1)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (SetLimit(whom=ADA), "invalid"),
        (SetLimit(whom=ADA, messages=-2), "invalid"),
        (SetLimit(whom=ADA, messages=1, seconds=-1), "invalid"),
        (SetLimit(whom="nobody@example.org", messages=1), "no-such-account"),
        (SetLimit(whom="nowhere.example", messages=1), "no-such-domain"),
    ],
)
async def test_limits_that_make_no_sense(
    house: House, desk: Desk, request_: SetLimit, reason: str
) -> None:
    await house.account("ada")
    with pytest.raises(OperationError) as error:
        await desk.call("limit.set", request_, LimitShown)
    assert error.value.reason == reason


async def test_rights_to_send_are_given_listed_and_taken(house: House, desk: Desk) -> None:
    ada = await house.account("ada")
    await house.account("bob")
    await house.do(SetAlias(address="sales@example.org", accounts_=(ada,)), Done)
    give = GiveSendRight(address="Sales@example.org", who=BOB, way="as")
    assert (await desk.call("sendas.give", give, SendRightChanged)).changed
    assert not (await desk.call("sendas.give", give, SendRightChanged)).changed
    give = GiveSendRight(address=ADA, who=BOB, way="behalf")
    await desk.call("sendas.give", give, SendRightChanged)
    listed = await desk.call("sendas.list", ListSendRights(), SendRights)
    assert [(one.address, one.who, one.way, one.by) for one in listed.rights] == [
        (ADA, BOB, "behalf", "local:0"),
        ("sales@example.org", BOB, "as", "local:0"),
    ]
    only = await desk.call("sendas.list", ListSendRights(address=ADA), SendRights)
    assert len(only.rights) == 1
    take = TakeSendRight(address="sales@example.org", who=BOB)
    assert (await desk.call("sendas.take", take, SendRightChanged)).changed
    only = await desk.call("sendas.list", ListSendRights(who=BOB), SendRights)
    assert [one.address for one in only.rights] == [ADA]
    first = (await desk.audit())[0]
    assert first[1:4] == ("sendas.give", "sales@example.org", "done")
    assert first[4] == {"who": BOB, "before": "", "after": "as"}


async def test_nobody_is_given_what_is_his_own_or_is_not_there(house: House, desk: Desk) -> None:
    await house.account("ada")
    for address, reason in ((ADA, "exists"), ("nobody@example.org", "no-such-alias")):
        request = GiveSendRight(address=address, who=ADA, way="as")
        with pytest.raises(OperationError) as error:
            await desk.call("sendas.give", request, SendRightChanged)
        assert error.value.reason == reason


async def test_an_owner_gives_his_own_address_and_no_other(house: House, desk: Desk) -> None:
    ada = await house.account("ada")
    await house.account("bob")
    organisation = await house.value("SELECT organisation FROM account WHERE id = $1", ada)
    actor = Actor(ADA, frozenset({Role.USER}), organisation, ada)
    hers = Desk(house.store, actor)
    request = GiveSendRight(address=ADA, who=BOB, way="behalf")
    assert (await hers.call("sendas.give", request, SendRightChanged)).changed
    request = GiveSendRight(address=BOB, who=ADA, way="as")
    with pytest.raises(OperationError) as error:
        await hers.call("sendas.give", request, SendRightChanged)
    assert error.value.reason == "not-allowed"


async def test_a_device_is_made_shown_and_given_a_network(house: House, desk: Desk) -> None:
    await house.account("ada")
    request = AddDevice(address="scanner@example.org", name="2nd floor", generate=True)
    made = await desk.call("device.add", request, AccountAdded)
    assert made.password
    wanted = SetDeviceNetworks(
        address="scanner@example.org", networks=("192.0.2.7", "2001:db8:0:1::/64")
    )
    shown = await desk.call("device.networks", wanted, DeviceShown)
    assert shown.networks == ("192.0.2.7/32", "2001:db8:0:1::/64")
    give = GiveSendRight(address=ADA, who="scanner@example.org", way="as")
    await desk.call("sendas.give", give, SendRightChanged)
    (one,) = (await desk.call("device.list", ListDevices(), Devices)).devices
    assert (one.name, one.password, one.senders) == ("2nd floor", True, (ADA,))
    # A person has no networks.
    wanted = SetDeviceNetworks(address=ADA, networks=("192.0.2.7",))
    with pytest.raises(OperationError):
        await desk.call("device.networks", wanted, DeviceShown)


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0/0",
        "::/0",
        "10.0.0.0/8",
        "2001:db8::/32",
        "127.0.0.1",
        "::1",
        "::",
        "::ffff:192.0.2.1",
        "224.0.0.1",
        "192.0.2.7/28",
        "printer.example.org",
        "",
    ],
)
def test_networks_that_nobody_shall_trust(text: str) -> None:
    with pytest.raises(OperationError):
        parse_network(text)


async def send(house: House, account: int, count: int, held: str = "") -> None:
    for _ in range(count):
        handing = Handing(
            organisation=1,
            account=account,
            sender=ADA,
            relays=(Relay(address="x@there.example", route="there.example"),),
            expires_at=2_000_000_000,
            held=held,
        )
        await house.do(msgspec.structs.replace(deliver(), handings=(handing,)), Delivered)


async def test_all_of_an_account_is_released_held_or_removed_in_one_act(
    house: House, desk: Desk
) -> None:
    ada, bob = await house.account("ada"), await house.account("bob")
    await send(house, ada, MOST_CHANGED + 1, held="sending limit")
    await send(house, bob, 1, held="sending limit")
    release = ReleaseQueued(messages=(), sender=ADA)
    done = await desk.call("queue.release", release, QueueChanged)
    assert done.recipients == MOST_CHANGED + 1
    hold = HoldQueued(messages=(), sender=ADA, why="stolen")
    assert (await desk.call("queue.hold", hold, QueueChanged)).recipients == MOST_CHANGED + 1
    remove = RemoveQueued(messages=(), sender=ADA)
    assert (await desk.call("queue.remove", remove, QueueChanged)).recipients == MOST_CHANGED + 1
    assert await house.value("SELECT count(*) FROM queue_message") == 1
    lines = [(line[1], line[3]) for line in await desk.audit()]
    assert lines[:2] == [("queue.release", "begun"), ("queue.release", "done")]
    assert (await desk.audit())[0][4] == {"sender": ADA}


async def test_an_account_is_not_named_with_messages(house: House, desk: Desk) -> None:
    await house.account("ada")
    with pytest.raises(OperationError) as error:
        await desk.call("queue.release", ReleaseQueued(messages=(1,), sender=ADA), QueueChanged)
    assert error.value.kind == "invalid"


async def test_a_device_is_made_with_its_networks_or_not_at_all(house: House, desk: Desk) -> None:
    bad = AddDevice(
        address="scanner@example.org", generate=True, networks=("192.0.2.7", "16.0.0.0/4")
    )
    with pytest.raises(OperationError, match="too wide"):
        await desk.call("device.add", bad, AccountAdded)
    many = tuple(f"192.0.2.{number}" for number in range(101))
    with pytest.raises(OperationError, match="at most 100 networks"):
        await desk.call(
            "device.add", AddDevice(address="scanner@example.org", networks=many), AccountAdded
        )
    assert await house.rows("SELECT id FROM account") == []
    good = AddDevice(address="scanner@example.org", networks=("192.0.2.7", "2001:db8::/64"))
    await desk.call("device.add", good, AccountAdded)
    (device,) = (await desk.call("device.list", ListDevices(), Devices)).devices
    assert device.networks == ("192.0.2.7/32", "2001:db8::/64")
    assert (await desk.audit())[-1][4] == {"name": "", "networks": "192.0.2.7 2001:db8::/64"}


async def test_who_has_limits_of_his_own_or_exceeds_them(house: House, desk: Desk) -> None:
    await house.account("ada")
    bob = await house.account("bob")
    await house.account("carl")
    assert (await desk.call("limit.list", ListLimits(), Limits)).limits == ()
    await desk.call("limit.set", SetLimit(whom=ADA, messages=7), LimitShown)
    await desk.call("limit.set", SetLimit(whom="example.org", recipients=9), LimitShown)
    await send(house, bob, 1, held="sending limit: bob sends 1 message an hour at most")
    await send(house, bob, 1, held="looks stolen")
    found = await desk.call("limit.list", ListLimits(), Limits)
    assert [(one.whom, one.messages, one.own) for one in found.limits] == [
        (ADA, 7, True),
        ("bob@example.org", 500, False),
        ("example.org", 5_000, True),
    ]
    assert found.held == {"bob@example.org": 1}
