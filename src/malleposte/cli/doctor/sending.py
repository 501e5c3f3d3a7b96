"""Mail to other servers: whether the resolver answers, and whether it can be believed about DNSSEC."""

import asyncio
from collections.abc import Iterator
from typing import Final

from malleposte.cli.doctor.check import Check, ok, warn, wrong
from malleposte.node.config import Configuration

ASKED: Final = "org"
"""A signed domain that will not go away."""
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
