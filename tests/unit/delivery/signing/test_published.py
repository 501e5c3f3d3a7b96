"""A key signs only once its record stands in the DNS: how records are compared, and remembered."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from malleposte.delivery.outbound.resolver import DnsSettings, LookupFailed
from malleposte.delivery.signing.lookup import Answer, LiveRecords
from malleposte.delivery.signing.published import (
    FAILED_FOR,
    LONGEST,
    TRUSTED_FOR,
    WRONG_FOR,
    Published,
    compared,
)
from support.zone import SERVFAIL, SILENCE, Zone, text
from unit.delivery.signing.verifying import pair

RSA, ED25519 = pair().keys
P = f"p={RSA.public}"


class Dns:
    """Answers by name, counted; a name that is ``broken`` cannot be asked for."""

    def __init__(self) -> None:
        self.records: dict[str, tuple[str, ...]] = {}
        self.ttl = 300.0
        self.broken = False
        self.asked = 0

    async def find(self, name: str, kind: str) -> Answer:
        assert kind == "TXT"
        self.asked += 1
        await asyncio.sleep(0)
        if self.broken:
            raise LookupFailed(f"the TXT record of {name} could not be asked for: SERVFAIL")
        return Answer(self.records.get(name, ()), self.ttl)


class Watch:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    "record",
    [
        RSA.record,
        P,
        f"v=DKIM1;k=rsa;{P};",
        f" v=DKIM1 ; t=s ; h=sha256 ; s=email ; n=a note ; {P}",
        f"v=DKIM1; h=sha1:sha256; s=*; p={RSA.public[:100]} {RSA.public[100:]}",
    ],
)
def test_a_record_is_right_by_what_it_means(record: str) -> None:
    assert compared(RSA, (record,)).state == "right"


@pytest.mark.parametrize(
    ("values", "state", "words"),
    [
        ((), "missing", "there is no TXT record at 20250615-rsa._domainkey.example.org"),
        ((RSA.record, "v=DKIM1; p="), "different", "2 TXT records"),
        ((ED25519.record,), "different", "a key of another kind, ed25519"),
        (("v=DKIM1; k=rsa; p=",), "different", "revoked"),
        ((RSA.record[:-8],), "different", "another key"),
        (("v=DKIM1; p=%%%",), "different", "another key"),
        (("v=spf1 -all",), "different", "something else: 'v=spf1 -all'"),
        (("v=DKIM2; " + P,), "different", "something else"),
        (("",), "different", "something else"),
        ((f"v=DKIM1; h=sha1; {P}",), "different", "forbids sha256"),
        ((f"v=DKIM1; s=tlsrpt; {P}",), "different", "forbids mail"),
        ((f"{P}; p=AAAA",), "different", "stands twice"),
    ],
)
def test_what_is_wrong_is_said(values: tuple[str, ...], state: str, words: str) -> None:
    seen = compared(RSA, values)
    assert seen.state == state
    assert words in seen.words


class TestMemory:
    def setup_method(self) -> None:
        self.dns, self.watch = Dns(), Watch()
        self.published = Published(self.dns, clock=self.watch)

    async def state(self) -> str:
        return (await self.published.seen(RSA)).state

    async def test_a_right_record_is_believed_for_its_ttl(self) -> None:
        self.dns.records[RSA.name] = (RSA.record,)
        assert await self.state() == "right"
        self.dns.records.clear()
        self.watch.now += 299
        assert await self.state() == "right"
        assert self.dns.asked == 1
        self.watch.now += 2
        assert await self.state() == "missing"

    async def test_a_week_of_ttl_is_an_hour(self) -> None:
        self.dns.records[RSA.name] = (RSA.record,)
        self.dns.ttl = 604_800
        assert await self.state() == "right"
        self.watch.now += LONGEST + 1
        assert await self.state() == "right"
        assert self.dns.asked == 2

    async def test_who_publishes_a_record_waits_a_minute(self) -> None:
        assert await self.state() == "missing"
        self.dns.records[RSA.name] = (RSA.record,)
        assert await self.state() == "missing"
        self.watch.now += WRONG_FOR + 1
        assert await self.state() == "right"

    async def test_a_dns_that_fails_does_not_stop_what_signs(self) -> None:
        self.dns.records[RSA.name] = (RSA.record,)
        assert await self.state() == "right"
        self.dns.broken = True
        for _ in range(int(TRUSTED_FOR / 400) - 1):
            self.watch.now += 400
            assert await self.state() == "right"
        self.watch.now += 1_000
        assert await self.state() == "unasked"

    async def test_what_was_never_seen_waits_for_an_answer(self) -> None:
        self.dns.broken = True
        assert await self.state() == "unasked"
        self.dns.broken = False
        self.dns.records[RSA.name] = (RSA.record,)
        self.watch.now += FAILED_FOR + 1
        assert await self.state() == "right"

    async def test_what_was_taken_away_is_not_trusted_when_the_dns_fails(self) -> None:
        self.dns.records[RSA.name] = (RSA.record,)
        assert await self.state() == "right"
        self.dns.records.clear()
        self.watch.now += 301
        assert await self.state() == "missing"
        self.dns.broken = True
        self.watch.now += WRONG_FOR + 1
        assert await self.state() != "right"

    async def test_many_messages_at_once_ask_once(self) -> None:
        self.dns.records[RSA.name] = (RSA.record,)
        states = await asyncio.gather(*(self.state() for _ in range(50)))
        assert set(states) == {"right"}
        assert self.dns.asked == 1

    async def test_one_who_gives_up_does_not_stop_the_others(self) -> None:
        self.dns.records[RSA.name] = (RSA.record,)
        first, second = (asyncio.create_task(self.state()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == "right"


class TestLive:
    """Over a real socket."""

    @pytest.fixture
    async def zone(self) -> AsyncIterator[Zone]:
        zone = Zone()
        port = await zone.start()
        settings = DnsSettings(servers=("127.0.0.1",), port=port, seconds=0.6, each=0.3)
        self.published = Published(LiveRecords(settings))
        yield zone
        zone.close()

    async def test_long_records_come_in_several_strings(self, zone: Zone) -> None:
        zone.add(RSA.name, txt=text(RSA.record))
        assert '" "' in text(RSA.record)
        assert (await self.published.seen(RSA)).state == "right"
        assert (await self.published.seen(ED25519)).state == "missing"

    async def test_a_record_may_be_kept_in_another_zone(self, zone: Zone) -> None:
        zone.add(RSA.name, cname="key.example.net.")
        zone.add("key.example.net", txt=text(RSA.record))
        assert (await self.published.seen(RSA)).state == "right"

    @pytest.mark.parametrize("trouble", [SERVFAIL, SILENCE])
    async def test_no_answer_is_no_verdict(self, zone: Zone, trouble: str) -> None:
        zone.broken[RSA.name] = trouble
        seen = await self.published.seen(RSA)
        assert seen.state == "unasked"
        assert seen.words.startswith(f"the TXT record of {RSA.name} could not be asked for: ")

    async def test_a_box_that_drops_edns(self, zone: Zone) -> None:
        zone.drops_edns = True
        zone.add(RSA.name, txt=text(RSA.record))
        assert (await self.published.seen(RSA)).state == "right"

    async def test_octets_that_are_no_text(self, zone: Zone) -> None:
        zone.add(RSA.name, txt='"v=DKIM1\\255\\000; p="')
        assert (await self.published.seen(RSA)).state == "different"
