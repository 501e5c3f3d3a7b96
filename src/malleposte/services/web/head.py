"""The head of a request: what is refused by its form alone, and what is read from the rest.

h11 has seen to the grammar: one Host, one length, no other coding than chunked, no control characters.
Here is what it lets pass and a server behind a proxy must not: a length beside a coding, a coding in
HTTP/1.0, a version of the future (RFC 9112 §6.1, §6.3).
"""

import ipaddress
import re
from typing import Final
from urllib.parse import parse_qsl, unquote_to_bytes

import h11

from malleposte.services.web.messages import Refused

MAX_QUERY: Final = 50
"""Names in a query; ours have one or two."""
_HOST: Final = re.compile(
    r"(?P<name>[A-Za-z0-9_-][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{0,5}))?"
)
METHODS: Final = frozenset(
    (
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "DELETE",
        "OPTIONS",
        "PATCH",
        "PROPFIND",
        "PROPPATCH",
        "REPORT",
        "MKCOL",
    )
)


def check_framing(head: h11.Request, max_fields: int) -> None:
    """Raises ``Refused``."""
    if head.http_version not in (b"1.0", b"1.1"):
        raise Refused(505, "HTTP/1.1 is spoken here.")
    if len(head.headers) > max_fields:
        raise Refused(431, f"A request has at most {max_fields} header fields.")
    names = [name for name, _ in head.headers]
    if b"transfer-encoding" in names:
        # Two programs that read one request differently take its end for the next one's beginning.
        if b"content-length" in names:
            raise Refused(400, "Content-Length and Transfer-Encoding exclude each other.")
        if head.http_version == b"1.0":
            raise Refused(400, "HTTP/1.0 has no Transfer-Encoding.")


def has_content(head: h11.Request) -> bool:
    """Whether content follows (RFC 9112 §6)."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in head.headers
    )


def method_of(head: h11.Request) -> str:
    """Raises ``Refused`` for one that nothing here knows (RFC 9110 §9.1)."""
    method = head.method.decode("ascii")
    if method not in METHODS:
        raise Refused(501, "This method is not known here.")
    return method


def target_of(head: h11.Request) -> tuple[str, str]:
    """(the target from its path on, the authority that an absolute one names or ''). Raises ``Refused``."""
    target = head.target.decode("ascii")  # h11 takes visible ASCII alone
    if target.startswith("/"):
        return target, ""
    # RFC 9112 §3.2.2: must be understood; the other two forms are for proxies and for OPTIONS.
    scheme, colon, rest = target.partition("://")
    if colon and scheme.lower() in ("http", "https"):
        authority, slash, path = rest.partition("/")
        if authority and "?" not in authority:
            return slash + path if slash else "/", authority
    raise Refused(400, "The target of a request begins with a slash.")


def path_of(target: str) -> tuple[str, dict[str, str]]:
    """(the decoded path, the first value of each name in the query). Raises ``Refused``."""
    if "#" in target:
        raise Refused(400, "A fragment is not sent.")
    raw, _, query = target.partition("?")
    try:
        path = unquote_to_bytes(raw).decode("utf-8")
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MAX_QUERY)
    except ValueError:  # also what is not UTF-8
        raise Refused(400, "The path or the query is not readable.") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name.lower(), value)
    if any(not character.isprintable() for character in path):
        raise Refused(400, "The path or the query is not readable.")
    return path, found


def host_of(head: h11.Request, authority: str) -> str:
    """The name that is asked, without port, in lower case; brackets stay around an IPv6 address. '':
    HTTP/1.0 without Host. Raises ``Refused``."""
    for name, value in head.headers:
        if name == b"host":
            host = authority or value.decode("latin-1")
            break
    else:
        host = authority
    if not host:
        if head.http_version == b"1.0":
            return ""
        raise Refused(400, "Host is empty.")
    found = _HOST.fullmatch(host)
    if found is None or int(found["port"] or 0) > 65535:
        raise Refused(400, "Host is no name.")
    return found["name"].lower().rstrip(".")


def is_address(host: str) -> bool:
    """Whether a host is an IP address."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
