"""Policies of MTA-STS: announced, fetched, kept, fetched again, over."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from malleposte.delivery.outbound import DnsSettings, Resolver
from malleposte.delivery.tls_policies import sts, sts_fetch
from malleposte.delivery.tls_policies.sts import Standing, StsPolicies
from malleposte.delivery.tls_policies.sts_fetch import StsSettings
from malleposte.store.read import tls as kept
from support.certificates import Issued, issue
from support.https_host import SILENCE, HttpsHost
from support.store import House
from support.zone import SERVFAIL, Zone
from unit.delivery.outbound.outside import says

DOMAIN = "there.example"
HOST = f"mta-sts.{DOMAIN}"
WEEK = 604_800
POLICY = b"version: STSv1\nmode: enforce\nmx: mx.there.example\nmax_age: 604800\n"
TESTING = POLICY.replace(b"enforce", b"testing")


@dataclass
class Side:
    """Both sides: the domain's name server and web server, and what we make of them."""

    house: House
    folder: Path
    zone: Zone
    web: HttpsHost
    authority: Issued

    def announce(self, identity: str = "1") -> None:
        self.zone.records[f"_mta-sts.{DOMAIN}", "TXT"] = [f'"v=STSv1; id={identity}"']

    def worker(self) -> StsPolicies:
        """One that has just begun."""
        settings = DnsSettings(
            servers=("127.0.0.1",), port=self.zone.port, seconds=0.4, each=0.2, most=0
        )
        return StsPolicies(
            self.house.store,
            Resolver(settings),
            StsSettings(
                port=self.web.port,
                authorities=self.authority.trusted(self.folder),
                allowed=(ipaddress.ip_network("127.0.0.0/8"),),
            ),
            clock=self.house.clock.time,
        )

    async def kept(self) -> kept.KeptPolicy | None:
        return await kept.sts_policy(self.house.store.reader, DOMAIN)


@pytest.fixture
async def side(house: House, tmp_path: Path) -> AsyncIterator[Side]:
    authority = issue("authority", authority=True)
    zone, web = Zone(), HttpsHost(POLICY)
    await zone.start()
    await web.start("127.0.0.1", issue(HOST, by=authority).context(tmp_path))
    zone.add(HOST, a="127.0.0.1")
    one = Side(house, tmp_path, zone, web, authority)
    one.announce()
    yield one
    await web.close()
    zone.close()


def mode(standing: Standing | None) -> str:
    return standing.policy.mode if standing is not None and standing.policy is not None else ""


async def test_it_is_fetched_once_and_kept_for_every_worker(side: Side) -> None:
    first = side.worker()
    found = await asyncio.gather(*(first.of(DOMAIN) for _ in range(5)))
    assert {mode(one) for one in found} == {"enforce"}
    assert mode(await first.of(DOMAIN)) == mode(await side.worker().of(DOMAIN)) == "enforce"
    assert side.web.asked == 1
    assert side.web.requests[0][0].startswith(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\n")
    row = await side.kept()
    assert row is not None
    assert row.policy == POLICY.decode()
    assert row.expires_at == row.fetched_at + WEEK


async def test_a_domain_that_announces_none_has_none(side: Side) -> None:
    del side.zone.records[f"_mta-sts.{DOMAIN}", "TXT"]
    assert await side.worker().of(DOMAIN) is None
    assert side.web.asked == 0


async def test_it_holds_though_its_record_and_its_server_are_gone(side: Side) -> None:
    """Whoever can disturb the DNS must not be able to switch it off."""
    await side.worker().of(DOMAIN)
    del side.zone.records[f"_mta-sts.{DOMAIN}", "TXT"]
    assert mode(await side.worker().of(DOMAIN)) == "enforce"
    side.zone.broken[f"_mta-sts.{DOMAIN}"] = SERVFAIL
    assert mode(await side.worker().of(DOMAIN)) == "enforce"
    side.zone.broken.clear()
    side.announce("2")
    side.web.status = 404
    worker = side.worker()
    assert mode(await worker.of(DOMAIN)) == mode(await worker.of(DOMAIN)) == "enforce"
    assert side.web.asked == 2, "and it is not asked with each message"
    side.house.clock.turn(WEEK + 1)
    assert mode(await worker.of(DOMAIN)) == "", "until it is over"


async def test_another_id_has_it_fetched_again(side: Side) -> None:
    await side.worker().of(DOMAIN)
    side.web.body = TESTING
    assert mode(await side.worker().of(DOMAIN)) == "enforce"
    side.announce("2")
    assert mode(await side.worker().of(DOMAIN)) == "testing"
    assert mode(await side.worker().of(DOMAIN)) == "testing"
    assert side.web.asked == 2


async def test_what_another_worker_fetched_is_seen(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sts, "READ_EVERY", 0.0)
    first, second = side.worker(), side.worker()
    await first.of(DOMAIN)
    await second.of(DOMAIN)
    side.web.body = TESTING
    side.announce("2")
    assert mode(await second.of(DOMAIN)) == "testing"
    assert mode(await first.of(DOMAIN)) == "testing"
    assert side.web.asked == 2


FAILURES = [
    ("404", "sts-policy-fetch-error", "…: its web server answered 404"),
    ("redirect", "sts-policy-fetch-error", f"…: {HOST} redirects elsewhere, which is not followed"),
    ("silence", "sts-policy-fetch-error", f"…: {HOST} took too long to answer"),
    ("gone", "sts-policy-fetch-error", f"…: {HOST} does not answer"),
    ("no name", "sts-policy-fetch-error", f"…: the name {HOST} was not found"),
    ("large", "sts-policy-fetch-error", f"…: {HOST} sent more than 65536 bytes"),
    ("page", "sts-policy-invalid", "…: it is «text/html» and not text/plain"),
    ("broken", "sts-policy-invalid", "…: its mode is «perhaps»"),
    ("wrong name", "sts-webpki-invalid", f"…: the certificate of {HOST} is not good: …"),
    ("unknown", "sts-webpki-invalid", f"…: the certificate of {HOST} is not good: …"),
    (
        "over",
        "sts-webpki-invalid",
        f"…: the certificate of {HOST} is not good: certificate has expired",
    ),
]


@pytest.mark.parametrize(("what", "failure", "words"), FAILURES, ids=[row[0] for row in FAILURES])
async def test_what_cannot_be_had_is_none_and_says_why(
    side: Side, monkeypatch: pytest.MonkeyPatch, what: str, failure: str, words: str
) -> None:
    monkeypatch.setattr(sts_fetch, "SECONDS", 0.5 if what == "silence" else 10.0)
    web = side.web
    match what:
        case "404":
            web.status = 404
        case "redirect":
            web.status, web.headers = 301, {"Location": f"https://{HOST}:{web.port}/elsewhere"}
        case "silence":
            web.behaves = SILENCE
        case "gone":
            await web.close()
        case "no name":
            del side.zone.records[HOST, "A"]
        case "large":
            web.body = POLICY + b"#: x\n" * 20_000
        case "page":
            web.kind = "text/html; charset=utf-8"
        case "broken":
            web.body = POLICY.replace(b"enforce", b"perhaps")
        case _:
            await web.close()
            issued = {
                "wrong name": issue("other.example", by=side.authority),
                "unknown": issue(HOST),
                "over": issue(HOST, by=side.authority, days=(-60, -1)),
            }[what]
            await web.start("127.0.0.1", issued.context(side.folder), web.port)
    worker = side.worker()
    standing = await worker.of(DOMAIN)
    assert standing is not None
    assert (standing.policy, standing.failure) == (None, failure)
    assert says(words, standing.why), standing.why
    assert standing.why.startswith(f"the MTA-STS policy of {DOMAIN} could not be had: ")
    asked = web.asked
    assert await worker.of(DOMAIN) == standing
    assert web.asked == asked, "it is not asked with each message"
    assert await side.kept() is None


async def test_it_is_fetched_again_before_it_ends(side: Side) -> None:
    worker, clock = side.worker(), side.house.clock
    await worker.of(DOMAIN)
    assert await worker.refresh() == 0
    clock.turn(WEEK - sts.ENDING + 60)
    side.web.body = TESTING
    assert await worker.refresh() == 1
    assert side.web.asked == 2
    row = await side.kept()
    assert row is not None
    assert row.expires_at > clock.time() + WEEK - 60
    assert mode(await side.worker().of(DOMAIN)) == "testing"
    assert await worker.refresh() == 0


async def test_a_policy_that_cannot_be_fetched_again_holds_and_says_why(side: Side) -> None:
    worker, clock = side.worker(), side.house.clock
    await worker.of(DOMAIN)
    clock.turn(WEEK - sts.ENDING + 60)
    side.web.status = 500
    assert await worker.refresh() == 1
    row = await side.kept()
    assert row is not None
    assert "answered 500" in row.failed
    assert mode(await side.worker().of(DOMAIN)) == "enforce"
    assert await worker.refresh() == 0, "not every hour"
    clock.turn(sts.TRIED + 60)
    side.web.status = 200
    fresh = side.worker()
    assert await fresh.refresh() == 1
    row = await side.kept()
    assert row is not None
    assert row.failed == ""


async def test_a_policy_nobody_uses_is_left_to_end(side: Side) -> None:
    side.web.body = POLICY.replace(b"604800", str(40 * 86_400).encode())
    worker, clock = side.worker(), side.house.clock
    await worker.of(DOMAIN)
    clock.turn(39 * 86_400)
    assert await worker.refresh() == 0
    assert mode(await worker.of(DOMAIN)) == "enforce"
    assert await worker.refresh() == 1, "mail went by it just now"
