"""How mail leaves this server: from which address, and whether port 25 is open on the way out."""

import asyncio
import contextlib
import ipaddress
from collections.abc import Sequence
from typing import Final

from malleposte.delivery.outbound.addresses import chosen
from malleposte.delivery.outbound.resolver import LookupFailed, NoSuchName
from malleposte.delivery.outbound.words import plain_reason
from malleposte.delivery.signing.lookup import LiveRecords
from malleposte.delivery.signing.published import Seen
from malleposte.egress.addresses import why_refused
from malleposte.operations.context import Outward
from malleposte.operations.zone.comparing import Server, shown
from malleposte.operations.zone.row import Row

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

SECONDS: Final = 5.0
"""For a connection and its greeting."""
MOST_PROBES: Final = 4
"""Domains whose best server is tried."""
_SOMEWHERE: Final = {
    4: ipaddress.ip_address("192.0.2.1"),
    6: ipaddress.ip_address("2001:db8::1"),
}
"""Nobody's addresses: the way to them is the way out."""


def sources(outward: Outward) -> list[IpAddress]:
    """The public addresses that mail leaves from; one behind a translation is not known here."""
    found = []
    for version, wanted, fixed in (
        (4, outward.ipv4, outward.source_ipv4),
        (6, outward.ipv6, outward.source_ipv6),
    ):
        text = fixed or chosen(_SOMEWHERE[version], outward.port)
        if outward.direct and wanted and text:
            address = ipaddress.ip_address(text)
            if why_refused(address) is None:
                found.append(address)
    return found


def looked_at(found: Sequence[IpAddress], server: Server) -> list[Row]:
    """Addresses that mail leaves from and that the server's name does not have: whoever looks the name
    in EHLO up finds another machine."""
    if not server.addresses:
        return []
    rows = []
    for address in found:
        if str(address) not in server.addresses:
            kind = "A" if address.version == 4 else "AAAA"
            words = (
                f"mail leaves from {address}: add it, or set sending.source_ipv{address.version}"
            )
            seen = Seen("missing", words)
            rows.append(Row("source", server.host, kind, str(address), seen))
    return rows


async def port_open(records: LiveRecords, outward: Outward) -> list[Row]:
    """Whether the servers of other domains are reached, by each family that this machine has."""
    if not outward.direct or not outward.probes:
        return []
    rows = await asyncio.gather(
        *(
            _family(records, outward, version)
            for version, wanted in ((4, outward.ipv4), (6, outward.ipv6))
            if wanted
        )
    )
    return [row for row in rows if row is not None]


async def _family(records: LiveRecords, outward: Outward, version: int) -> Row | None:
    """None where this machine has no IPv6, or no server has."""
    source = outward.source_ipv4 if version == 4 else outward.source_ipv6
    failed: list[str] = []
    unasked: list[str] = []
    for domain in outward.probes[:MOST_PROBES]:
        try:
            servers = await _servers(records, domain, version)
        except (LookupFailed, NoSuchName) as error:
            unasked.append(str(error))
            continue
        for host, address in servers:
            if why := why_refused(address, outward.allowed):
                failed.append(f"{host} is {why}")
                continue
            if version == 6 and not (source or chosen(address, outward.port)):
                return None
            trouble, said = await _tried(address, outward.port, source)
            if not trouble:
                return _row(outward, version, Seen("right", f"{host} answers: {shown(said)}"))
            failed.append(f"{host} [{address}]: {trouble}")
    if failed:
        words = (
            f"{'; '.join(failed[:MOST_PROBES])}: a firewall here or at the provider is in the way: have it"
            f" let port {outward.port} out, or send by a smart host (sending.smart_host)"
        )
        return _row(outward, version, Seen("different", words))
    if unasked and (version == 4 or source or chosen(_SOMEWHERE[6], outward.port)):
        return _row(outward, version, Seen("unasked", unasked[0]))
    return None


def _row(outward: Outward, version: int, seen: Seen) -> Row:
    # By IPv4 alone everybody is reached.
    needed = version == 4 or not outward.ipv4
    return Row("port", f"port {outward.port} by IPv{version}", "TCP", "open outwards", seen, needed)


async def _servers(records: LiveRecords, domain: str, version: int) -> list[tuple[str, IpAddress]]:
    """The best server of a domain at one of its addresses; raises ``LookupFailed`` and ``NoSuchName``."""
    found = []
    for mx in (await records.mx(domain))[:1]:
        addresses = await records.addresses(mx.name, ipv4=version == 4, ipv6=version == 6)
        found += [(mx.name, one) for one in addresses[:1]]
    return found


async def _tried(address: IpAddress, port: int, source: str) -> tuple[str, str]:
    """What went wrong, '' nothing, and the first line of the greeting."""
    try:
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_connection(
                str(address), port, local_addr=(source, 0) if source else None, limit=4096
            )
            try:
                line = await reader.readline()
                # RFC 5321 §3.2: who only looks says so.
                writer.write(b"QUIT\r\n")
                return "" if line else "it closed the connection", line.decode(
                    "ascii", "replace"
                ).strip()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, ValueError) as error:
        return plain_reason(error), ""
