"""The machine's own addresses, by the kernel's tables."""

import ipaddress
import re
from pathlib import Path

_LOCAL = re.compile(r"\|-- (\S+)\n\s+/32 host LOCAL")


def own_addresses() -> list[str]:
    """IPv4 and IPv6 addresses of this machine, loopback first, link-local ones left out."""
    found: set[str] = set()
    try:
        found.update(_LOCAL.findall(Path("/proc/net/fib_trie").read_text()))
    except OSError:
        found.add("127.0.0.1")
    try:
        lines = Path("/proc/net/if_inet6").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        found.add(str(ipaddress.IPv6Address(bytes.fromhex(line.split()[0]))))
    parsed = [ipaddress.ip_address(text) for text in found]
    usable = [one for one in parsed if not one.is_link_local]
    return [str(one) for one in sorted(usable, key=lambda a: (not a.is_loopback, a.version, a))]
