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


SEMICOLONS: Final = 4
"""Semicolons behind which a date is looked for; there should be one."""


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
_MAIL_PROTOCOL: Final = re.compile(
    r"(?:utf8|e)?(?:smtp|lmtp)(?:svc|sa|s|a)?(?![a-z])", re.IGNORECASE
)
_PROTOCOL: Final = re.compile(r"(?:http|local|imap|pop3)", re.IGNORECASE)
_TLS: Final = re.compile(r"TLS[v-]?1(?:[._]([0-3]))?(?![\d_])", re.IGNORECASE)
_CIPHER: Final = re.compile(
    r"(?<![\w-])(?:[A-Z0-9]{1,16}[-_]){2,8}(?:SHA(?:1|256|384)?|MD5|POLY1305)(?![\w-])"
)
_HELO: Final = re.compile(r"\b(helo|ehlo|lhlo)\b[ =:]*([^\s\]),]*)", re.IGNORECASE)
_IDENT: Final = re.compile(r"\bident[=:]\s*\[?([^\s\],]+)", re.IGNORECASE)
_USER: Final = re.compile(r"[^\s\[\]<>(),:;]{1,64}@[^\s\[\]<>(),;/]{0,255}")
_ADDRESS: Final = re.compile(r"(?<![\w.:@])(?:IPv6:)?([0-9A-Fa-f:.]{2,45})(?![\w.])", re.IGNORECASE)
_HOST: Final = re.compile(
    r"(?<![\w.@=:/-])([A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63}){0,10}\.[A-Za-z]{2,24}\.?)(?![\w.@=-])"
)


def received(value: bytes) -> Received:
    """What a raw Received value says."""
    return _Reader(guess(collapse(value[:TRACE_BYTES]))).read()


class _Reader:
    """One pass over the tokens of a field; comments are searched when they close."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: dict[str, str] = {}
        self.clause = ""  # the last one named
        self.wants = ""  # the clause whose value comes next
        self.protocol: list[str] = []

    def read(self) -> Received:
        date: DateTime | None = None
        text = self.text
        depth = opened = 0
        semicolons = 0
        for match in _TOKEN.finditer(text):
            piece = match[0]
            if piece == "(":
                depth += 1
                if depth == 1:
                    opened = match.end()
            elif piece == ")":
                if depth == 1:
                    self.comment(text[opened : match.start()])
                depth = max(0, depth - 1)
            elif depth:
                continue
            elif piece == ";":
                self.clause = self.wants = ""
                semicolons += 1
                if date is None and semicolons <= SEMICOLONS:
                    date = date_time(text[match.end() :].encode("utf-8", "replace"))
            elif piece != ",":
                self.word(piece)
        if depth:
            self.comment(text[opened:])
        self.keep("with_", _protocol(" ".join(self.protocol)))
        self.tls(" ".join(self.protocol))
        return Received(**self.found, date=date)

    def keep(self, name: str, value: str | None) -> None:
        if value:
            self.found.setdefault(name, value)

    def word(self, piece: str) -> None:
        """A word, a bracketed or an angled piece outside comments."""
        lower = piece.lower()
        if lower in _CLAUSES:
            self.clause = self.wants = lower
            return
        if self.clause == "with":
            self.protocol.append(piece)
        elif self.wants == "from" or self.wants == "by":
            self.keep("from_" if self.wants == "from" else "by", _host(piece))
        elif self.wants == "for":
            address = piece.strip("<>")
            self.keep("for_", address if "@" in address else None)
        elif self.wants:
            self.keep(self.wants, piece.strip("<>"))
        elif self.clause == "from" and piece.startswith("["):
            self.keep("from_ip", _ip(piece))
        elif self.clause == "from" and "@" in piece:
            self.keep("ident", piece)
        self.wants = ""

    def comment(self, text: str) -> None:
        self.tls(text)
        if not self.clause and text.startswith("from "):
            for match in _TOKEN.finditer(text):
                self.word(match[0])
            return
        if self.clause != "from":
            return
        helo = _HELO.search(text)
        if helo is not None:
            self.keep("helo_cmd", helo[1].upper())
            self.keep("helo", helo[2].strip("[]"))
            text = text[: helo.start()] + text[helo.end() :]
        self.keep("from_ip", _ip(text))
        ident = _IDENT.search(text)
        if ident is not None:
            self.keep("ident", ident[1])
            return
        user = _USER.search(text)
        if user is not None:
            self.keep("ident", user[0].rstrip("@"))
            return
        host = _HOST.search(text)
        if host is not None:
            self.keep("from_iprev", host[1])

    def tls(self, text: str) -> None:
        version = _TLS.search(text)
        if version is not None:
            self.keep("tls_version", f"TLSv1.{version[1] or 0}")
        cipher = _CIPHER.search(text)
        if cipher is not None:
            self.keep("tls_cipher", cipher[0])


def _host(token: str) -> str | None:
    """A host as a clause names it: a name, or an address without brackets."""
    if token.startswith("["):
        return _ip(token)
    return token.strip("<>").partition("/")[0] or None


def _ip(text: str) -> str | None:
    """The first IP address in a text, in its usual form."""
    for match in _ADDRESS.finditer(text):
        candidate = match[1]
        if candidate.count(":") == 1:
            candidate = candidate.partition(":")[0]  # a port
        try:
            address = ipaddress.ip_address(candidate)
        except ValueError:
            continue
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            return f"::ffff:{address.ipv4_mapped}"
        return str(address)
    return None


def _protocol(text: str) -> str | None:
    """The mail protocol that a `with` clause names somewhere, in upper case."""
    match = _MAIL_PROTOCOL.search(text) or _PROTOCOL.search(text)
    if match is None:
        return None
    name = match[0].upper().removesuffix("VC")
    if name == "SMTPS" and match[0].upper() == "SMTPSVC":
        return "SMTP"
    return name + "S" if text.upper().startswith("-TLS", match.end()) else name
