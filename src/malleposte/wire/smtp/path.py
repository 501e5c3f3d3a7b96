"""Reverse- and forward-paths: the Mailbox grammar of RFC 5321 §4.1.2 with RFC 6531 §3.3.

Works on the octets after `FROM:` and `TO:`. Source routes are read and dropped (RFC 5321
Appendix C). Lenient where real mail is, and only where the meaning is beyond doubt:

- dots at the ends of a local part or two in a row, unquoted (old Japanese mobile addresses);
- underscores in domains;
- no angle brackets around a plain mailbox (scanners, scripts); spaces before the bracket.

Does not compare or normalise addresses: case and Unicode rules are the directory's.
"""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass, field

from .limits import Limits
from .reply import PeerError

_PLAIN = re.compile(rb"<([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+)@([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)>")
_BARE = re.compile(rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\x80-\xff-]+@[A-Za-z0-9_.\x80-\xff-]+")
_ATOM = re.compile(rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\x80-\xff-]+")
_QUOTED = re.compile(rb'"((?:[ !#-\[\]-~\x80-\xff]|\\[ -~])*)"')
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_DOMAIN = re.compile(rb"[A-Za-z0-9_.\x80-\xff-]+")
_LITERAL = re.compile(rb"\[[!-Z^-~]+\]")
_ROUTE = re.compile(rb"@[A-Za-z0-9_.\x80-\xff-]+(?:,@[A-Za-z0-9_.\x80-\xff-]+)*:")
_DOT_STRING = re.compile(
    r"[^\s()<>@,;:\\\".\[\]\x00-\x1f\x7f]+(?:\.[^\s()<>@,;:\\\".\[\]\x00-\x1f\x7f]+)*"
)

_NOT_IN_A_LINE = frozenset({"Cc", "Zl", "Zp"})  # C1 controls and Unicode's own line ends


@dataclass(frozen=True, slots=True)
class Path:
    """A mailbox as given. `local` without quotes and escapes, `domain` a name or `[literal]`.

    The null reverse-path has both empty; the domainless `<postmaster>` has an empty domain.
    `raw` is what stood between the angle brackets, source route included.
    """

    local: str
    domain: str
    raw: bytes = field(repr=False, compare=False)

    @property
    def is_null(self) -> bool:
        return not self.local and not self.domain

    @property
    def is_ascii(self) -> bool:
        return self.local.isascii() and self.domain.isascii()

    def __str__(self) -> str:
        """The mailbox, quoted where the grammar needs it; "" for the null path."""
        if self.is_null:
            return ""
        local = self.local
        if not _DOT_STRING.fullmatch(local):
            local = '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{local}@{self.domain}" if self.domain else local


NULL_PATH = Path("", "", b"")


def parse_path(octets: bytes, limits: Limits, enhanced: str) -> tuple[Path, bytes]:
    """Read one path; return it and what follows (parameters, with the space before them).

    `enhanced` is the status of a syntax error: 5.1.7 for the sender, 5.1.3 for a recipient
    (RFC 3463 §3.2). Raises PeerError 501. Non-ASCII must be UTF-8; whether it is allowed at all
    is decided with the parameters.
    """
    octets = octets.lstrip()
    plain = _PLAIN.match(octets)
    if plain is not None:
        local, domain = plain.groups()
        if len(local) < 64 > len(domain):  # so no label can be too long either
            path = Path(local.decode(), domain.decode(), octets[1 : plain.end() - 1])
            return path, octets[plain.end() :]
    if octets.startswith(b"<>"):
        return NULL_PATH, octets[2:]
    if octets.startswith(b"<"):
        return _bracketed(octets, limits, enhanced)
    bare = _BARE.match(octets)
    if bare is None:
        raise PeerError(501, enhanced, "Syntax error in address")
    local, _, domain = bare[0].rpartition(b"@")
    return _path(local, domain, bare[0], limits, enhanced), octets[bare.end() :]


def _bracketed(octets: bytes, limits: Limits, enhanced: str) -> tuple[Path, bytes]:
    at = 1
    route = _ROUTE.match(octets, at)
    if route is not None:
        at = route.end()
    quoted = _QUOTED.match(octets, at)
    if quoted is not None:
        local = _QUOTED_PAIR.sub(rb"\1", quoted[1])
        at = quoted.end()
    else:
        atom = _ATOM.match(octets, at)
        if atom is None:
            raise PeerError(501, enhanced, "Syntax error in address")
        local = atom[0]
        at = atom.end()
    domain = b""
    if octets[at : at + 1] == b"@":
        name = _DOMAIN.match(octets, at + 1) or _LITERAL.match(octets, at + 1)
        if name is None:
            raise PeerError(501, enhanced, "Syntax error in domain of address")
        domain = name[0]
        at = name.end()
    if octets[at : at + 1] != b">":
        raise PeerError(501, enhanced, "Syntax error in address")
    return _path(local, domain, octets[1:at], limits, enhanced), octets[at + 1 :]


def _path(local: bytes, domain: bytes, raw: bytes, limits: Limits, enhanced: str) -> Path:
    if not local:
        raise PeerError(501, enhanced, "Local part of address is empty")
    if len(local) > limits.local_part:
        raise PeerError(501, enhanced, "Local part of address is too long")
    if domain.startswith(b"["):
        if not is_address_literal(domain):
            raise PeerError(501, enhanced, "Syntax error in address literal")
    elif domain and not _domain_fits(domain, limits):
        raise PeerError(501, enhanced, "Syntax error in domain of address")
    try:
        path = Path(local.decode(), domain.decode(), raw)
    except UnicodeDecodeError:
        raise PeerError(501, enhanced, "Address is not UTF-8") from None
    if not raw.isascii() and any(
        unicodedata.category(c) in _NOT_IN_A_LINE for c in path.local + path.domain
    ):
        raise PeerError(501, enhanced, "Control character in address")
    return path


def _domain_fits(domain: bytes, limits: Limits) -> bool:
    """Labels of 1 to 63 octets, none empty (RFC 5321 §4.1.2, RFC 1035 §2.3.4).

    A U-label may take more octets than its A-label; the directory converts it and checks again.
    """
    if len(domain) > limits.domain:
        return False
    if len(domain) < 64 and b".." not in domain:
        return domain[:1] != b"." and domain[-1:] != b"."
    return all(0 < len(label) < 64 or not label.isascii() for label in domain.split(b"."))


def is_address_literal(octets: bytes) -> bool:
    """`[192.0.2.1]`, `[IPv6:2001:db8::1]`, or a general `[tag:content]` (RFC 5321 §4.1.3)."""
    if not _LITERAL.fullmatch(octets):
        return False
    content = octets[1:-1].decode("ascii", "replace")
    try:
        if content[:5].lower() == "ipv6:":
            ipaddress.IPv6Address(content[5:])
        elif ":" in content:
            tag, _, rest = content.partition(":")
            return bool(rest) and tag.replace("-", "").isalnum() and not tag.endswith("-")
        else:
            ipaddress.IPv4Address(content)
    except ValueError:
        return False
    return True
