"""Addresses in scripts: their parts (RFC 5228 §2.7.4, RFC 5233), and those to send to."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

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


_NAMED: Final = re.compile(r'(?:"[^"<>\\]*"|[^"<>()\[\]:;@\\,]*)\s*<([^<>]*)>')
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')


def sendable(text: str) -> str | None:
    """The one address that a text names (`sieve-address` of RFC 5228 §2.4.2.3), as `local@domain`
    in the form it has in an envelope; None if it is none or several. Strict: what a script writes
    is not what strangers send."""
    if len(text) > 500 or not text.isprintable():
        return None
    text = text.strip()
    named = _NAMED.fullmatch(text)
    local, _, domain = (named[1] if named else text).rpartition("@")
    if not _DOMAIN.fullmatch(domain) or len(domain) > 253:
        return None
    quoted = _QUOTED.fullmatch(local)
    if quoted is not None:
        inner = re.sub(r"\\(.)", r"\1", quoted[1])
        if _ATOMS.fullmatch(inner):
            local = inner
    elif not _ATOMS.fullmatch(local):
        return None
    return f"{local}@{domain}" if len(local.encode()) <= 64 else None
