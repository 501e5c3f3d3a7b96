"""Where a domain wants reports about TLS: its record at ``_smtp._tls`` (RFC 8460 §3)."""

import re
import urllib.parse
from collections.abc import Sequence
from typing import Final

MOST: Final = 3
"""Addresses of one record that are used."""
_VERSION: Final = re.compile(r"v=TLSRPTv1[ \t]*(?:;|\Z)")
_MAILTO: Final = re.compile(r"mailto:([^?,!\s@]{1,64}@[A-Za-z0-9.-]{1,253})", re.IGNORECASE)


def addresses_of(texts: Sequence[str]) -> tuple[str, ...]:
    """``mailto:`` addresses and ``https:`` URLs of the one record; none where there is no one, or where
    it is broken."""
    ours = [text for text in texts if _VERSION.match(text)]
    if len(ours) != 1:
        return ()
    for part in ours[0].split(";")[1:]:
        name, equals, value = part.strip(" \t").partition("=")
        if equals and name.strip(" \t") == "rua":
            found = (one.strip(" \t") for one in value.split(","))
            return tuple(dict.fromkeys(filter(None, map(_address, found))))[:MOST]
    return ()


def _address(uri: str) -> str:
    """A URI as it is used, '' for one that cannot be: commas and semicolons in it are encoded."""
    if uri.lower().startswith("https://") and uri.isascii() and uri.isprintable():
        return uri
    if not uri.isascii() or not uri.isprintable():
        return ""
    found = _MAILTO.fullmatch(urllib.parse.unquote(uri))
    return f"mailto:{found[1]}" if found else ""
