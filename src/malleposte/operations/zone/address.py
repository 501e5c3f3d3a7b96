"""This server by its own name: addresses that can be reached, and the way back from each.

Many servers take no mail from an address whose PTR record does not name who greets them (RFC 1912 §2.1);
from IPv6 hardly any does.
"""

import asyncio
import ipaddress
from collections.abc import Collection
from typing import Literal

from malleposte.delivery.outbound.resolver import LookupFailed
from malleposte.delivery.signing.lookup import Records
from malleposte.delivery.signing.published import Seen
from malleposte.operations.zone.certificate import covers
from malleposte.operations.zone.comparing import RIGHT, Server, shown
from malleposte.operations.zone.row import Row

MOST = 16
"""Addresses of one name that are looked at."""


async def server(records: Records, host: str) -> Server:
    """The server with its addresses."""
    found: list[str] = []
    unasked = ""
    answers = await asyncio.gather(
        records.find(host, "A"), records.find(host, "AAAA"), return_exceptions=True
    )
    for answer in answers:
        if isinstance(answer, LookupFailed):
            unasked = str(answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found += answer.values
    return Server(host=host, addresses=tuple(found[:MOST]), unasked=unasked)


def public(one: Server) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Its addresses that others can reach."""
    return [found for found in map(ipaddress.ip_address, one.addresses) if found.is_global]


async def looked_at(records: Records, one: Server) -> list[Row]:
    """Each address of the server, and its PTR."""
    if not one.addresses:
        seen = Seen("unasked", one.unasked) if one.unasked else Seen("missing")
        return [Row("address", one.host, "A", "this server's address", seen)]
    rows: list[Row] = []
    for text in one.addresses:
        address = ipaddress.ip_address(text)
        kind: Literal["A", "AAAA"] = "A" if address.version == 4 else "AAAA"
        if not address.is_global:
            words = f"{text} (nobody outside can reach it)"
            rows.append(Row("address", one.host, kind, text, Seen("different", words)))
            continue
        rows.append(Row("address", one.host, kind, text, RIGHT))
        pointer = address.reverse_pointer
        seen = await _pointer(records, pointer, one, text)
        # Mail leaves by IPv4 where IPv6 has no name.
        needed = address.version == 4 or not any("." in other for other in one.addresses)
        rows.append(Row("ptr", pointer, "PTR", one.host, seen, needed))
    if one.unasked:
        kind = "AAAA" if "AAAA" in one.unasked else "A"
        rows.append(Row("address", one.host, kind, "", Seen("unasked", one.unasked)))
    return rows


async def _pointer(records: Records, pointer: str, one: Server, text: str) -> Seen:
    try:
        names = (await records.find(pointer, "PTR")).values
    except LookupFailed as error:
        return Seen("unasked", str(error))
    if not names:
        meanwhile = "; until then nothing is sent by IPv6" if ":" in text else ""
        return Seen("missing", f"{text} has no name: its provider sets it{meanwhile}")
    if one.host not in names:
        return Seen("different", f"{shown(', '.join(names))} (its provider sets it)")
    return RIGHT


def certificate(host: str, names: Collection[str]) -> Row:
    """Whether the server's certificate is for the name that it greets with. ``names``: all of it."""
    seen = RIGHT
    if not names:
        seen = Seen("missing", "there is no certificate that names a host (tls.certificate)")
    elif not covers(names, host):
        seen = Seen("different", f"it is for {shown(', '.join(names))}, not for {host}")
    return Row("certificate", host, "TLS", "the name in the server's certificate", seen)
