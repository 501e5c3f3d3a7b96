"""What sends, made of the configuration: settings, routes, and the dispatcher of a worker."""

import functools
import ipaddress
from collections.abc import Callable

from malleposte.delivery import reports
from malleposte.delivery.author_policy import AuthorPolicies
from malleposte.delivery.leaving import Sending
from malleposte.delivery.outbound import (
    Dispatcher,
    DnsSettings,
    OutboundSettings,
    RelaySettings,
    Resolver,
    Routing,
    rerouting,
)
from malleposte.delivery.outbound.relays import Relays
from malleposte.delivery.outbound.settings import Concurrency, Schedule
from malleposte.delivery.rewriting import Rewriter
from malleposte.delivery.signing.lookup import LiveRecords
from malleposte.delivery.signing.published import Published
from malleposte.delivery.signing.signer import Signer, Unsigned
from malleposte.delivery.tls_policies import PolicySettings, StsSettings, TlsPolicies
from malleposte.delivery.tls_reports.reporter import ReporterSettings, TlsReporter
from malleposte.directory.book import Book
from malleposte.node.config import Configuration
from malleposte.node.config_sending import server_of
from malleposte.node.settings import hostname, key_ring, send_limits
from malleposte.secrets.redaction import Secret
from malleposte.store import Store

SUBMISSION = 587


def smart_host(configuration: Configuration) -> RelaySettings | None:
    """The server that all mail goes to, if there is one."""
    wanted = configuration.sending
    if not wanted.smart_host:
        return None
    host, port = server_of(wanted.smart_host, SUBMISSION)
    return RelaySettings(
        host=host,
        port=port,
        implicit=wanted.smart_host_tls == "implicit",
        tls=wanted.smart_host_tls != "none",
        user=wanted.smart_host_user,
        password=wanted.smart_host_password or Secret(""),
    )


def routing(configuration: Configuration) -> Routing:
    """Which way mail goes."""
    relay = smart_host(configuration)
    return Routing(smart_host=relay.route if relay is not None else "")


def relays(configuration: Configuration) -> Relays:
    """The smart host, and the relays that the store has; one for a process, which keeps it up to date."""
    return Relays(smart_host(configuration), lambda: key_ring(configuration))


async def reroute(store: Store, configuration: Configuration) -> None:
    """For upkeep: what is queued goes by the routing of today."""
    found = relays(configuration)
    await found.refresh(store.reader)
    await rerouting.reroute(store, found.routing)


def outbound_settings(
    configuration: Configuration, known: Relays | None = None
) -> OutboundSettings:
    """For ``delivery.outbound``."""
    wanted = configuration.sending
    by_route = (known or relays(configuration)).by_route
    return OutboundSettings(
        hello=hostname(configuration),
        port=wanted.port,
        ipv4=wanted.ipv4,
        ipv6=wanted.ipv6,
        source_ipv4=wanted.source_ipv4,
        source_ipv6=wanted.source_ipv6,
        allowed=tuple(ipaddress.ip_network(one) for one in wanted.networks.split()),
        relays=by_route,
        concurrency=Concurrency(most=wanted.connections, each=wanted.connections_each),
        schedule=Schedule(lifetime=wanted.lifetime),
    )


def dns_settings(configuration: Configuration) -> DnsSettings:
    """For ``delivery.outbound.Resolver``."""
    wanted = configuration.sending
    return DnsSettings(servers=tuple(wanted.resolvers.split()), port=wanted.resolver_port)


def reporter_settings(configuration: Configuration) -> reports.ReporterSettings:
    """For ``delivery.reports``."""
    return reports.ReporterSettings(
        hostname=hostname(configuration),
        route_of=routing(configuration).route_of,
        lifetime=configuration.sending.lifetime,
        srs=rewriter(configuration),
    )


def policy_settings(configuration: Configuration) -> PolicySettings:
    """For ``delivery.tls_policies``."""
    wanted = configuration.sending
    return PolicySettings(
        dane=wanted.dane,
        mta_sts=wanted.mta_sts,
        reports=wanted.tls_reports,
        sts=StsSettings(allowed=outbound_settings(configuration).allowed),
    )


def dispatcher(
    store: Store, configuration: Configuration, known: Relays | None = None
) -> Dispatcher | None:
    """A worker's, where sending is on."""
    known = known or relays(configuration)
    if not configuration.sending.enabled:
        return None
    resolver = Resolver(dns_settings(configuration))
    return Dispatcher(
        store,
        outbound_settings(configuration, known),
        resolver,
        routing=known.routing,
        policies=TlsPolicies(store, resolver, policy_settings(configuration)),
        reporting=reports.reporting,
    )


def tls_policies(store: Store, configuration: Configuration) -> TlsPolicies:
    """For upkeep: policies are fetched again before they end."""
    resolver = Resolver(dns_settings(configuration))
    return TlsPolicies(store, resolver, policy_settings(configuration))


def tls_reporter(store: Store, book: Book, configuration: Configuration) -> TlsReporter:
    """For ``delivery.tls_reports``."""
    records = LiveRecords(dns_settings(configuration))
    signer = Signer(store.reader, lambda: key_ring(configuration), Published(records), records)

    async def signs(domain: str) -> bool:
        return bool((await signer.chosen(domain)).keys)

    return TlsReporter(
        store,
        book,
        Resolver(dns_settings(configuration)),
        signs,
        signer.sign,
        ReporterSettings(
            hostname=hostname(configuration),
            route_of=routing(configuration).route_of,
            enabled=configuration.sending.tls_reports,
            allowed=outbound_settings(configuration).allowed,
        ),
    )


def sending(
    store: Store,
    configuration: Configuration,
    queued: Callable[[], None] | None,
    unsigned: Unsigned,
    known: Relays | None = None,
) -> Sending | None:
    """For ``delivery.receive``; ``queued``: the dispatcher's ``wake``, None where nothing is sent;
    ``unsigned`` is told of each message of a signing domain that leaves without a signature."""
    if queued is None:
        return None
    records = LiveRecords(dns_settings(configuration))
    signer = Signer(
        store.reader,
        lambda: key_ring(configuration),
        Published(records),
        records,
        unsigned=unsigned,
    )
    return Sending(
        (known or relays(configuration)).routing,
        configuration.sending.lifetime,
        queued,
        signer.sign,
        functools.partial(signer.seal, hostname(configuration)),
        AuthorPolicies(records).strict,
        rewriter(configuration),
        send_limits(configuration),
        signer.concerns,
    )


def rewriter(configuration: Configuration) -> Rewriter:
    """What rewrites senders of forwarded mail."""
    return Rewriter(lambda: key_ring(configuration))
