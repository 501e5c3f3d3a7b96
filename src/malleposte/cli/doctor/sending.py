"""Mail to other servers: whether the resolver answers, and whether it can be believed about DNSSEC."""

import asyncio
import datetime
from collections.abc import Iterator
from typing import Final

from malleposte.cli.caller import Caller
from malleposte.cli.doctor.check import Check, ok, warn, wrong
from malleposte.node.config import Configuration
from malleposte.operations.tls import Exceptions, ListExceptions

ASKED: Final = "org"
"""A signed domain that will not go away."""
SHOWN: Final = 5
"""Exceptions that are named."""
REMEDY: Final = (
    "install a validating resolver (`apt install unbound`) and put `nameserver 127.0.0.1` first and alone"
    " into /etc/resolv.conf, or set sending.resolvers to 127.0.0.1"
)


def checks(configuration: Configuration) -> Iterator[Check]:
    """Everything about sending."""
    if configuration.sending.enabled:
        yield asyncio.run(_resolver(configuration))


async def _resolver(configuration: Configuration) -> Check:
    # The DNS takes a tenth of a second to load.
    from malleposte.delivery.outbound.resolver import LookupFailed, Resolver
    from malleposte.node.outbound import dns_settings

    resolver = Resolver(dns_settings(configuration))
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
