"""The addresses of a server that mail may go to.

IPv6 is used only where the DNS has a name for our own address, which leads back to it: without, hardly
anybody takes mail by IPv6, and some refuse it for good what they would have taken by IPv4. That holds for
public addresses; what is within a company asks for no names. Where it cannot be found out, IPv4 goes as
well.
"""

import ipaddress
import socket
import time
from collections.abc import Sequence
from typing import Final

from malleposte.egress.addresses import bare_address, why_refused

from .resolver import IpAddress, LookupFailed, NoSuchName, Resolver
from .route import Exchange
from .settings import OutboundSettings
from .words import Trouble, WayFailed

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""Behind it is IPv4 (RFC 6052 §2.1)."""
UNKNOWN_FOR: Final = 60.0
"""Seconds until our name is asked for again where that failed: mail does not wait for it each time."""
_MOST_NAMES: Final = 3
"""Names of our address that are looked at."""


class Addresses:
    """See the module."""

    def __init__(self, settings: OutboundSettings, resolver: Resolver) -> None:
        self._settings = settings
        self._resolver = resolver
        self._unknown: dict[IpAddress, tuple[float, str]] = {}

    async def of(self, exchange: Exchange, *, relay: bool) -> Sequence[IpAddress]:
        """Where a server is reached, in the order they are to be tried; ``relay``: it is one of our
        configuration. Raises ``WayFailed``."""
        settings = self._settings
        addresses: Sequence[IpAddress] = exchange.addresses
        if not addresses:
            try:
                addresses = await self._resolver.addresses(
                    exchange.name, ipv4=settings.ipv4, ipv6=settings.ipv6
                )
            except NoSuchName:
                words = f"the mail server {exchange.name} does not exist (no such name)"
                raise WayFailed(Trouble("4.4.4", words, host=exchange.name)) from None
            except LookupFailed as error:
                raise WayFailed(Trouble("4.4.3", str(error), host=exchange.name)) from None
        wanted = [one for one in addresses if settings.ipv4 or one.version == 6]
        wanted = [one for one in wanted if settings.ipv6 or one.version == 4]
        why = f"the mail server {exchange.name} has no address"
        if not relay:
            usable = []
            for address in wanted:
                if nameless := await self.nameless(address):
                    why = (
                        f"the mail server {exchange.name} is reached by IPv6 alone, and {nameless}"
                    )
                else:
                    usable.append(address)
            wanted = usable
        if not wanted:
            raise WayFailed(Trouble("4.4.4", why, host=exchange.name))
        return wanted

    async def nameless(self, address: IpAddress) -> str:
        """Why no mail goes to an IPv6 address from ours, '' if it may."""
        if address.version == 4 or address in _NAT64 or why_refused(address) is not None:
            return ""
        source = self._settings.source_ipv6 or chosen(address, self._settings.port)
        if not source or why_refused(own := ipaddress.ip_address(source)) is not None:
            return ""
        until, why = self._unknown.get(own, (0.0, ""))
        if time.monotonic() < until:
            return why
        try:
            return await self._nameless(own)
        except LookupFailed as error:
            why = f"our address {own} may have no name: {error}"
            self._unknown[own] = (time.monotonic() + UNKNOWN_FOR, why)
            return why

    async def _nameless(self, own: IpAddress) -> str:
        names = (await self._resolver.look_up(own.reverse_pointer, "PTR")).values or ()
        for name in names[:_MOST_NAMES]:
            found = (await self._resolver.look_up(str(name), "AAAA")).values or ()
            if own in found:
                return ""
        if not names:
            return f"our address {own} has no PTR record"
        return f"the name of our address {own}, {names[0]}, does not lead back to it"

    def forbidden(self, address: IpAddress) -> str:
        """Why MX records may not lead to an address, '' if they may. Private networks are left to who
        runs them: a company's own resolver names them."""
        bare = bare_address(address)
        if any(bare.version == net.version and bare in net for net in self._settings.allowed):
            return ""
        if bare.is_loopback or bare.is_unspecified:
            return "this machine"
        if (
            bare.is_multicast
            or bare.is_link_local
            or bare == ipaddress.IPv4Address("255.255.255.255")
        ):
            return "no address of a server"
        return ""


def chosen(address: IpAddress, port: int) -> str:
    """The address that the system would connect from, '' where there is no way; nothing is sent."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((str(address), port))
            return str(sock.getsockname()[0])
    except OSError:
        return ""
