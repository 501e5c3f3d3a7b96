"""This server by its own name: addresses that can be reached, and the way back from each.

Many servers take no mail from an address whose PTR record does not name who greets them (RFC 1912 §2.1);
from IPv6 hardly any does.
"""

import asyncio
import ipaddress
from typing import Literal, NamedTuple

from malleposte.delivery.outbound.resolver import LookupFailed
from malleposte.delivery.signing.lookup import Records
from malleposte.delivery.signing.published import Seen
from malleposte.operations.zone.comparing import RIGHT, Server, shown

MOST = 16
"""Addresses of one name that are looked at."""


class Address(NamedTuple):
    """What is looked at, and what was found."""

    name: str
    kind: Literal["A", "AAAA", "PTR"]
    value: str
    seen: Seen


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


async def looked_at(records: Records, one: Server) -> list[Address]:
    """Each address of the server, and its PTR."""
    if not one.addresses:
        seen = Seen("unasked", one.unasked) if one.unasked else Seen("missing")
        return [Address(one.host, "A", "this server's address", seen)]
    rows: list[Address] = []
    for text in one.addresses:
        address = ipaddress.ip_address(text)
        kind: Literal["A", "AAAA"] = "A" if address.version == 4 else "AAAA"
        if not address.is_global:
            words = f"{text} (nobody outside can reach it)"
            rows.append(Address(one.host, kind, text, Seen("different", words)))
            continue
        rows.append(Address(one.host, kind, text, RIGHT))
        pointer = address.reverse_pointer
        rows.append(Address(pointer, "PTR", one.host, await _pointer(records, pointer, one, text)))
    if one.unasked:
        kind = "AAAA" if "AAAA" in one.unasked else "A"
        rows.append(Address(one.host, kind, "", Seen("unasked", one.unasked)))
    return rows


async def _pointer(records: Records, pointer: str, one: Server, text: str) -> Seen:
    try:
        names = (await records.find(pointer, "PTR")).values
    except LookupFailed as error:
        return Seen("unasked", str(error))
    remedy = "set sending.ipv6 to false until it has" if ":" in text else "its provider sets it"
    if not names:
        return Seen("missing", f"{text} has no name: {remedy}")
    if one.host not in names:
        return Seen("different", f"{shown(', '.join(names))} ({remedy})")
    return RIGHT
