"""``dns --check`` beyond records: from where mail leaves, port 25 on the way out, public block lists."""

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator
from typing import Any

import pytest

from malleposte.operations.context import Outward
from malleposte.operations.domain_records import DomainRecords, RecordShown, ShowRecords
from malleposte.operations.zone import leaving
from malleposte.operations.zone.comparing import Server
from support.server import free_port
from support.store import House
from support.zone import SERVFAIL, SILENCE, Zone
from unit.operations.desk import Desk

HOST = "mail.example.org"
LIST = "list.example"
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
HERE6 = "2001:4860:4860::8888"


@pytest.fixture
async def zone() -> AsyncIterator[Zone]:
    zone = Zone()
    await zone.start()
    zone.add(HOST, a="8.8.8.8")
    yield zone
    zone.close()


async def rows(house: House, zone: Zone, purpose: str, **outward: Any) -> list[RecordShown]:
    desk = Desk(
        house.store,
        resolvers=("127.0.0.1",),
        resolver_port=zone.port,
        outward=Outward(**outward),
    )
    request = ShowRecords(domain="example.org", check=True)
    found = (await desk.call("domain.records", request, DomainRecords)).records
    return [row for row in found if row.purpose == purpose]


# Block lists ----------------------------------------------------------------------------------------


def alive(zone: Zone, name: str = LIST, *, six: bool = False) -> None:
    """A list with its test entry."""
    zone.add(f"2.0.0.127.{name}", a="127.0.0.2")
    if six:
        test = ipaddress.ip_address("::ffff:7f00:2").reverse_pointer.removesuffix(".ip6.arpa")
        zone.add(f"{test}.{name}", a="127.0.0.2")


async def listed(house: House, zone: Zone, *names: str) -> list[RecordShown]:
    return await rows(house, zone, "block-list", block_lists=names or (LIST,))


async def test_an_address_that_is_on_no_list(house: House, zone: Zone) -> None:
    alive(zone)
    (row,) = await listed(house, zone)
    assert (row.name, row.kind, row.value) == ("8.8.8.8", "LIST", LIST)
    assert (row.state, row.words) == ("right", f"not on {LIST}")
    assert not row.needed
    assert not row.publish


async def test_one_that_is_comes_with_the_list_s_words(house: House, zone: Zone) -> None:
    alive(zone)
    zone.add("8.8.8.8." + LIST, a=["127.0.0.4", "127.0.0.10"], txt='"see https://list.example/8"')
    (row,) = await listed(house, zone)
    assert row.state == "different"
    assert row.words == f"on {LIST}: 127.0.0.10, 127.0.0.4, see https://list.example/8"
    assert row.needed, "mail suffers"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("127.255.255.254", "answers 127.255.255.254: it answers no public resolver"),
        ("127.255.255.252", "answers 127.255.255.252: there is no list of this name"),
        ("127.255.255.255", "answers 127.255.255.255: it was asked too often"),
        ("127.255.255.250", "answers 127.255.255.250: it refused the question"),
        ("127.0.0.1", "answers 127.0.0.1: it refused the question"),
        ("93.184.216.34", "answers 93.184.216.34, as no list does"),
    ],
)
@pytest.mark.parametrize("asked", ["2.0.0.127", "8.8.8.8"])
async def test_a_refusal_is_no_listing(
    house: House, zone: Zone, asked: str, answer: str, words: str
) -> None:
    """Whether it comes to the test entry already or to the address alone."""
    alive(zone)
    zone.records[f"{asked}.{LIST}", "A"] = [answer]
    (row,) = await listed(house, zone)
    assert row.state == "unasked"
    assert words in row.words
    assert not row.needed


async def test_a_list_that_is_none_any_more_condemns_nobody(house: House, zone: Zone) -> None:
    zone.add("8.8.8.8.dead.example", a="127.0.0.2")
    alive(zone, "parked.example")
    zone.add("1.0.0.127.parked.example", a="127.0.0.2")
    zone.add("8.8.8.8.parked.example", a="127.0.0.2")
    dead, parked = await listed(house, zone, "dead.example", "parked.example")
    assert (dead.state, parked.state) == ("unasked", "unasked")
    assert "does not know its own test entry" in dead.words
    assert "lists everything" in parked.words


async def test_a_list_that_cannot_be_asked_is_named(house: House, zone: Zone) -> None:
    alive(zone)
    zone.broken[f"8.8.8.8.{LIST}"] = SERVFAIL
    (row,) = await listed(house, zone)
    assert row.state == "unasked"
    assert row.words.startswith(f"{LIST}: the resolver at 127.0.0.1 answered SERVFAIL")


async def test_ipv6_is_asked_of_lists_that_know_it(house: House, zone: Zone) -> None:
    zone.add(HOST, aaaa=HERE6)
    alive(zone, "four.example")
    alive(zone, "both.example", six=True)
    reverse = ipaddress.ip_address(HERE6).reverse_pointer.removesuffix(".ip6.arpa")
    zone.add(f"{reverse}.both.example", a="127.0.0.3")
    found = await listed(house, zone, "four.example", "both.example")
    assert [(row.name, row.value, row.state) for row in found] == [
        ("8.8.8.8", "four.example", "right"),
        ("8.8.8.8", "both.example", "right"),
        (HERE6, "both.example", "different"),
    ]


async def test_addresses_that_nobody_reaches_are_on_no_list(house: House, zone: Zone) -> None:
    alive(zone)
    zone.records[HOST, "A"] = ["10.0.0.1"]
    assert await listed(house, zone) == []
    assert zone.asked[f"2.0.0.127.{LIST}", "A"] == 0


# Port 25 --------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def greeting(words: bytes, port: int) -> AsyncIterator[list[bytes]]:
    """A server at a port of 127.0.0.1, and what it was told."""
    said: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        said.append(await reader.read())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", port):
        yield said


async def port(house: House, zone: Zone, number: int, **more: Any) -> list[RecordShown]:
    values = {"direct": True, "port": number, "allowed": LOOPBACK, "ipv6": False, **more}
    return await rows(house, zone, "port", **{"probes": ("big.example",), **values})


def big(zone: Zone, name: str = "big.example", address: str = "127.0.0.1") -> None:
    zone.add(name, mx=f"10 mx.{name}.")
    zone.add(f"mx.{name}", a=address)


async def test_a_server_that_greets_shows_that_the_port_is_open(house: House, zone: Zone) -> None:
    big(zone)
    number = free_port()
    async with greeting(b"220 mx.big.example ESMTP\r\n", number) as said:
        (row,) = await port(house, zone, number)
    assert (row.name, row.kind, row.state) == (f"port {number} by IPv4", "TCP", "right")
    assert row.words == "mx.big.example answers: 220 mx.big.example ESMTP"
    assert row.needed
    assert said == [b"QUIT\r\n"], "nothing is sent"


async def test_an_unfriendly_greeting_shows_it_as_well(house: House, zone: Zone) -> None:
    big(zone)
    number = free_port()
    async with greeting(b"554 go away\r\n", number):
        (row,) = await port(house, zone, number)
    assert (row.state, row.words) == ("right", "mx.big.example answers: 554 go away")


async def test_a_firewall_in_the_way_is_named(house: House, zone: Zone) -> None:
    big(zone)
    big(zone, "second.example")
    number = free_port()
    (row,) = await port(house, zone, number, probes=("big.example", "second.example"))
    assert row.state == "different"
    assert "mx.big.example [127.0.0.1]: connection refused" in row.words
    assert "mx.second.example [127.0.0.1]" in row.words
    assert f"let port {number} out, or send by a smart host" in row.words


async def test_one_that_answers_is_enough(house: House, zone: Zone) -> None:
    big(zone, address="127.0.0.9")
    big(zone, "second.example")
    number = free_port()
    async with greeting(b"220 here\r\n", number):
        (row,) = await port(house, zone, number, probes=("big.example", "second.example"))
    assert row.state == "right"


async def test_names_that_cannot_be_found_are_no_verdict(house: House, zone: Zone) -> None:
    zone.broken["big.example"] = SERVFAIL
    (row,) = await port(house, zone, 25)
    assert row.state == "unasked"
    assert "the MX record of big.example was not found" in row.words


async def test_a_probe_leads_nowhere_inside(house: House, zone: Zone) -> None:
    """Whoever has a domain that we look at does not choose what we connect to."""
    big(zone)
    number = free_port()
    async with greeting(b"220 secret\r\n", number) as said:
        (row,) = await port(house, zone, number, allowed=())
    assert "mx.big.example is this machine" in row.words
    assert said == []


@pytest.mark.parametrize("more", [{"direct": False}, {"probes": ()}, {"ipv4": False}])
async def test_where_mail_does_not_leave_by_it_it_is_not_tried(
    house: House, zone: Zone, more: dict[str, Any]
) -> None:
    """Not enabled, or by a smart host; nobody to try; a family that is turned off."""
    big(zone)
    assert await port(house, zone, 25, **more) == []
    assert zone.asked["mx.big.example", "A"] == 0


async def test_ipv6_counts_where_there_is_no_ipv4(house: House, zone: Zone) -> None:
    zone.add("big.example", mx="10 mx.big.example.")
    zone.add("mx.big.example", aaaa="::1")
    for ipv4, needed in ((True, False), (False, True)):
        (row,) = await port(house, zone, free_port(), ipv4=ipv4, ipv6=True)
        assert row.name.endswith("by IPv6")
        assert (row.state, row.needed) == ("different", needed)


@pytest.mark.slow
async def test_silence_is_over_within_seconds(house: House, zone: Zone) -> None:
    zone.broken["big.example"] = SILENCE
    async with asyncio.timeout(30):
        (row,) = await port(house, zone, 25)
    assert row.state == "unasked"


# From where -----------------------------------------------------------------------------------------


def test_public_addresses_that_the_name_does_not_have_are_named() -> None:
    server = Server(host=HOST, addresses=("8.8.8.8",))
    found = leaving.sources(Outward(direct=True, source_ipv4="8.8.4.4", source_ipv6=HERE6))
    assert [str(one) for one in found] == ["8.8.4.4", HERE6]
    ipv4, ipv6 = leaving.looked_at(found, server)
    assert (ipv4.name, ipv4.kind, ipv4.value) == (HOST, "A", "8.8.4.4")
    assert ipv4.seen.state == "missing"
    assert ipv4.seen.words == "mail leaves from 8.8.4.4: add it, or set sending.source_ipv4"
    assert ipv6.seen.words.endswith("set sending.source_ipv6")
    assert leaving.looked_at(found[:1], Server(host=HOST, addresses=("8.8.4.4",))) == []


@pytest.mark.parametrize(
    "outward",
    [
        Outward(direct=False, source_ipv4="8.8.4.4"),
        Outward(direct=True, source_ipv4="192.168.1.2", ipv6=False),
        Outward(direct=True, source_ipv4="8.8.4.4", ipv4=False, ipv6=False),
    ],
)
def test_what_is_translated_on_the_way_or_not_used_is_not_known_here(outward: Outward) -> None:
    assert leaving.sources(outward) == []
