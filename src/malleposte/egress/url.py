"""Addresses of the web, taken apart strictly.

Invariant: what comes out is safe to put on the wire (visible ASCII only) and says the same to us as
to the server. What browsers mend (backslashes, line ends within, credentials) is refused: two readers
of one URL who do not agree are how filters are passed."""

import contextlib
import ipaddress
import re
import urllib.parse
from dataclasses import dataclass
from typing import Final

import idna

from malleposte.egress.settings import EgressError, EgressPolicy

# RFC 9110 §4.1 advises to take at least 8,000 octets.
MAX_URL: Final = 8192
# DNS names in lower case; underscores occur in the wild.
_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
)
# RFC 3986 §2: what may stand in a path or query as it is; "%" since it is encoded already.
_AS_IT_IS: Final = "!#$%&'()*+,/:;=?@[]~-._"
_BAD: Final = re.compile(r"[\x00-\x1f\x7f\\]")


@dataclass(frozen=True, slots=True)
class WebUrl:
    """`host` is a name in lower case (A-labels) or an IP address without brackets; `target` is what
    stands in the request line (RFC 9112 §3.2.1)."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def is_secure(self) -> bool:
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """For the Host field (RFC 9110 §7.2): no port where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        own = 443 if self.is_secure else 80
        return host if self.port == own else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def parsed_url(url: str, policy: EgressPolicy) -> WebUrl:
    """The URL taken apart. Raises EgressError `refused` for whatever the policy or the syntax does
    not let pass."""
    if len(url) > MAX_URL:
        raise _refused(f"the address is longer than {MAX_URL} characters")
    if _BAD.search(url):
        raise _refused("the address has control characters or backslashes")
    try:
        parts = urllib.parse.urlsplit(url.strip(" "))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refused("not a web address") from None
    schemes = {"https": 443, "http": 80} if policy.plain_http else {"https": 443}
    if parts.scheme not in schemes:
        raise _refused(f"only {' and '.join(schemes)} addresses are fetched")
    if parts.username is not None or parts.password is not None:
        raise _refused("the address has a user name in it")
    port = schemes[parts.scheme] if port is None else port
    if port not in policy.ports:
        raise _refused(f"port {port} is not one that is fetched from")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = urllib.parse.quote(target.encode("utf-8", "replace"), safe=_AS_IT_IS)
    # A "#" cannot be left here, since urlsplit took the fragment away; it is never sent.
    return WebUrl(parts.scheme, _host(host), port, target.replace("#", "%23"))


def joined_url(base: WebUrl, location: str, policy: EgressPolicy) -> WebUrl:
    """Where a redirect leads (RFC 9110 §10.2.2). Raises EgressError."""
    if len(location) > MAX_URL or _BAD.search(location):
        raise _refused("it redirects to a broken address")
    try:
        url = urllib.parse.urljoin(str(base), location)
    except ValueError:
        raise _refused("it redirects to a broken address") from None
    found = parsed_url(url, policy)
    if base.is_secure and not found.is_secure:
        raise _refused("it redirects from https to http")
    return found


def _host(host: str) -> str:
    if "%" not in host:  # an IPv6 zone, such as "%eth0", would name an interface of this machine
        with contextlib.suppress(ValueError):
            return str(ipaddress.ip_address(host))
    name = host.removesuffix(".")
    try:
        if not name.isascii():
            name = idna.encode(name, uts46=True, transitional=False).decode()
    except (idna.IDNAError, UnicodeError):
        raise _refused("the host's name is not valid") from None
    name = name.lower()
    if not _NAME.fullmatch(name):
        raise _refused("the host's name is not valid")
    return name


def _refused(text: str) -> EgressError:
    return EgressError("refused", text)
