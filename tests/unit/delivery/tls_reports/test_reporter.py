"""Reports of a day: from sessions with real servers to a signed message, and by HTTPS."""

import dataclasses
import gzip
import ipaddress
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from malleposte.delivery.outbound.resolver import LookupFailed
from malleposte.delivery.signing.dkim import sign_hashed
from malleposte.delivery.tls_policies import PolicySettings, StsSettings, TlsPolicies
from malleposte.delivery.tls_reports.bounds import FAILURES
from malleposte.delivery.tls_reports.reporter import (
    SETTLED,
    SPREAD,
    TLS_REPORT_JOB,
    ReporterSettings,
    TlsReporter,
)
from malleposte.directory.book import Book
from malleposte.runtime.jobs import JobRunner
from malleposte.store.commands import AddTlsResults, TlsCount
from support.certificates import Issued, issue
from support.https_host import HttpsHost
from support.scripted_smtp import Manner
from support.zone import SERVFAIL
from unit.delivery.outbound.outside import Outside
from unit.delivery.signing.verifying import pair, verdicts

DAY = 86_400
DOMAIN, NAME = "there.example", "mx.there.example"
AUTHORITY = issue("authority", authority=True)
GOOD = issue(NAME, by=AUTHORITY)


@dataclass
class Side:
    outside: Outside
    web: HttpsHost
    folder: Path
    signing: bool = True
    reporter: TlsReporter = field(init=False)

    def __post_init__(self) -> None:
        house = self.outside.house
        self.reporter = TlsReporter(
            house.store,
            Book(house.store),
            self.outside.resolver(),
            self.signs,
            self.sign,
            ReporterSettings(
                hostname="mail.example.org",
                route_of=lambda address, sender: address.rpartition("@")[2],
                ports=frozenset({self.web.port}),
                authorities=AUTHORITY.trusted(self.folder),
                allowed=(ipaddress.ip_network("127.0.0.0/8"),),
            ),
            clock=house.clock.time,
        )

    async def signs(self, domain: str) -> bool:
        return self.signing and domain == "example.org"

    async def sign(self, domain: str, header: bytes, digest: bytes, now: int) -> bytes:
        return sign_hashed(header, digest, pair().keys, now) if await self.signs(domain) else b""

    def wants(self, *addresses: str) -> None:
        self.outside.zone.records[f"_smtp._tls.{DOMAIN}", "TXT"] = [
            f'"v=TLSRPTv1; rua={",".join(addresses)}"'
        ]

    async def server(self, shown: Issued = GOOD, number: int = 1) -> Any:
        context = shown.context(self.folder)
        return await self.outside.server(number, Manner(context=context))

    async def go(self, **more: Any) -> None:
        outside = self.outside
        sts = StsSettings(
            port=self.web.port,
            authorities=AUTHORITY.trusted(self.folder),
            allowed=(ipaddress.ip_network("127.0.0.0/8"),),
        )
        policies = TlsPolicies(
            outside.house.store,
            outside.resolver(),
            PolicySettings(sts=sts, **more),
            clock=outside.house.clock.time,
        )
        authorities = str(AUTHORITY.trusted(self.folder))
        await outside.go(policies=policies, authorities=authorities)

    async def report(self) -> int:
        """Run what is due the next day."""
        now = self.outside.house.clock.time()
        self.outside.house.clock.turn(DAY - now % DAY + SETTLED + SPREAD + 60)
        await self.reporter.due()
        return await self.again()

    async def again(self) -> int:
        runner = JobRunner(self.outside.house.store, "test", {TLS_REPORT_JOB: self.reporter.run})
        return await runner.run_due()

    async def value(self, table: str) -> Any:
        return await self.outside.house.value(f"SELECT count(*) FROM {table}")


@pytest.fixture
async def side(
    outside_both: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Side]:
    # By the time of the test, not by that of the machine.
    monkeypatch.setattr("malleposte.runtime.jobs._ANY_DUE", "SELECT 1")
    web = HttpsHost()
    names = (f"mta-sts.{DOMAIN}", "reports.example")
    await web.start("127.0.0.1", issue(*names, by=AUTHORITY).context(tmp_path))
    outside_both.domain(DOMAIN)
    yield Side(outside_both, web, tmp_path)
    await web.close()


def report_of(content: bytes) -> tuple[Any, Any]:
    """The message and the JSON in it."""
    message: Any = message_from_bytes(content)
    _, attached = message.get_payload()
    octets = attached.get_payload(decode=True)
    return message, json.loads(gzip.decompress(octets))


async def test_a_day_is_reported_by_mail_signed_and_once(side: Side) -> None:
    outside = side.outside
    side.wants("mailto:tls@reports.example")
    outside.domain("reports.example", 2)
    first = await side.server()
    await outside.queue(f"a@{DOMAIN}")
    await side.go()
    assert [one.tls for one in first.accepted] == [True]
    day = int(outside.house.clock.time()) // DAY
    assert await side.report() == 1
    assert await side.value("tls_result") == 0
    assert await side.value("queue_message") == 1
    collector = await side.server(number=2)
    await side.go()
    (taken,) = collector.accepted
    assert (taken.sender, taken.recipients) == ("", ["tls@reports.example"])
    assert verdicts(taken.content) == [True, True]
    message, report = report_of(taken.content)
    assert message["From"] == "TLS reports <postmaster@example.org>"
    assert message["TLS-Report-Domain"] == DOMAIN
    assert message["TLS-Report-Submitter"] == "example.org"
    assert message["TLS-Required"] == "No"
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "tlsrpt"
    attached = message.get_payload()[1]
    assert attached.get_content_type() == "application/tlsrpt+gzip"
    begin = day * DAY
    assert attached.get_filename() == f"example.org!{DOMAIN}!{begin}!{begin + DAY - 1}.json.gz"
    assert f"Report Domain: {DOMAIN} Submitter: example.org Report-ID: <" in str(
        message["Subject"]
    ).replace("\n", "")
    assert report["organization-name"] == "example.org"
    assert report["contact-info"] == "postmaster@example.org"
    assert report["date-range"]["start-datetime"].endswith("T00:00:00Z")
    assert report["policies"] == [
        {
            "policy": {"policy-type": "no-policy-found", "policy-domain": DOMAIN},
            "summary": {"total-successful-session-count": 1, "total-failure-session-count": 0},
        }
    ]
    # It is written once, and what carried it is not reported on itself.
    outside.house.clock.turn(DAY)
    assert await side.reporter.due() == 0
    assert await side.again() == 0


async def test_its_own_mail_is_not_counted_where_it_goes_to_the_domain_itself(side: Side) -> None:
    """Two servers would write to each other for ever."""
    outside = side.outside
    side.wants(f"mailto:tls@{DOMAIN}")
    server = await side.server()
    await outside.queue(f"a@{DOMAIN}")
    await side.go()
    assert await side.report() == 1
    await side.go()
    assert [one.recipients for one in server.accepted] == [[f"a@{DOMAIN}"], [f"tls@{DOMAIN}"]]
    assert await side.value("tls_result") == 0


async def test_failures_are_told_with_their_policy(side: Side) -> None:
    outside = side.outside
    zone = outside.zone
    side.wants("mailto:tls@reports.example")
    outside.domain("reports.example", 2)
    zone.add(f"_mta-sts.{DOMAIN}", txt='"v=STSv1; id=1"')
    zone.add(f"mta-sts.{DOMAIN}", a="127.0.0.1")
    side.web.body = f"version: STSv1\nmode: enforce\nmx: {NAME}\nmax_age: 604800\n".encode()
    await side.server(issue("elsewhere.example", by=AUTHORITY))
    await outside.queue(f"a@{DOMAIN}")
    await side.go()
    assert await side.report() == 1
    collector = await side.server(number=2)
    await side.go()
    _, report = report_of(collector.accepted[0].content)
    (found,) = report["policies"]
    assert found["policy"] == {
        "policy-type": "sts",
        "policy-domain": DOMAIN,
        "policy-string": ["version: STSv1", "mode: enforce", f"mx: {NAME}", "max_age: 604800"],
        "mx-host": [NAME],
    }
    assert found["summary"] == {
        "total-successful-session-count": 0,
        "total-failure-session-count": 1,
    }
    (failure,) = found["failure-details"]
    assert "Hostname mismatch" in failure.pop("failure-reason-code")
    assert failure == {
        "result-type": "certificate-host-mismatch",
        "sending-mta-ip": "127.0.0.1",
        "receiving-mx-hostname": NAME,
        "receiving-ip": "127.0.0.1",
        "failed-session-count": 1,
    }


KINDS = [
    "tlsa-invalid",
    "dnssec-invalid",
    "starttls-not-supported",
    "validation-failure",
    "sts-policy-fetch-error",
]


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_of_failure_is_called_by_its_name(side: Side, kind: str) -> None:
    outside, zone = side.outside, side.outside.zone
    side.wants("mailto:tls@reports.example")
    if kind == "starttls-not-supported":
        await outside.server(1, Manner())
    else:
        await side.server()
    tlsa = f"_{outside.port}._tcp.{NAME}"
    zone.secure = set() if kind.startswith("s") else {DOMAIN}
    match kind:
        case "tlsa-invalid":
            zone.add(tlsa, tlsa=GOOD.tlsa(1))
        case "dnssec-invalid":
            zone.broken[tlsa] = SERVFAIL
        case "validation-failure":
            zone.add(tlsa, tlsa=issue(NAME).tlsa(3))
        case "sts-policy-fetch-error":
            zone.add(f"_mta-sts.{DOMAIN}", txt='"v=STSv1; id=1"')
    await outside.queue(f"a@{DOMAIN}")
    await side.go()
    rows = await outside.house.rows("SELECT failure FROM tls_result")
    assert [json.loads(row[0])["result-type"] for row in rows] == [kind]


async def test_who_asks_for_none_is_not_counted(side: Side) -> None:
    await side.server()
    await side.outside.queue(f"a@{DOMAIN}")
    await side.go()
    assert await side.value("tls_result") == 0


async def test_none_are_made_where_they_are_off(side: Side) -> None:
    side.wants("mailto:tls@reports.example")
    await side.server()
    await side.outside.queue(f"a@{DOMAIN}")
    await side.go(reports=False)
    assert await side.value("tls_result") == 0


async def counted(side: Side) -> None:
    await side.server()
    await side.outside.queue(f"a@{DOMAIN}")
    await side.go()
    assert await side.value("tls_result") == 1


async def test_by_https_it_is_posted(side: Side) -> None:
    side.outside.zone.add("reports.example", a="127.0.0.1")
    side.wants(f"https://reports.example:{side.web.port}/v1/tls?x=1")
    await counted(side)
    assert await side.report() == 1
    ((head, body),) = side.web.requests
    assert head.startswith(b"POST /v1/tls?x=1 HTTP/1.1\r\n")
    assert b"content-type: application/tlsrpt+gzip\r\n" in head.lower()
    assert json.loads(gzip.decompress(body))["policies"][0]["policy"]["policy-domain"] == DOMAIN
    assert (await side.value("tls_result"), await side.value("queue_message")) == (0, 0)


async def test_what_cannot_be_posted_is_tried_again_for_two_days(side: Side) -> None:
    side.outside.zone.add("reports.example", a="127.0.0.1")
    side.wants(f"https://reports.example:{side.web.port}/")
    side.web.status = 503
    await counted(side)
    await side.report()
    row = (await side.outside.house.rows("SELECT attempts, last_error FROM job"))[0]
    assert row[0] == 1
    assert "answered 503" in row[1]
    side.web.status = 201
    side.outside.house.clock.turn(7_200)
    assert await side.again() == 1
    assert (await side.value("tls_result"), await side.value("job")) == (0, 0)


async def test_a_host_that_fails_is_asked_a_few_times_a_day(side: Side) -> None:
    side.outside.zone.add("reports.example", a="127.0.0.1")
    side.wants(f"https://reports.example:{side.web.port}/")
    side.web.status = 503
    await counted(side)
    await side.report()
    assert side.web.asked == 1
    for _ in range(FAILURES + 3):
        side.outside.house.clock.turn(1_300)
        assert await side.again() == 1
    assert side.web.asked == FAILURES
    (error,) = (await side.outside.house.rows("SELECT last_error FROM job"))[0]
    assert "failed 5 times today" in error


async def test_what_is_too_old_is_given_up(side: Side) -> None:
    side.outside.zone.add("reports.example", a="127.0.0.1")
    side.wants(f"https://reports.example:{side.web.port}/")
    side.web.status = 503
    await counted(side)
    await side.report()
    asked = side.web.asked
    side.outside.house.clock.turn(3 * DAY)
    assert await side.again() == 1
    assert (side.web.asked, await side.value("tls_result"), await side.value("job")) == (
        asked,
        0,
        0,
    )


async def test_a_domain_that_does_not_want_them_any_more_gets_none(side: Side) -> None:
    side.wants("mailto:tls@reports.example")
    await counted(side)
    del side.outside.zone.records[f"_smtp._tls.{DOMAIN}", "TXT"]
    side.__post_init__()
    await side.report()
    assert (await side.value("tls_result"), await side.value("queue_message")) == (0, 0)


async def test_whether_they_are_wanted_is_asked_again_where_it_was_not_found_out(
    side: Side,
) -> None:
    side.wants("mailto:tls@reports.example")
    await counted(side)
    side.outside.zone.broken[f"_smtp._tls.{DOMAIN}"] = SERVFAIL
    side.__post_init__()
    await side.report()
    row = (await side.outside.house.rows("SELECT last_error FROM job"))[0]
    assert row[0].startswith(LookupFailed.__name__)
    assert await side.value("tls_result") == 1


async def test_unsigned_none_leaves(side: Side) -> None:
    """RFC 8460 §3 wants them signed."""
    side.wants("mailto:tls@reports.example")
    await counted(side)
    side.signing = False
    await side.report()
    assert (await side.value("tls_result"), await side.value("queue_message")) == (0, 0)


async def test_a_report_that_is_written_twice_leaves_once(side: Side) -> None:
    side.wants("mailto:tls@reports.example", "mailto:b@reports.example")
    await counted(side)
    rows = await side.outside.house.rows("SELECT * FROM tls_result")
    await side.report()
    assert await side.value("queue_message") == 2
    # As after a crash between the mail and the end of the job.
    day, domain, key, policy, failure, sessions = rows[0]
    one = TlsCount(domain=domain, key=key, policy=policy, failure=failure, sessions=sessions)
    await side.outside.house.store.submit(AddTlsResults(day=day, counts=(one,)))
    await side.reporter.due()
    assert await side.again() == 1
    assert await side.value("queue_message") == 2


async def test_for_an_address_of_ours_it_is_filed(side: Side) -> None:
    account = await side.outside.house.account("reports")
    side.wants("mailto:reports@example.org")
    await counted(side)
    await side.report()
    filed = await side.outside.house.rows("SELECT id >> 32 FROM email")
    assert filed == [(account,)]
    assert await side.value("queue_message") == 0


async def test_what_was_counted_before_they_were_turned_off_is_not_sent(side: Side) -> None:
    side.wants("mailto:tls@reports.example")
    await counted(side)
    settings = dataclasses.replace(side.reporter.settings, enabled=False)
    side.reporter.settings = settings
    assert await side.report() == 0
    assert (await side.value("tls_result"), await side.value("queue_message")) == (0, 0)
