"""TLS towards other servers: what a domain wants, and exceptions from it until a date."""

import time
from typing import TYPE_CHECKING, Literal

import msgspec

from malleposte.directory.addresses import BadAddressError, normalise_domain
from malleposte.operations.context import Context
from malleposte.operations.errors import accepted, invalid, refusal
from malleposte.operations.exchange import Progress
from malleposte.operations.registry import Request, Response, Subject, operation
from malleposte.policy.audit import Detail
from malleposte.store.commands import SetTlsException
from malleposte.store.read import tls as kept

if TYPE_CHECKING:
    from malleposte.delivery.outbound.tls import TlsPolicy

DAY = 86_400
MOST_DAYS = 366
"""An exception that never ends is a setting that nobody remembers."""
MOST_WHY = 300
MOST_SERVERS = 10
"""Servers of a domain that are looked at: no more are tried for a message either."""

Wants = Literal["dane", "mta-sts", "testing", "tls", "nothing", "exception", "refused"]


class TlsExceptionShown(msgspec.Struct, frozen=True, kw_only=True):
    """``destination``: a recipient's domain, or a server's name. Times in Unix seconds. ``over``: it
    ended."""

    destination: str
    until: int
    why: str
    made_at: int
    made_by: str
    over: bool


class ListExceptions(Request, frozen=True, kw_only=True):
    """All of them, those too that ended within a month."""


class Exceptions(Response, frozen=True, kw_only=True):
    """In the order of their destinations."""

    exceptions: tuple[TlsExceptionShown, ...]


@operation("tls.exceptions", ListExceptions, Exceptions, audit="refused")
async def exceptions(context: Context, request: ListExceptions, progress: Progress) -> Exceptions:
    """List exceptions."""
    rows = await kept.exceptions(context.store.reader)
    return Exceptions(exceptions=tuple(map(_shown, rows)))


def _shown(row: kept.TlsException) -> TlsExceptionShown:
    return TlsExceptionShown(
        destination=row.destination,
        until=row.until,
        why=row.why,
        made_at=row.made_at,
        made_by=row.made_by,
        over=row.until <= time.time(),
    )


class OfDestination(Request, frozen=True, kw_only=True):
    """About one destination."""

    destination: str

    def subject(self) -> Subject:
        """See ``Request``."""
        return Subject("server", self.destination)


class MakeException(OfDestination, frozen=True, kw_only=True):
    """Mail to it leaves for so many days whatever its policies want of TLS."""

    days: int
    why: str = ""

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"days": self.days, "why": self.why}


@operation("tls.except", MakeException, Exceptions)
async def except_(context: Context, request: MakeException, progress: Progress) -> Exceptions:
    """Make an exception. Again: it ends so many days from then."""
    destination = _destination(request.destination)
    if not 1 <= request.days <= MOST_DAYS:
        raise invalid(f"an exception lasts 1 to {MOST_DAYS} days")
    if len(request.why) > MOST_WHY or not request.why.isprintable():
        raise invalid(f"the reason has at most {MOST_WHY} characters, in one line")
    if await context.store.reader.row("SELECT 1 FROM domain WHERE name = $1", destination):
        raise refusal("own-domain", f"{destination} is of this server: its mail does not leave it")
    command = SetTlsException(
        destination=destination,
        until=int(time.time()) + request.days * DAY,
        why=request.why,
        by=context.actor.name,
    )
    accepted(await context.carry_out(command))
    rows = await kept.exceptions(context.store.reader)
    return Exceptions(
        exceptions=tuple(_shown(row) for row in rows if row.destination == destination)
    )


class EndException(OfDestination, frozen=True, kw_only=True):
    """Its policies count again."""


class ExceptionEnded(Response, frozen=True, kw_only=True):
    """It is gone."""

    destination: str


@operation("tls.end", EndException, ExceptionEnded)
async def end(context: Context, request: EndException, progress: Progress) -> ExceptionEnded:
    """End an exception. Again: refused, there is none."""
    destination = _destination(request.destination)
    if not await context.store.reader.row(
        "SELECT 1 FROM tls_exception WHERE destination = $1", destination
    ):
        raise refusal("no-such-exception", f"there is no exception for {destination}")
    accepted(await context.carry_out(SetTlsException(destination=destination)))
    return ExceptionEnded(destination=destination)


class ShowTls(Request, frozen=True, kw_only=True):
    """What a domain wants now, by its DNS and its policy."""

    domain: str


class ServerWants(msgspec.Struct, frozen=True, kw_only=True):
    """One mail server. ``words``: what is wanted, or why nothing is sent there."""

    host: str
    wants: Wants
    words: str


class KeptPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy of MTA-STS as it is kept. Times in Unix seconds; ``failed``: why it could not be fetched
    again, '' for nothing."""

    mode: str
    hosts: tuple[str, ...]
    fetched_at: int
    expires_at: int
    failed: str


class TlsShown(Response, frozen=True, kw_only=True):
    """``validating``: whether DANE is on, and a resolver on this machine's loopback is asked, which
    it needs.
    ``policy``: of MTA-STS, None for none; ``reports``: where the domain wants reports."""

    domain: str
    validating: bool
    servers: tuple[ServerWants, ...]
    policy: KeptPolicy | None
    reports: tuple[str, ...]


@operation("tls.show", ShowTls, TlsShown, audit="refused")
async def show(context: Context, request: ShowTls, progress: Progress) -> TlsShown:
    """Look now; what is fetched is kept as if mail had been sent."""
    # DNS and certificates take their time to load, which other operations need not wait for.
    from malleposte.delivery.outbound.resolver import LookupFailed, Resolver
    from malleposte.delivery.outbound.route import Ways
    from malleposte.delivery.outbound.settings import OutboundSettings
    from malleposte.delivery.outbound.words import WayFailed
    from malleposte.delivery.tls_policies import PolicySettings, TlsPolicies
    from malleposte.delivery.tls_reports.rua import addresses_of
    from malleposte.operations.zone.asking import dns_settings

    domain = _destination(request.domain)
    resolver = Resolver(dns_settings(context.settings))
    wanted = PolicySettings(dane=context.settings.dane, mta_sts=context.settings.mta_sts)
    policies = TlsPolicies(context.store, resolver, wanted)
    servers = []
    try:
        way = await Ways(OutboundSettings(hello=context.settings.hostname), resolver).of(domain)
        group = await policies.group(domain)
        for exchange in way.exchanges[:MOST_SERVERS]:
            wants, words = _wants(await policies.of(group, exchange))
            servers.append(ServerWants(host=exchange.name, wants=wants, words=words))
    except WayFailed as failure:
        raise refusal("no-way", failure.trouble.words) from None
    try:
        found = await resolver.look_up(f"_smtp._tls.{domain}", "TXT")
        reports = addresses_of([str(one) for one in found.values or ()])
    except LookupFailed:
        reports = ()
    return TlsShown(
        domain=domain,
        validating=resolver.validating and wanted.dane,
        servers=tuple(servers),
        policy=_policy(await kept.sts_policy(context.store.reader, domain)),
        reports=reports,
    )


def _policy(row: kept.KeptPolicy | None) -> KeptPolicy | None:
    from malleposte.delivery.tls_policies.sts_policy import BadPolicy, read_policy

    if row is None or row.expires_at <= time.time():
        return None
    try:
        policy = read_policy(row.policy.encode())
    except BadPolicy:
        return None
    return KeptPolicy(
        mode=policy.mode,
        hosts=policy.hosts,
        fetched_at=row.fetched_at,
        expires_at=row.expires_at,
        failed=row.failed,
    )


def _wants(policy: "TlsPolicy") -> tuple[Wants, str]:
    if policy.refuse:
        return "refused", policy.refuse
    if policy.note and not policy.demanded:
        return "exception", f"any TLS, or none: {policy.note}"
    if policy.check is not None:
        return "dane", f"TLS with a certificate that the TLSA records of {policy.name} name"
    if policy.demanded and policy.verified:
        return "mta-sts", f"TLS with a certificate for {policy.name} ({policy.source})"
    if policy.demanded:
        return "tls", f"TLS, any certificate: {policy.note}"
    if policy.tested:
        return "testing", f"as if nothing were wanted: {policy.source} is in testing"
    return "nothing", policy.failed or "any TLS, or none"


def _destination(name: str) -> str:
    try:
        return normalise_domain(name.strip())
    except BadAddressError as error:
        raise invalid(str(error)) from None
