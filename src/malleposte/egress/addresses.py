"""Which addresses are reached on behalf of content: those of the public internet, and no others.

Invariants: an IPv4 address is judged the same however it is dressed (mapped into IPv6, behind the
NAT64 prefix); whatever is not known to be public is refused. The tables are the special-purpose
registries of RFC 6890 as they stand in 2026, written out, since `ipaddress.is_global` differs between
the versions of Python that this runs on."""

import ipaddress
from collections.abc import Iterable
from typing import Final

from malleposte.egress.settings import IpNetwork

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_NOT_PUBLIC_4: Final = {
    ipaddress.IPv4Network(text): words
    for text, words in {
        "0.0.0.0/8": "this network",  # RFC 791 §3.2
        "10.0.0.0/8": "a private network",  # RFC 1918
        "100.64.0.0/10": "a provider's inner network",  # RFC 6598; cloud metadata of Alibaba
        "127.0.0.0/8": "this machine",  # RFC 1122 §3.2.1.3
        "168.63.129.16/32": "a cloud's inner services",  # Azure, though the address is public
        "169.254.0.0/16": "a link-local network",  # RFC 3927; metadata of most clouds
        "172.16.0.0/12": "a private network",  # RFC 1918
        "192.0.0.0/24": "a special network",  # RFC 6890; metadata of Oracle's cloud
        "192.0.2.0/24": "an example network",  # RFC 5737
        "192.88.99.0/24": "a special network",  # RFC 7526
        "192.168.0.0/16": "a private network",  # RFC 1918
        "198.18.0.0/15": "a test network",  # RFC 2544
        "198.51.100.0/24": "an example network",  # RFC 5737
        "203.0.113.0/24": "an example network",  # RFC 5737
        "224.0.0.0/4": "a multicast group",  # RFC 5771
        "240.0.0.0/4": "a reserved network",  # RFC 1112 §4, broadcast among them
    }.items()
}

# RFC 4291 §2.4 with IANA's registry: global unicast is 2000::/3 …
_GLOBAL_6: Final = ipaddress.IPv6Network("2000::/3")
# … without these.
_NOT_PUBLIC_6: Final = {
    ipaddress.IPv6Network(text): words
    for text, words in {
        "2001::/23": "a special network",  # RFC 2928; Teredo, which embeds IPv4, among them
        "2001:db8::/32": "an example network",  # RFC 3849
        "2002::/16": "a 6to4 network",  # RFC 3056 embeds any IPv4 address; RFC 7526 ended it
        "3fff::/20": "an example network",  # RFC 9637
    }.items()
}
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1


def bare_address(address: IpAddress) -> IpAddress:
    """The IPv4 address if it is written as an IPv6 one (RFC 4291 §2.5.5.2), else the same."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def why_refused(address: IpAddress, allowed: Iterable[IpNetwork] = ()) -> str | None:
    """What kind of place an address is, if it may not be reached; None if it may."""
    address = bare_address(address)
    if any(address.version == network.version and address in network for network in allowed):
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return _why(address, _NOT_PUBLIC_4)
    if address.scope_id is not None:
        return "a link-local network"
    if address in _NAT64:
        # A network without IPv4 reaches it through here; what is behind decides.
        return why_refused(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF), allowed)
    if address == ipaddress.IPv6Address("::1"):
        return "this machine"
    if address.is_link_local:
        return "a link-local network"
    if address.is_multicast:
        return "a multicast group"
    if address not in _GLOBAL_6:
        return "a private or special network"
    return _why(address, _NOT_PUBLIC_6)


def _why(
    address: IpAddress, table: dict[ipaddress.IPv4Network, str] | dict[ipaddress.IPv6Network, str]
) -> str | None:
    return next((words for network, words in table.items() if address in network), None)
