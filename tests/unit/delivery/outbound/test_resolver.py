"""Look-ups: deadlines, resolvers that drop EDNS, what is kept and for how long."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator

import pytest

from malleposte.delivery.outbound import DnsSettings, Resolver
from malleposte.delivery.outbound import resolver as outbound_resolver
from malleposte.delivery.outbound.resolver import (
    LONGEST,
    MOST_ADDRESSES,
    MOST_MX,
    Found,
    LookupFailed,
    Mx,
    NoSuchName,
    Tlsa,
)
from support.zone import SERVFAIL, SILENCE, Zone


class Time:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def zone() -> AsyncIterator[Zone]:
    zone = Zone()
    await zone.start()
    yield zone
    zone.close()


@pytest.fixture
def now() -> Time:
    return Time()


@pytest.fixture
async def resolver(zone: Zone, now: Time) -> Resolver:
    return made(zone, now)


def made(zone: Zone, now: Time, most: int = 10_000) -> Resolver:
    settings = DnsSettings(servers=("127.0.0.1",), port=zone.port, seconds=0.4, each=0.2, most=most)
    return Resolver(settings, clock=now)


async def test_mail_servers_best_first(zone: Zone, resolver: Resolver) -> None:
    zone.add("there.example", mx=["20 b.example.", "10 A.Example.", "20 a.example."])
    assert await resolver.mx("There.Example.") == [
        Mx(10, "a.example"),
        Mx(20, "a.example"),
        Mx(20, "b.example"),
    ]


async def test_null_mx_has_no_name(zone: Zone, resolver: Resolver) -> None:
    zone.add("there.example", mx="0 .")
    assert await resolver.mx("there.example") == [Mx(0, "")]


async def test_addresses_of_both_families_in_turn(zone: Zone, resolver: Resolver) -> None:
    zone.add("mx.example", a=["127.0.0.1", "127.0.0.2", "127.0.0.3"], aaaa="::1")
    found = await resolver.addresses("mx.example")
    assert str(found[0]) == "::1"
    assert sorted(map(str, found[1:])) == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    only = await resolver.addresses("mx.example", ipv4=False)
    assert only == [ipaddress.ip_address("::1")]


async def test_one_family_that_fails_leaves_the_other(zone: Zone, resolver: Resolver) -> None:
    zone.add("mx.example", a="127.0.0.1")
    zone.broken["mx.example/AAAA"] = SERVFAIL
    assert [str(one) for one in await resolver.addresses("mx.example")] == ["127.0.0.1"]


async def test_no_address_because_of_a_failure_is_a_failure(zone: Zone, resolver: Resolver) -> None:
    zone.add("mx.example", txt="there is no A")
    zone.broken["mx.example/AAAA"] = SERVFAIL
    with pytest.raises(LookupFailed, match=r"the AAAA record of mx.example"):
        await resolver.addresses("mx.example")


async def test_a_name_that_is_not_there(zone: Zone, resolver: Resolver) -> None:
    for name in ("gone.example", "x" * 64 + ".example", "a..example"):
        with pytest.raises(NoSuchName):
            await resolver.mx(name)


@pytest.mark.parametrize("how", ["drops_edns", "formerr"])
async def test_a_resolver_without_edns_is_asked_without(
    zone: Zone, resolver: Resolver, now: Time, how: str
) -> None:
    setattr(zone, how, True)
    zone.add("a.example", mx="10 mx.example.")
    zone.add("b.example", mx="10 mx.example.")
    assert await resolver.mx("a.example") == [Mx(10, "mx.example")]
    # From now on nobody waits for that.
    asked = sum(zone.asked.values())
    assert await resolver.mx("b.example") == [Mx(10, "mx.example")]
    assert sum(zone.asked.values()) == asked + 1
    # It may learn.
    setattr(zone, how, False)
    now.now += 601
    zone.add("c.example", mx="10 mx.example.")
    assert await resolver.mx("c.example") == [Mx(10, "mx.example")]


async def test_silence_ends_at_the_deadline(zone: Zone, resolver: Resolver) -> None:
    zone.broken["slow.example"] = SILENCE
    loop = asyncio.get_running_loop()
    since = loop.time()
    with pytest.raises(LookupFailed, match=r"did not answer within 0.4 seconds"):
        await resolver.mx("slow.example")
    assert loop.time() - since < 2.0


async def test_a_failure_is_asked_again_at_once(zone: Zone, resolver: Resolver) -> None:
    zone.broken["a.example"] = SERVFAIL
    zone.add("a.example", mx="10 mx.example.")
    with pytest.raises(LookupFailed, match=r"the resolver at 127.0.0.1 answered SERVFAIL"):
        await resolver.mx("a.example")
    zone.broken.clear()
    assert await resolver.mx("a.example") == [Mx(10, "mx.example")]


async def test_an_answer_is_kept_as_long_as_it_says_within_bounds(
    zone: Zone, resolver: Resolver, now: Time
) -> None:
    zone.add("a.example", mx="10 mx.example.")
    for ttl, kept in ((60, 60), (0, 5), (10_000_000, LONGEST)):
        zone.ttl = ttl
        now.now += 2 * LONGEST
        await resolver.mx("a.example")
        zone.asked.clear()
        now.now += kept - 1
        await resolver.mx("a.example")
        assert not zone.asked
        now.now += 2
        await resolver.mx("a.example")
        assert zone.asked == {("a.example", "MX"): 1}


async def test_what_is_not_there_is_kept_for_a_minute(
    zone: Zone, resolver: Resolver, now: Time
) -> None:
    for _ in range(3):
        with pytest.raises(NoSuchName):
            await resolver.mx("gone.example")
    assert zone.asked["gone.example", "MX"] == 1
    zone.add("gone.example", mx="10 mx.example.")
    now.now += 61
    assert await resolver.mx("gone.example") == [Mx(10, "mx.example")]


async def test_the_memory_is_bounded(zone: Zone, now: Time) -> None:
    resolver = made(zone, now, most=10)
    for number in range(30):
        zone.add(f"d{number}.example", mx="10 mx.example.")
        await resolver.mx(f"d{number}.example")
    zone.asked.clear()
    await resolver.mx("d29.example")
    assert not zone.asked
    await resolver.mx("d0.example")
    assert zone.asked


async def test_the_memory_is_bounded_by_what_it_takes(zone: Zone, now: Time) -> None:
    """A stranger's names answer with what he likes: 10,000 of them could take gigabytes."""
    for number in range(20):
        zone.add(f"{number}.example", txt=[f'"{letter * 250}" "{"x" * 250}"' for letter in "ab"])
    settings = DnsSettings(servers=("127.0.0.1",), port=zone.port, seconds=2.0, octets=15_000)
    resolver = Resolver(settings, clock=now)
    for number in range(20):
        assert len((await resolver.look_up(f"{number}.example", "TXT")).values or ()) == 2
        now.now += 1
        await resolver.look_up("0.example", "TXT")  # what is used stays
    kept = sum(len(one.found.values or ()) * 500 for one in resolver._kept.values())
    assert 5_000 < kept < 15_000
    asked = zone.asked.total()
    await resolver.look_up("0.example", "TXT")
    await resolver.look_up("19.example", "TXT")
    assert zone.asked.total() == asked
    await resolver.look_up("1.example", "TXT")
    assert zone.asked.total() > asked


async def test_texts_that_mean_nothing_where_they_stand_are_not_kept(
    zone: Zone, resolver: Resolver
) -> None:
    texts = ['"v=STSv1; id=1"', '"v=TLSRPTv1; rua=mailto:a@b"', '"noise"']
    for name in ("_mta-sts.a.example", "_smtp._tls.a.example", "a.example"):
        zone.add(name, txt=texts)
    sts = await resolver.look_up("_MTA-STS.a.example", "TXT")
    assert sts.values == ("v=STSv1; id=1",)
    report = await resolver.look_up("_smtp._tls.a.example", "TXT")
    assert report.values == ("v=TLSRPTv1; rua=mailto:a@b",)
    assert len((await resolver.look_up("a.example", "TXT")).values or ()) == 3


async def test_a_tlsa_record_of_any_length_is_there_and_one_too_long_cannot_be_met(
    zone: Zone, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it the server would count as one that wants no DANE (RFC 7672 §2.2)."""
    monkeypatch.setattr(outbound_resolver, "MOST_TLSA", 500)  # one datagram holds it
    zone.add("_25._tcp.mx.example", tlsa=[f"3 0 0 {'ab' * 900}", "3 0 0 abcd"])
    found = await resolver.look_up("_25._tcp.mx.example", "TLSA")
    assert sorted(one.data for one in found.values or () if isinstance(one, Tlsa)) == [
        b"",
        b"\xab\xcd",
    ]


async def test_who_asks_the_same_meanwhile_waits_for_that(zone: Zone, resolver: Resolver) -> None:
    zone.add("a.example", mx="10 mx.example.")
    found = await asyncio.gather(*(resolver.mx("a.example") for _ in range(20)))
    assert found == [[Mx(10, "mx.example")]] * 20
    assert zone.asked["a.example", "MX"] == 1


async def test_who_gives_up_takes_nobody_along(zone: Zone, resolver: Resolver) -> None:
    zone.drops_edns = True  # the first answer takes a moment
    zone.add("a.example", mx="10 mx.example.")
    first, second = (asyncio.create_task(resolver.mx("a.example")) for _ in range(2))
    await asyncio.sleep(0.05)
    first.cancel()
    assert await second == [Mx(10, "mx.example")]


async def test_a_domain_has_only_so_many_servers(zone: Zone, resolver: Resolver) -> None:
    zone.add("a.example", mx=[f"{n} m{n}." for n in range(MOST_MX + 5)])
    zone.add("mx.example", a=[f"127.0.1.{n}" for n in range(MOST_ADDRESSES + 3)])
    assert len(await resolver.mx("a.example")) == MOST_MX
    assert len(await resolver.addresses("mx.example", ipv6=False)) == MOST_ADDRESSES


async def test_no_resolver_at_all_is_said() -> None:
    resolver = Resolver(DnsSettings(servers=("127.0.0.1",), port=1, seconds=0.4, each=0.2))
    with pytest.raises(LookupFailed, match=r"the MX record of a.example was not found"):
        await resolver.mx("a.example")


async def test_what_dnssec_vouches_for_is_said_for_answers_and_for_their_absence(
    zone: Zone, resolver: Resolver
) -> None:
    zone.secure = {"signed.example"}
    zone.add("signed.example", mx="10 mx.signed.example.")
    zone.add("mx.signed.example", a="127.0.0.1")
    zone.add("alias.signed.example", cname="mx.signed.example.")
    zone.add("away.signed.example", cname="mx.open.example.")
    zone.add("open.example", mx="10 mx.signed.example.")
    zone.add("mx.open.example", a="127.0.0.1")
    assert await resolver.look_up("signed.example", "MX") == Found(
        (Mx(10, "mx.signed.example"),), True, "signed.example"
    )
    assert not (await resolver.look_up("open.example", "MX")).secure
    followed = await resolver.look_up("alias.signed.example", "A")
    assert (followed.secure, followed.name) == (True, "mx.signed.example")
    away = await resolver.look_up("away.signed.example", "A")
    assert (away.secure, away.name) == (False, "mx.open.example")
    assert (await resolver.look_up("away.signed.example", "CNAME")).secure
    assert await resolver.look_up("mx.signed.example", "AAAA") == Found(
        (), True, "mx.signed.example"
    )
    assert await resolver.look_up("gone.signed.example", "A") == Found(None, True)
    assert await resolver.look_up("gone.example", "A") == Found(None, False)


async def test_tlsa_and_txt_records(zone: Zone, resolver: Resolver) -> None:
    zone.add("_25._tcp.mx.example", tlsa=["3 1 1 " + "ab" * 32, "2 0 0 0102"])
    zone.add("_mta-sts.example", txt='"v=STSv1; " "id=1;"')
    zone.add("raw.example", txt='"caf\\233"')
    found = (await resolver.look_up("_25._tcp.mx.example", "TLSA")).values
    assert sorted(found or (), key=repr) == [
        Tlsa(2, 0, 0, b"\x01\x02"),
        Tlsa(3, 1, 1, b"\xab" * 32),
    ]
    assert (await resolver.look_up("_mta-sts.example", "TXT")).values == ("v=STSv1; id=1;",)
    assert (await resolver.look_up("raw.example", "TXT")).values == ("caf\\xe9",)


@pytest.mark.parametrize(
    ("servers", "believed"),
    [
        (("127.0.0.1",), True),
        (("::1", "127.0.0.53"), True),
        (("127.0.0.1", "192.0.2.1"), False),
        (("192.0.2.1",), False),
        (("10.0.0.1",), False),
    ],
)
async def test_dnssec_is_believed_only_from_this_machine(
    zone: Zone, servers: tuple[str, ...], believed: bool
) -> None:
    assert Resolver(DnsSettings(servers=servers)).validating is believed


async def test_who_says_from_elsewhere_that_dnssec_vouches_is_not_believed(
    zone: Zone, now: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone.secure = {"signed.example"}
    zone.add("signed.example", mx="10 mx.signed.example.")
    monkeypatch.setattr(Resolver, "validating", False)
    found = await made(zone, now).look_up("signed.example", "MX")
    assert (found.secure, bool(found.values)) == (False, True)


async def test_a_look_up_that_fails_names_its_record(zone: Zone, resolver: Resolver) -> None:
    zone.broken["_25._tcp.mx.example"] = SERVFAIL
    with pytest.raises(LookupFailed, match=r"the TLSA record of _25._tcp.mx.example was not found"):
        await resolver.look_up("_25._tcp.mx.example", "TLSA")
