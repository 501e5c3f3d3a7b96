"""A domain's DKIM keys from making to retiring, against a DNS of the test."""

import re
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from malleposte.operations.dkim import (
    DkimKeys,
    KeysMade,
    KeysRetired,
    ListKeys,
    MakeKeys,
    RetireKeys,
)
from malleposte.operations.domain_records import DomainRecords, ShowRecords
from malleposte.operations.domains import AddDomain, DomainAdded, DomainRemoved, RemoveDomain
from malleposte.operations.errors import OperationError
from malleposte.secrets.node_key import NodeKeyError
from malleposte.secrets.sealing import KeyRing, NodeKey
from support.store import House
from support.zone import SERVFAIL, Zone, text
from unit.operations.desk import Desk

RING = KeyRing([NodeKey.random()])


@pytest.fixture
async def zone() -> AsyncIterator[Zone]:
    zone = Zone()
    await zone.start()
    yield zone
    zone.close()


@pytest.fixture
def desk(house: House, zone: Zone) -> Desk:
    return at_desk(house, zone)


def at_desk(house: House, zone: Zone, **settings: Any) -> Desk:
    return Desk(
        house.store,
        ring=lambda: RING,
        resolvers=("127.0.0.1",),
        resolver_port=zone.port,
        **settings,
    )


async def made(desk: Desk) -> KeysMade:
    return await desk.call("domain.dkim-new", MakeKeys(domain="Example.org"), KeysMade)


async def listed(desk: Desk) -> list[tuple[str, str, bool]]:
    found = await desk.call("domain.dkim-list", ListKeys(domain="example.org"), DkimKeys)
    return [(key.selector, key.state, key.signs) for key in found.keys]


async def retired(
    desk: Desk, selector: str, *, last: bool = False, at_once: bool = False
) -> KeysRetired:
    request = RetireKeys(domain="example.org", selector=selector, last=last, at_once=at_once)
    return await desk.call("domain.dkim-retire", request, KeysRetired)


def publish(zone: Zone, keys: KeysMade) -> None:
    for key in keys.keys:
        zone.add(key.name, txt=text(key.record))


async def test_a_rotation(desk: Desk, zone: Zone, house: House) -> None:
    assert await listed(desk) == []
    first = await made(desk)
    rsa, ed25519 = (key.selector for key in first.keys)
    assert re.fullmatch(r"20\d{6}-rsa", rsa)
    assert re.fullmatch(r"20\d{6}-ed25519", ed25519)
    assert await listed(desk) == [(rsa, "missing", False), (ed25519, "missing", False)]
    publish(zone, first)
    assert await listed(desk) == [(rsa, "right", True), (ed25519, "right", True)]
    # On the same day.
    second = await made(desk)
    assert [key.selector for key in second.keys] == [
        rsa.replace("-", "b-"),
        ed25519.replace("-", "b-"),
    ]
    with pytest.raises(OperationError, match="mail would leave unsigned") as refused:
        await retired(desk, rsa)
    assert refused.value.reason == "last-key"
    publish(zone, second)
    states = {selector: signs for selector, _, signs in await listed(desk)}
    assert [selector for selector, signs in states.items() if signs] == [
        key.selector for key in second.keys
    ]
    gone = await retired(desk, ed25519)
    assert gone.selectors == (rsa, ed25519)
    assert gone.names[0] == f"{rsa}._domainkey.example.org"
    assert len(await listed(desk)) == 2
    assert await house.value("SELECT count(*) FROM secret") == 1
    with pytest.raises(OperationError, match="has no key"):
        await retired(desk, rsa)


async def test_the_records_of_retired_keys_stay_while_mail_is_under_way(
    desk: Desk, zone: Zone
) -> None:
    first, second = await made(desk), await made(desk)
    publish(zone, first)
    publish(zone, second)
    rsa = first.keys[0]
    begun = int(time.time())
    gone = await retired(desk, rsa.selector)
    assert 0 <= gone.until - begun - desk.context.settings.under_way < 60
    request = ListKeys(domain="example.org")
    told = (await desk.call("domain.dkim-list", request, DkimKeys)).retired
    assert [(one.selector, one.name, one.until) for one in told] == [
        (key.selector, key.name, gone.until) for key in sorted(first.keys, key=lambda k: k.selector)
    ]
    assert await records(desk) == {key.name: ("right", True) for key in first.keys}
    # Taken out too early, or changed.
    del zone.records[rsa.name, "TXT"]
    zone.records[first.keys[1].name, "TXT"] = ['"v=DKIM1; k=ed25519; p="']
    assert {state for state, _ in (await records(desk)).values()} == {"missing", "different"}
    # A third pair of the day does not take their names.
    third = await made(desk)
    assert third.keys[0].selector == rsa.selector.replace("-", "c-")


@pytest.mark.parametrize(("days", "told"), [(1, 4), (89, 4), (91, 2)])
async def test_that_a_record_can_go_is_told_for_a_while(
    house: House, zone: Zone, days: int, told: int
) -> None:
    desk = at_desk(house, zone, under_way=-86_400 * days)
    for _ in range(2):
        keys = await made(desk)
        publish(zone, keys)
        await retired(desk, keys.keys[0].selector, last=True)
        assert await records(desk) == {}
    found = await desk.call("domain.dkim-list", ListKeys(domain="example.org"), DkimKeys)
    assert len(found.retired) == told


async def records(desk: Desk) -> dict[str, tuple[str, bool]]:
    """What is said of records of retired keys, and whether it counts."""
    request = ShowRecords(domain="example.org", check=True)
    found = await desk.call("domain.records", request, DomainRecords)
    return {
        row.name: (row.state, row.needed) for row in found.records if row.purpose == "dkim-retired"
    }


async def test_a_key_that_others_may_have_needs_no_record_any_more(desk: Desk, zone: Zone) -> None:
    first, second = await made(desk), await made(desk)
    publish(zone, first)
    publish(zone, second)
    assert (await retired(desk, first.keys[0].selector, at_once=True)).until <= time.time()
    assert await records(desk) == {}


async def test_the_records_go_with_their_domain(desk: Desk, zone: Zone, house: House) -> None:
    publish(zone, await made(desk))
    await retired(desk, (await listed(desk))[0][0], last=True)
    assert await house.value("SELECT count(*) FROM dkim_retired") == 2
    await desk.call("domain.delete", RemoveDomain(domain="example.org"), DomainRemoved)
    assert await house.value("SELECT count(*) FROM dkim_retired") == 0


async def test_the_last_key_goes_only_when_that_is_meant(desk: Desk, zone: Zone) -> None:
    keys = await made(desk)
    publish(zone, keys)
    stem = keys.keys[0].selector.partition("-")[0]
    with pytest.raises(OperationError, match="give --last to stop signing"):
        await retired(desk, stem)
    await retired(desk, stem, last=True)
    assert await listed(desk) == []


async def test_keys_that_never_signed_go_at_once(desk: Desk, zone: Zone) -> None:
    keys = await made(desk)
    assert (await retired(desk, keys.keys[0].selector)).until <= time.time()


async def test_keys_go_not_where_nobody_knows_whether_they_sign(desk: Desk, zone: Zone) -> None:
    keys = await made(desk)
    for key in keys.keys:
        zone.broken[key.name] = SERVFAIL
    with pytest.raises(OperationError, match="mail would leave unsigned"):
        await retired(desk, keys.keys[0].selector)


async def test_there_is_an_end_to_making_keys(desk: Desk, zone: Zone) -> None:
    for _ in range(10):
        await made(desk)
    with pytest.raises(OperationError, match="retire old ones first"):
        await made(desk)


async def test_the_audit_knows_which_keys_and_never_what_they_are(desk: Desk, zone: Zone) -> None:
    keys = await made(desk)
    await listed(desk)
    await retired(desk, keys.keys[0].selector, last=True)
    new, gone = await desk.audit()
    assert new[1:4] == ("domain.dkim-new", "Example.org", "done") or new[2] == "example.org"
    assert new[4]["selectors"] == " ".join(key.selector for key in keys.keys)
    assert gone[1] == "domain.dkim-retire"
    assert gone[4] == {"selector": keys.keys[0].selector, "last": True, "at_once": False}


async def test_what_is_kept_is_sealed(desk: Desk, zone: Zone, house: House) -> None:
    keys = await made(desk)
    ((name, sealed, key_id),) = await house.rows("SELECT name, sealed, key_id FROM secret")
    assert name == f"dkim:example.org:{keys.keys[0].selector.partition('-')[0]}"
    assert key_id == RING.current.id.hex()
    assert b"rsa" not in sealed
    assert b"rsa" in RING.unseal(name, sealed).reveal()


async def test_a_foreign_domain_has_no_keys(desk: Desk, zone: Zone) -> None:
    for name, request, response in (
        ("domain.dkim-new", MakeKeys(domain="example.com"), KeysMade),
        ("domain.dkim-list", ListKeys(domain="example.com"), DkimKeys),
        ("domain.dkim-retire", RetireKeys(domain="example.com", selector="x"), KeysRetired),
    ):
        with pytest.raises(OperationError, match=r"there is no domain example\.com"):
            await desk.call(name, request, response)


async def test_without_the_node_key_it_is_said_what_to_do(house: House, zone: Zone) -> None:
    def lost() -> KeyRing:
        raise NodeKeyError("node.key: there is no node key")

    desk = Desk(house.store, ring=lost, resolvers=("127.0.0.1",), resolver_port=zone.port)
    with pytest.raises(OperationError, match="there is no node key") as refused:
        await made(desk)
    assert refused.value.reason == "node-key"
    assert await house.value("SELECT count(*) FROM secret") == 0


async def test_after_a_lost_node_key_new_keys_can_be_made_and_old_ones_go(
    house: House, desk: Desk, zone: Zone
) -> None:
    old = await made(desk)
    other = KeyRing([NodeKey.random()])
    desk = Desk(house.store, ring=lambda: other, resolvers=("127.0.0.1",), resolver_port=zone.port)
    found = await desk.call("domain.dkim-list", ListKeys(domain="example.org"), DkimKeys)
    assert found.keys == ()
    assert "bring the old key file back" in found.troubles[0]
    new = await made(desk)
    publish(zone, new)
    await retired(desk, old.keys[0].selector)
    assert [selector for selector, _, _ in await listed(desk)] == [k.selector for k in new.keys]


async def test_a_domain_takes_its_keys_along(desk: Desk, zone: Zone, house: House) -> None:
    await desk.call("domain.add", AddDomain(domain="example.net"), DomainAdded)
    await desk.call("domain.dkim-new", MakeKeys(domain="example.net"), KeysMade)
    await desk.call("domain.delete", RemoveDomain(domain="example.net"), DomainRemoved)
    assert await house.value("SELECT count(*) FROM secret") == 0
