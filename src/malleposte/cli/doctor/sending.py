"""Mail to other servers: whether the resolver answers, whether it can be believed about DNSSEC, and whether
mail can leave by IPv6."""

import asyncio
import datetime
import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from malleposte.cli.caller import Caller
from malleposte.cli.doctor.check import Check, ok, warn, wrong
from malleposte.node.config import Configuration
from malleposte.operations.tls import Exceptions, ListExceptions

if TYPE_CHECKING:
    from malleposte.delivery.outbound.resolver import Resolver

ASKED: Final = "org"
"""A signed domain that will not go away."""
ANYBODY: Final = ipaddress.ip_address("2000::1")
"""A public address: by the way to it mail leaves; nothing is sent there."""
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
