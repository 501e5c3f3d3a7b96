"""Addresses in scripts: their parts (RFC 5228 §2.7.4, RFC 5233), and those to send to."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from malleposte.mime import addresses
from malleposte.mime.address import Address
from malleposte.mime.charset import guess

from .signature import Bound, TagRule

PART_TAGS: Final = {
    "all": TagRule(group="part"),
    "localpart": TagRule(group="part"),
    "domain": TagRule(group="part"),
    "user": TagRule(capability="subaddress", group="part"),
    "detail": TagRule(capability="subaddress", group="part"),
}

_ATOM: Final = r"[^\s()<>\[\]:;@\\,\"\x00-\x1f\x7f.]+"
_ATOMS: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_DOMAIN: Final = re.compile(
    r"(?:[A-Za-z0-9\x80-\U0010ffff](?:[A-Za-z0-9\x80-\U0010ffff_-]{0,62})\.)*"
    r"[A-Za-z0-9\x80-\U0010ffff](?:[A-Za-z0-9\x80-\U0010ffff_-]{0,62})"
    r"|\[[0-9A-Fa-f.:IPv]{3,45}\]"
)

Part = Callable[[str, str, str], str | None]
"""Local part, domain and the separator → what is compared; None if the address has no such part."""


def part_of(bound: Bound) -> Part:
    """The part that a test's tags ask for."""
    return _PARTS[next((name for name in _PARTS if name in bound.tags), "all")]


def _all(local: str, domain: str, separator: str) -> str:
    return f"{local}@{domain}" if domain else local


def _local(local: str, domain: str, separator: str) -> str:
    return local


def _domain(local: str, domain: str, separator: str) -> str | None:
    return domain or None


def _user(local: str, domain: str, separator: str) -> str:
    return local.partition(separator)[0]


def _detail(local: str, domain: str, separator: str) -> str | None:
    """RFC 5233 §4: without a separator there is no detail, not even an empty one."""
    _, found, detail = local.partition(separator)
    return detail if found else None


_PARTS: Final[dict[str, Part]] = {
    "all": _all,
    "localpart": _local,
    "domain": _domain,
    "user": _user,
    "detail": _detail,
}


def split(address: str) -> tuple[str, str]:
    """Local part and domain of an address of the envelope."""
    local, at, domain = address.rpartition("@")
    return (local, domain) if at else (domain, "")


def sendable(text: str) -> str | None:
    """The one address that a text names (`sieve-address` of RFC 5228 §2.4.2.3), as `local@domain`
    in the form it has in an envelope; None if it is none or several."""
    if len(text) > 500 or not text.isprintable():
        return None
    found = addresses(text.encode("utf-8", "surrogateescape"))
    if len(found) != 1 or not isinstance(found[0], Address) or found[0].route:
        return None
    local, domain = guess(found[0].mailbox), guess(found[0].host)
    if not _DOMAIN.fullmatch(domain) or len(local.encode()) > 64 or len(domain) > 253:
        return None
    if not _ATOMS.fullmatch(local):
        if not local or "@" in local.strip('"'):
            return None
        escaped = local.replace("\\", "\\\\").replace('"', '\\"')
        local = f'"{escaped}"'
    return f"{local}@{domain}"
