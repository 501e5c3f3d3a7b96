"""Which addresses of a server mail goes to: IPv6 only from an address of ours that has a name."""

import ipaddress
from collections.abc import AsyncIterator
from typing import Any

import pytest

from malleposte.delivery.outbound import DnsSettings, OutboundSettings, Resolver
from malleposte.delivery.outbound.addresses import Addresses, chosen
from malleposte.delivery.outbound.route import Exchange
from malleposte.delivery.outbound.words import WayFailed
from support.zone import SERVFAIL, Zone

OURS = ipaddress.ip_address("2a0e:aaaa::1")
POINTER = OURS.reverse_pointer
MX = Exchange("mx.there.example", 25)
BOTH = ["2a0e:bbbb::2", "192.0.2.2"]


@pytest.fixture
async def zone() -> AsyncIterator[Zone]:
    zone = Zone()
    await zone.start()
    zone.add("mx.there.example", aaaa="2a0e:bbbb::2", a="192.0.2.2")
    zone.add("mail.here.example", aaaa=str(OURS))
    yield zone
    zone.close()


def addresses(zone: Zone, **more: object) -> Addresses:
    values = {"hello": "mail.here.example", "source_ipv6": str(OURS), **more}
    dns = DnsSettings(servers=("127.0.0.1",), port=zone.port, seconds=2, each=1)
    return Addresses(OutboundSettings(**values), Resolver(dns))  # type: ignore[arg-type]


async def of(
    zone: Zone, exchange: Exchange = MX, *, relay: bool = False, **more: object
) -> list[str]:
    return [str(one) for one in await addresses(zone, **more).of(exchange, relay=relay)]


async def test_with_a_name_that_leads_back_both_ways_are_open(zone: Zone) -> None:
    zone.add(POINTER, ptr="mail.here.example.")
    assert await of(zone) == BOTH


@pytest.mark.parametrize("name", ["", "nowhere.example.", "mx.there.example."])
async def test_without_one_it_goes_by_ipv4(zone: Zone, name: str) -> None:
    if name:
        zone.add(POINTER, ptr=name)
    assert await of(zone) == BOTH[1:]


async def test_one_of_several_names_is_enough(zone: Zone) -> None:
    zone.add(POINTER, ptr=["www.here.example.", "mail.here.example."])
    assert await of(zone) == BOTH


async def test_what_cannot_be_found_out_is_asked_once_a_minute(zone: Zone) -> None:
    zone.broken[POINTER] = SERVFAIL
    those = addresses(zone)
    for _ in range(3):
        assert [str(one) for one in await those.of(MX, relay=False)] == BOTH[1:]
    # With EDNS, and without.
    assert zone.asked[POINTER, "PTR"] == 2


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ([], "our address 2a0e:aaaa::1 has no PTR record"),
        (
            ["x.example."],
            "the name of our address 2a0e:aaaa::1, x.example, does not lead back to it",
        ),
    ],
)
async def test_a_server_without_ipv4_waits_in_words(zone: Zone, names: list[str], why: str) -> None:
    zone.records[POINTER, "PTR"] = names
    del zone.records["mx.there.example", "A"]
    with pytest.raises(WayFailed) as failed:
        await of(zone)
    assert failed.value.trouble.words == (
        f"the mail server mx.there.example is reached by IPv6 alone, and {why}"
    )
    assert failed.value.trouble.status == "4.4.4"
    assert not failed.value.trouble.permanent


async def test_a_relay_of_ours_asks_for_no_name(zone: Zone) -> None:
    assert await of(zone, relay=True) == BOTH


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("fd00::2", str(OURS)),  # a company's own network
        ("::1", str(OURS)),
        ("64:ff9b::808:808", str(OURS)),  # IPv4 behind NAT64
        ("2a0e:bbbb::2", "fd00::1"),  # translated on the way: which name counts is not known here
    ],
)
async def test_where_nobody_asks_for_a_name_none_is_needed(
    zone: Zone, theirs: str, ours: str
) -> None:
    exchange = Exchange("mx", 25, 0, (ipaddress.ip_address(theirs),))
    assert await of(zone, exchange, source_ipv6=ours) == [theirs]
    assert not zone.asked


@pytest.mark.parametrize(
    ("switches", "left"), [({"ipv6": False}, BOTH[1:]), ({"ipv4": False}, BOTH[:1])]
)
async def test_families_that_are_turned_off(
    zone: Zone, switches: dict[str, Any], left: list[str]
) -> None:
    zone.add(POINTER, ptr="mail.here.example.")
    assert await of(zone, **switches) == left


def test_the_system_s_choice() -> None:
    assert chosen(ipaddress.ip_address("127.0.0.1"), 25) == "127.0.0.1"
    # A family that this machine does not have, or an address that nobody has a way to.
    assert chosen(ipaddress.ip_address("255.255.255.255"), 25) == ""
