"""Records as lines of a zone file (RFC 1035 §5.1)."""

from typing import Final

TTL: Final = 3_600
_STRING: Final = 255
"""Octets of one string of a TXT record (RFC 1035 §3.3)."""
_TARGETS: Final = ("MX", "CNAME", "SRV", "PTR")


def line(name: str, kind: str, value: str) -> str:
    """One record, its names in full."""
    if kind == "TXT":
        value = strings(value)
    elif kind in _TARGETS and not value.endswith("."):
        value += "."
    return f"{name}.\t{TTL}\tIN\t{kind}\t{value}"


def strings(text: str) -> str:
    """A text in strings as short as they must be, quoted; they count as one (RFC 6376 §3.6.2.2)."""
    parts = [text[at : at + _STRING] for at in range(0, len(text), _STRING)] or [""]
    return " ".join('"' + _escaped(part) + '"' for part in parts)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
