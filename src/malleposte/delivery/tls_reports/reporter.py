"""Writes the reports of a day that is over and sends them where each domain wants them (RFC 8460).

``due`` puts a job for each domain into the store, at times of their own, so that not all reports of the
world leave at midnight; ``run`` runs one. By mail a report leaves signed, or not at all (RFC 8460 §3), and
on a route for which no policy of TLS counts: what it tells of may be that TLS does not work there. That
mail is not counted itself, or two servers would report to each other for ever.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec
import structlog

from malleposte.delivery.outbound.resolver import LookupFailed, NoSuchName, Resolver
from malleposte.delivery.outbound.route import OPENLY
from malleposte.delivery.outbound.settings import IpNetwork
from malleposte.delivery.signing.canonical import BodyHash
from malleposte.delivery.spool import Spool, prepare
from malleposte.delivery.trace_header import return_path
from malleposte.directory.book import Book
from malleposte.directory.resolution import Found
from malleposte.egress.fetch import post
from malleposte.egress.settings import EgressError, EgressPolicy
from malleposte.store import Store
from malleposte.store.commands import (
    AddJob,
    Deliver,
    DropTlsResults,
    Filing,
    Handing,
    Relay,
    SweepTls,
)
from malleposte.store.read import tls as kept
from malleposte.store.results import LeasedJob

from .bounds import Bounds
from .report import MEDIA, Report
from .rua import addresses_of

log = structlog.get_logger("tls-reports")

TLS_REPORT_JOB: Final = "tls-report"
"""Kind of the job that sends one report."""
DAY: Final = 86_400
SPREAD: Final = 4 * 3_600
"""Seconds from then within which reports leave."""
SETTLED: Final = 600
"""Seconds after midnight until all workers have told the store of the day."""
MOST_DOMAINS: Final = 5_000
"""Reports of a day."""
KEPT: Final = 2
"""Days after which what could not be reported is given up (RFC 8460 §5.4 has 24 hours)."""
SECONDS: Final = 10.0
"""For a report to be taken by HTTPS: other reports wait for it."""
LIFETIME: Final = 2 * DAY
"""Seconds for which the mail is tried."""
_WRITTEN: Final = "SELECT 1 FROM trace WHERE id = $1 AND message_id = $2"

Sign = Callable[[str, bytes, bytes, int], Awaitable[bytes]]
"""Signs a header for a domain, with the digest of the body and the time: ``signing.signer.Signer.sign``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporterSettings:
    """``enabled``: whether reports are sent at all. ``route_of``: the way to a recipient, as
    ``Routing.route_of``. ``ports``: of servers that take
    reports by HTTPS; ``authorities`` and ``allowed`` as in ``tls_policies.StsSettings``."""

    hostname: str
    route_of: Callable[[str, str], str]
    enabled: bool = True
    ports: frozenset[int] = field(default_factory=lambda: frozenset({443}))
    authorities: Path | None = None
    allowed: tuple[IpNetwork, ...] = ()


class TlsReporter:
    """See the module. ``signs``: whether mail of a domain is signed now. ``clock``: seconds of the Unix
    epoch."""

    def __init__(
        self,
        store: Store,
        book: Book,
        resolver: Resolver,
        signs: Callable[[str], Awaitable[bool]],
        sign: Sign,
        settings: ReporterSettings,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._book = book
        self._resolver = resolver
        self._signs = signs
        self._sign = sign
        self.settings = settings
        self._clock = clock
        self._bounds = Bounds(clock)

    async def due(self) -> int:
        """Have jobs for what is to be reported, and forget what is too old; how many jobs there are."""
        now = int(self._clock())
        today = now // DAY
        enabled = self.settings.enabled
        await self._store.submit(SweepTls(before=today - KEPT if enabled else today + 1))
        if not enabled:
            return 0
        found = await kept.reported_domains(self._store.reader, before=today, limit=MOST_DOMAINS)
        for day, domain in found:
            digest = blake2b(f"{day}:{domain}".encode(), digest_size=4).digest()
            at = (day + 1) * DAY + SETTLED + int.from_bytes(digest, "big") % SPREAD
            payload = msgspec.msgpack.encode((day, domain))
            await self._store.submit(
                AddJob(kind=TLS_REPORT_JOB, key=f"{day}:{domain}", payload=payload, run_at=at)
            )
        return len(found)

    async def run(self, leased: LeasedJob) -> None:
        """Send a report. Raises what keeps it from being sent now."""
        day, domain = msgspec.msgpack.decode(leased.payload, type=tuple[int, str])
        results = await kept.results(self._store.reader, day, domain)
        if not results or not self.settings.enabled:
            return  # sent already, or too old
        if self._clock() > (day + 1 + KEPT) * DAY:
            log.warning("a report is given up", domain=domain, reason="it is too old")
        else:
            await self._send(day, domain, results)
        await self._store.submit(DropTlsResults(day=day, domain=domain))

    async def _send(self, day: int, domain: str, results: list[kept.TlsResult]) -> None:
        found = await self._resolver.look_up(f"_smtp._tls.{domain}", "TXT")
        wanted = addresses_of([str(one) for one in found.values or ()])
        if not wanted:
            return  # nobody wants it any more
        submitter = await self._submitter()
        if submitter is None:
            log.warning(
                "TLS reports are not sent",
                reason="no domain of this server signs its mail",
                remedy="malleposte domain dkim DOMAIN --new",
            )
            return
        report = Report(day, domain, submitter, submitter, f"postmaster@{submitter}", results)
        for one in sorted(wanted, key=lambda uri: uri.startswith("mailto:")):
            if not self._bounds.may(one):
                log.warning(
                    "a report is not sent", domain=domain, to=one, reason="too many go there today"
                )
            elif one.startswith("https:"):
                await self._post(one, report)
            else:
                await self._mail(one.removeprefix("mailto:"), report)

    async def _submitter(self) -> str | None:
        """The domain that reports: one that signs, this server's own before others."""
        rows = await self._store.reader.rows("SELECT name FROM domain ORDER BY id LIMIT 100")
        host = self.settings.hostname.lower()
        names = sorted(
            (row[0] for row in rows), key=lambda name: not f".{host}".endswith(f".{name}")
        )
        for name in names:
            if await self._signs(name):
                return str(name)
        return None

    async def _post(self, url: str, report: Report) -> None:
        settings = self.settings
        policy = EgressPolicy(
            allowed=settings.allowed,
            ports=settings.ports,
            plain_http=False,
            max_body=65_536,
            total_timeout=SECONDS,
            authorities=settings.authorities,
        )
        try:
            response = await post(url, report.octets, MEDIA, policy, resolver=self._addresses)
            if not 200 <= response.status < 300:
                raise EgressError("protocol", f"{url} answered {response.status}")
        except EgressError:
            self._bounds.failed(url)
            raise
        self._bounds.took(url)
        log.info("tls_report_sent", domain=report.domain, to=url, report=report.identity)

    async def _addresses(self, host: str, port: int) -> list[str]:
        try:
            return [str(one) for one in await self._resolver.addresses(host)]
        except (LookupFailed, NoSuchName) as error:
            raise OSError(str(error)) from error

    async def _mail(self, address: str, report: Report) -> None:
        octets = report.mail(address)
        digest = blake2b(f"{report.identity}\n{address}".encode(), digest_size=4).digest()
        number = (report.day + 1) * DAY << 31 | int.from_bytes(digest, "big") & 0x7FFFFFFF
        if await self._store.reader.row(_WRITTEN, number, report.identity):
            return
        header, _, body = octets.partition(b"\r\n\r\n")
        hashed = BodyHash()
        hashed.add(body)
        signatures = await self._sign(
            report.submitter, header + b"\r\n\r\n", hashed.digest(), int(self._clock())
        )
        if not signatures:
            raise RuntimeError(f"the keys of {report.submitter} do not sign at the moment")
        self._bounds.took(f"mailto:{address}")
        local, _, domain = address.rpartition("@")
        resolution = await self._book.resolve(local, domain)
        ours = resolution.found is not Found.NOT_OURS
        accounts = resolution.accounts if ours else ()
        if ours and not accounts:
            return
        spool = Spool(self._store.incoming)
        spool.write(octets)
        try:
            message = await prepare(spool)
        finally:
            spool.close()
        try:
            await self._store.submit(
                Deliver(
                    content=message.content,
                    rendered=message.rendered,
                    filings=tuple(
                        Filing(account=one, prefix=return_path("") + signatures) for one in accounts
                    ),
                    received_at=int(self._clock()),
                    direction="local" if ours else "out",
                    trace_id=number,
                    trace=_record(address, len(octets)),
                    handings=() if ours else (await self._handing(address, signatures),),
                ),
                message.descriptor,
            )
        finally:
            message.close()
        log.info("tls_report_sent", domain=report.domain, to=address, report=report.identity)

    async def _handing(self, address: str, signatures: bytes) -> Handing:
        domain = address.rpartition("@")[2].lower()
        route = self.settings.route_of(address, "")
        if route == domain:
            route = f"{OPENLY}:{domain}"
        row = await self._store.reader.row("SELECT min(id) FROM organisation")
        return Handing(
            organisation=row[0] if row and row[0] else 0,
            account=0,
            sender="",  # nobody is to be told that it could not be delivered
            relays=(Relay(address=address, route=route, notify="NEVER"),),
            expires_at=int(self._clock()) + LIFETIME,
            prefix=signatures,
        )


def _record(address: str, size: int) -> bytes:
    """As the record of a message that came in, as far as it applies."""
    return msgspec.msgpack.encode(
        {
            "peer": "",
            "hello": "",
            "with": "report",
            "tls": "",
            "login": "",
            "size": size,
            "ret": "",
            "envid": "",
            "to": [(address, (), "NEVER", "")],
            "about": 0,
        }
    )
