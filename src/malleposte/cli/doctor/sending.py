"""Mail to other servers: whether the resolver answers, whether it can be believed about DNSSEC, and whether
mail can leave by IPv6."""

import asyncio
import datetime
import ipaddress
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from malleposte.cli.caller import Caller
from malleposte.cli.doctor.check import Check, ok, warn, wrong
from malleposte.node.config import Configuration
from malleposte.operations.queue import ListQueue, QueuePage
from malleposte.operations.relays import ListRelays, Relays, RelayTested, TestRelay
from malleposte.operations.tls import Exceptions, ListExceptions

if TYPE_CHECKING:
    from malleposte.delivery.outbound.resolver import Resolver

ASKED: Final = "org"
"""A signed domain that will not go away."""
ANYBODY: Final = ipaddress.ip_address("2000::1")
"""A public address: by the way to it mail leaves; nothing is sent there."""
OLD: Final = 86_400
"""Seconds after which waiting mail is told of."""
TRIED: Final = 5
"""Relays that are connected to."""
SHOWN: Final = 5
"""Exceptions that are named."""
REMEDY: Final = (
    "install a validating resolver (`apt install unbound`) and put `nameserver 127.0.0.1` first and alone"
    " into /etc/resolv.conf, or set sending.resolvers to 127.0.0.1"
)


def checks(configuration: Configuration) -> Iterator[Check]:
    """Everything about sending."""
    if configuration.sending.enabled:
        yield from asyncio.run(_asked(configuration))


async def _asked(configuration: Configuration) -> list[Check]:
    # The DNS takes a tenth of a second to load.
    from malleposte.delivery.outbound.addresses import Addresses
    from malleposte.delivery.outbound.resolver import Resolver
    from malleposte.node.outbound import dns_settings, outbound_settings

    resolver = Resolver(dns_settings(configuration))
    found = [await _resolver(configuration, resolver)]
    wanted = configuration.sending
    if wanted.ipv6 and not wanted.smart_host and found[0].state != "wrong":
        addresses = Addresses(outbound_settings(configuration), resolver)
        if why := await addresses.nameless(ANYBODY):
            remedy = (
                "have its provider set the PTR record to this server's name, whose AAAA record leads back;"
                " or set sending.ipv6 to false"
            )
            found.append(warn("ipv6", f"nothing is sent by IPv6: {why}", remedy))
    return found


async def _resolver(configuration: Configuration, resolver: "Resolver") -> Check:
    from malleposte.delivery.outbound.resolver import LookupFailed

    try:
        found = await resolver.look_up(ASKED, "SOA")
    except LookupFailed as error:
        return wrong(
            "resolver",
            f"{error}: no mail can leave",
            "look at /etc/resolv.conf or sending.resolvers, and at what is run there",
        )
    if not configuration.sending.dane:
        return ok("resolver", "it answers; DANE is turned off (sending.dane)")
    if not resolver.validating:
        return warn(
            "resolver",
            "it answers, but is not on this machine's loopback: what it says of DNSSEC is not believed,"
            " and DANE is off",
            REMEDY,
        )
    if not found.secure:
        return warn(
            "resolver",
            "it answers on this machine's loopback, but does not validate: DANE is off",
            REMEDY,
        )
    return ok("resolver", "it answers on this machine's loopback and validates: DANE is on")


async def queue(caller: Caller) -> list[Check]:
    """What rests, is held, or has waited for long; and whether the relays take our mail."""
    page = await caller.call("queue.list", ListQueue(limit=1), QueuePage)
    found = []
    if page.rests and page.waiting:
        found.append(
            warn(
                "queue",
                f"mail rests in the queue ({_copies(page.waiting)}): this server does not send",
                "set sending.enabled to true, or see `malleposte queue list`",
            )
        )
    if page.held:
        found.append(
            warn(
                "held mail",
                f"{_copies(page.held)} held until somebody releases them",
                "`malleposte queue list --held`, then `malleposte queue release` or `remove`",
            )
        )
    age = time.time() - page.oldest
    if page.oldest and age > OLD and not page.rests:
        found.append(
            warn(
                "old mail",
                f"the oldest message in the queue is {age / 3_600:.0f} hours old",
                "`malleposte queue list` says why, `malleposte queue show MESSAGE` what to do",
            )
        )
    if not found:
        found.append(ok("queue", f"{_copies(page.waiting)} on their way, nothing is held"))
    return found


def _copies(count: int) -> str:
    return f"{count:,} {'recipient' if count == 1 else 'recipients'}"


async def relays(caller: Caller) -> list[Check]:
    """Which servers mail goes by, and whether they take us; nothing is sent."""
    kept = (await caller.call("relay.list", ListRelays(), Relays)).relays
    found = []
    for one in [relay for relay in kept if relay.host][:TRIED]:
        named = f"mail {one.kind} {one.name}" if one.kind else "all other mail"
        request = TestRelay(
            to=one.name if one.kind == "to" else "", sender=one.name if one.kind == "from" else ""
        )
        tried = await caller.call("relay.test", request, RelayTested)
        words = f"{named} goes by {one.host}:{one.port}"
        if tried.works:
            found.append(ok("relay", words))
        else:
            remedy = "`malleposte relay set`, or sending.smart_host; then `malleposte relay test`"
            found.append(wrong("relay", f"{words}, which does not work: {tried.words}", remedy))
    return found


async def exceptions(caller: Caller) -> list[Check]:
    """What goes though its policies would not have it: so that nobody forgets it."""
    found = await caller.call("tls.exceptions", ListExceptions(), Exceptions)
    named = [
        f"{one.destination} until {datetime.datetime.fromtimestamp(one.until).astimezone():%Y-%m-%d}"
        for one in found.exceptions
        if not one.over
    ]
    if not named:
        return []
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    return [
        warn(
            "tls exceptions",
            f"mail goes by any TLS, or none, to {', '.join(named[:SHOWN])}{more}",
            "`malleposte tls end DESTINATION` once their servers are right",
        )
    ]
