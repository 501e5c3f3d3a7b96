"""This server's addresses on public block lists (RFC 5782).

A list is believed once it knows its own test entry, and does not list what must never be: a list that
refuses to answer, or whose domain is somebody else's by now, would condemn everybody. What lists say when
they refuse a question is not a listing.
"""

import asyncio
import ipaddress
from collections.abc import Sequence
from typing import Final

from malleposte.delivery.outbound.resolver import LookupFailed
from malleposte.delivery.signing.lookup import Records
from malleposte.delivery.signing.published import Seen
from malleposte.operations.zone.comparing import shown
from malleposte.operations.zone.row import Row
from malleposte.operations.zone.words import short

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

MOST: Final = 20
"""Lists that are asked."""
AT_ONCE: Final = 16
_ANSWERS: Final = ipaddress.IPv4Network("127.0.0.0/8")
_REFUSALS: Final = {
    # RFC 5782 §5 keeps it from being listed; some lists refuse by it.
    ipaddress.IPv4Address("127.0.0.1"): "it refused the question",
    ipaddress.IPv4Address("127.255.255.252"): "there is no list of this name",
    ipaddress.IPv4Address(
        "127.255.255.254"
    ): "it answers no public resolver: ask by one of your own",
    ipaddress.IPv4Address("127.255.255.255"): "it was asked too often",
}
_REFUSING: Final = ipaddress.IPv4Network("127.255.255.0/24")
_LISTED: Final = {
    4: ipaddress.ip_address("127.0.0.2"),
    6: ipaddress.ip_address("::ffff:7f00:2"),
}
_NEVER: Final = {
    4: ipaddress.ip_address("127.0.0.1"),
    6: ipaddress.ip_address("::ffff:7f00:1"),
}
"""Test entries (RFC 5782 §5)."""


async def looked_at(
    records: Records, addresses: Sequence[IpAddress], lists: Sequence[str]
) -> list[Row]:
    """Each public address on each list; lists that know no IPv6 are not asked for such."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def asked(zone: str, address: IpAddress) -> Row:
        async with turns:
            return _row(zone, address, await _seen(records, zone, address))

    async def one(zone: str) -> list[Row]:
        rows: list[Row] = []
        for version in (4, 6):
            own = [one for one in addresses if one.version == version]
            if not own:
                continue
            async with turns:
                usable = await _usable(records, zone, version)
            if usable is None:
                rows += await asyncio.gather(*(asked(zone, address) for address in own))
            elif usable.words:
                rows += [_row(zone, address, usable) for address in own]
        return rows

    found = await asyncio.gather(*(one(zone) for zone in lists[:MOST]))
    return [row for rows in found for row in rows]


def _row(zone: str, address: IpAddress, seen: Seen) -> Row:
    # What could not be asked is nobody's fault here.
    return Row("block-list", str(address), "LIST", zone, seen, needed=seen.state == "different")


async def _usable(records: Records, zone: str, version: int) -> Seen | None:
    """None where a list can be believed; without words: it is none for this family."""
    seen = await _seen(records, zone, _LISTED[version])
    if seen.state == "unasked":
        return seen
    if seen.state != "different":
        words = f"{zone} does not know its own test entry: is it still a list?"
        return Seen("unasked", words if version == 4 else "")
    seen = await _seen(records, zone, _NEVER[version])
    if seen.state == "different":
        return Seen("unasked", f"{zone} lists everything: it is none any more")
    return seen if seen.state == "unasked" else None


async def _seen(records: Records, zone: str, address: IpAddress) -> Seen:
    name = f"{question(address)}.{zone}"
    try:
        values = (await records.find(name, "A")).values
    except LookupFailed as error:
        return Seen("unasked", f"{zone}: {short(str(error))}")
    if not values:
        return Seen("right", f"not on {zone}")
    answers = [ipaddress.ip_address(value) for value in values]
    if any(one not in _ANSWERS for one in answers):
        return Seen(
            "unasked",
            f"{zone} answers {shown(', '.join(values))}, as no list does: somebody on the way does",
        )
    for one in answers:
        if one in _REFUSALS or one in _REFUSING:
            why = _REFUSALS.get(ipaddress.IPv4Address(str(one)), "it refused the question")
            return Seen("unasked", f"{zone} answers {one}: {why}")
    return Seen("different", f"on {zone}: {', '.join(values)}{await _why(records, name)}")


async def _why(records: Records, name: str) -> str:
    """The list's own words."""
    try:
        values = (await records.find(name, "TXT")).values
    except LookupFailed:
        return ""
    return f", {shown(values[0])}" if values else ""


def question(address: IpAddress) -> str:
    """The name that is asked for, without the list's (RFC 5782 §2.1, §2.4)."""
    return address.reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
