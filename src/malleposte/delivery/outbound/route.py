"""What a route of the queue means: the servers that take its mail, in the order they are to be tried.

A route is a domain (A-labels), whose MX records say who takes its mail (RFC 5321 §5.1, RFC 7505); an
address literal; a relay (``relay:host:port``), which the settings know; or ``host:name:port``, a server
that a domain of ours is relayed to. ``opportunistic:domain`` is a domain whose policies of TLS do not count
this time. Domains with the same servers are one ``Way``: they share connections, and a message to several
of them goes in one transaction.
"""

import ipaddress
from dataclasses import dataclass, field

from .resolver import IpAddress, LookupFailed, NoSuchName, Resolver
from .settings import OutboundSettings, RelaySettings
from .words import Trouble, WayFailed

OPENLY = "opportunistic"
"""In front of a domain's route, and as a way's policy: whatever policies want, any TLS will do, or none.
For reports about TLS itself (RFC 8460 §3)."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A server that takes mail. ``addresses``: where they need no look-up."""

    name: str
    port: int
    preference: int = 0
    addresses: tuple[IpAddress, ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """Servers, best first. ``policy``: what tells TLS policies apart; ways of equal servers and equal
    policy are equal, and so one destination."""

    exchanges: tuple[Exchange, ...]
    policy: str = ""
    relay: RelaySettings | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """For people."""
        return self.exchanges[0].name


class Ways:
    """Finds the way of a route."""

    def __init__(self, settings: OutboundSettings, resolver: Resolver) -> None:
        self._settings = settings
        self._resolver = resolver

    async def of(self, route: str, policy: str = "") -> Way:
        """The way of a route. Raises ``WayFailed``."""
        if route.startswith("relay:"):
            return self._relay(route)
        if route.startswith("["):
            return self._literal(route)
        if route.startswith(f"{OPENLY}:"):
            return await self._domain(route.removeprefix(f"{OPENLY}:"), OPENLY)
        if route.startswith("host:"):
            return self._host(route.removeprefix("host:"))
        return await self._domain(route, policy)

    def _relay(self, route: str) -> Way:
        relay = self._settings.relays.get(route)
        if relay is None:
            raise WayFailed(
                Trouble(
                    "4.3.5",
                    f"the relay {route.removeprefix('relay:')} is not configured here: configure it,"
                    " or redirect what is queued for it",
                )
            )
        addresses = _address(relay.host)
        # Rules to one server sign in each for itself, and anew once they were changed.
        which = f"relay {relay.named} {relay.changed_at}" if relay.named else "relay"
        return Way((Exchange(relay.host, relay.port, 0, addresses),), which, relay)

    def _host(self, named: str) -> Way:
        host, _, port = named.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        return Way((Exchange(host, int(port), 0, _address(host)),))

    def _literal(self, route: str) -> Way:
        text = route.removeprefix("[").removesuffix("]")
        addresses = _address(text[5:] if text[:5].lower() == "ipv6:" else text)
        if not addresses:
            raise WayFailed(Trouble("5.1.2", f"{route} is no address of a server", permanent=True))
        return Way((Exchange(route, self._settings.port, 0, addresses),))

    async def _domain(self, domain: str, policy: str) -> Way:
        settings = self._settings
        try:
            records = await self._resolver.mx(domain)
            if not records:
                # RFC 5321 §5.1: the implicit MX, if it has an address.
                if not await self._resolver.addresses(
                    domain, ipv4=settings.ipv4, ipv6=settings.ipv6
                ):
                    raise WayFailed(
                        Trouble(
                            "5.1.2",
                            f"the domain {domain} has no mail server: neither an MX record nor an"
                            " address",
                            permanent=True,
                        )
                    )
                if settings.is_own(domain):
                    raise WayFailed(_circle(domain))
                return Way((Exchange(domain, settings.port),), policy)
        except NoSuchName:
            raise WayFailed(
                Trouble("5.1.2", f"there is no domain {domain}", permanent=True)
            ) from None
        except LookupFailed as error:
            raise WayFailed(Trouble("4.4.3", str(error))) from None
        named = [one for one in records if one.name]
        if not named:
            raise WayFailed(  # RFC 7505
                Trouble(
                    "5.1.10",
                    f"the domain {domain} says that it takes no mail (null MX)",
                    permanent=True,
                )
            )
        own = [one.preference for one in named if settings.is_own(one.name)]
        if own:
            # RFC 5321 §5.1: where we stand in the list ourselves, only better ones may be asked.
            named = [one for one in named if one.preference < min(own)]
            if not named:
                raise WayFailed(_circle(domain))
        return Way(
            tuple(
                Exchange(one.name, settings.port, one.preference, _address(one.name))
                for one in named
            ),
            policy,
        )


def _circle(domain: str) -> Trouble:
    return Trouble(
        "5.4.6",
        f"the mail of {domain} leads back to this server, which does not know the domain: add the"
        " domain here, or change its MX records",
        permanent=True,
    )


def _address(name: str) -> tuple[IpAddress, ...]:
    """An address that stands where a name should; many servers take it, and so do we."""
    try:
        return (ipaddress.ip_address(name),)
    except ValueError:
        return ()
