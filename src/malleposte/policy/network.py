"""Whom a limit counts as one: an IPv4 address, or an IPv6 /64.

A customer is given at least a /64 (RFC 6177), so single IPv6 addresses are free to whoever attacks.
IPv4 addresses written as IPv6 are the IPv4 address."""

import functools
import ipaddress
from typing import Final, NewType

Network = NewType("Network", str)

LOCAL: Final = Network("local")
"""Peers of a Unix socket, who have no address."""

IPV6_PREFIX: Final = 64


@functools.lru_cache(maxsize=4096)  # the same peers come back; an entry is some 200 bytes
def network_of(address: str) -> Network:
    """The network of a peer's address as `getpeername` gives it, with or without a zone.

    What is no IP address (a Unix socket's path, nothing) is LOCAL."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return LOCAL
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return Network(str(ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False)))
        parsed = parsed.ipv4_mapped
    return Network(str(parsed))
