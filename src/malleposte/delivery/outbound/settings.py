"""What an operator decides about sending; frozen, handed down by who reads the configuration."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from malleposte.secrets.redaction import Secret

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

LEASE: Final = 900
"""Seconds for which recipients are taken: what a crash leaves is tried again after that."""
TRANSACTION: Final = 660
"""Seconds of a lease that must be left when a message's turn comes, connecting included. RFC 5321
§4.5.3.2.6 wants ten minutes for the answer to the content alone: who gives up earlier sends twice
(RFC 1047)."""
MARGIN: Final = 30
"""Seconds of a lease at its end in which nothing is sent any more: time to record what became of it."""


HERE: Final = "here:"
"""The route of recipients of this server whose mail is to wait (RFC 4865); no domain is named so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds for each step of a conversation. RFC 5321 §4.5.3.2 has five minutes for most: servers that
    let one wait so long for a greeting are no more, and who waits holds a connection and a lease."""

    connect: float = 30.0
    """For each address."""
    opening: float = 200.0
    """For all addresses of a route together, until one takes mail."""
    greeting: float = 120.0
    hello: float = 60.0
    handshake: float = 30.0
    sign_in: float = 60.0
    mail: float = 300.0
    rcpt: float = 300.0
    data: float = 120.0
    block: float = 180.0
    """For a piece of content to leave."""
    content: float = 600.0
    """For the answer to the content, within what is left of the lease."""
    goodbye: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """A server that all mail of a route goes to. Its certificate is checked unless ``verify`` is off;
    with ``tls`` off nothing is encrypted, and nobody signs in beyond loopback."""

    host: str
    port: int = 587
    implicit: bool = False
    """TLS from the first octet (465)."""
    tls: bool = True
    verify: bool = True
    user: str = ""
    password: Secret[str] = field(default_factory=lambda: Secret(""))
    named: str = ""
    """Its name in the queue where that is not ``relay:host:port``."""
    changed_at: int = 0
    """Tells it from what it was before a change."""

    @property
    def route(self) -> str:
        """The name of this relay in the queue."""
        return self.named or relay_route(self.host, self.port)


def relay_route(host: str, port: int) -> str:
    """``relay:host:port``; an IPv6 address stands in brackets."""
    return f"relay:[{host}]:{port}" if ":" in host else f"relay:{host.lower()}:{port}"


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Which way mail goes, decided when it is queued. Keys in lower case, domains as A-labels; values are
    routes: a domain, or ``RelaySettings.route``. '' stands for the domain's own servers."""

    domains: Mapping[str, str] = field(default_factory=_nothing)
    """By the recipient's domain."""
    senders: Mapping[str, str] = field(default_factory=_nothing)
    """By the sender's address, or its domain."""
    smart_host: str = ""
    """For all the rest."""

    def route_of(self, recipient: str, sender: str) -> str:
        """The route of a recipient; the recipient's domain counts more than who sends."""
        domain = _domain(recipient)
        if domain in self.domains:
            return self.domains[domain] or domain
        for key in (sender.lower(), _domain(sender)):
            if key and key in self.senders:
                return self.senders[key] or domain
        return self.smart_host or domain


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """Connections, of one worker."""

    most: int = 200
    """To everybody."""
    first: int = 5
    """To one destination at first; one more when each has had a message taken, half with a failure."""
    each: int = 20
    """To one destination at most."""
    messages: int = 100
    """Over one connection."""
    seconds: float = 300.0
    """Of one connection's life."""
    idle: float = 5.0
    """Seconds a connection is kept for the next message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When to try again, in seconds."""

    first: int = 300
    """After the first try: greylisting asks for some five minutes."""
    last: int = 4 * 3_600
    """Between two tries at most."""
    full: int = 1_800
    """The first pause where a mailbox is full."""
    way: int = 120
    """The first pause of a route whose way failed; doubles with each failure."""
    way_last: int = 3_600
    warn: int = 4 * 3_600
    """Age at which a sender is told that it takes long."""
    lifetime: int = 5 * 86_400
    """Between a message's being due first and its expiry, as whoever queues it counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundSettings:
    """All of it. ``hello``: our name in EHLO."""

    hello: str
    own_names: frozenset[str] = frozenset()
    """Names of this server in MX records besides ``hello``: mail never goes to itself."""
    port: int = 25
    ipv4: bool = True
    ipv6: bool = True
    source_ipv4: str = ""
    source_ipv6: str = ""
    allowed: tuple[IpNetwork, ...] = ()
    """Networks that MX records may lead to though they are this machine's or its link's own."""
    authorities: str = ""
    """PEM file of authorities for certificates that are checked; '' those of the system."""
    relays: Mapping[str, RelaySettings] = field(default_factory=lambda: MappingProxyType({}))
    """By their route; may change while it runs (``relays.Relays``)."""
    timeouts: Timeouts = field(default_factory=Timeouts)
    concurrency: Concurrency = field(default_factory=Concurrency)
    schedule: Schedule = field(default_factory=Schedule)
    recipients: int = 100
    """In one transaction: the least that every server takes (RFC 5321 §4.5.3.1.8)."""
    ahead: int = 200
    """Recipients of one route that are taken at a time."""
    in_hand: int = 4_000
    """Recipients under lease together, at most."""
    plain_after_failure: float = 3_600.0
    """Seconds for which a server whose TLS failed is spoken to without, where no policy forbids it."""

    def is_own(self, name: str) -> bool:
        """Whether a name in MX records is this server."""
        return name == self.hello.lower() or name in self.own_names
