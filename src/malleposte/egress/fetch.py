"""The only way out for fetches on behalf of content or users: one GET or POST, bounded in everything.

Invariants:
- A host is resolved once for each request, the answers are judged, and the connection goes to the
  judged address itself: a name that answers differently a moment later changes nothing.
- Each redirect is judged like a first address; from https there is no way back to http.
- Header, body, redirects and time are bounded; nothing is decompressed, so that a small answer
  cannot become a large one here.
- No cookies, no credentials, no proxies of the environment; certificates are verified.

It knows nothing of the store and needs no rights on it: it is made to run in a process of its own."""

import asyncio
import functools
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import h11

from malleposte.egress.addresses import IpAddress, bare_address, why_refused
from malleposte.egress.settings import EgressError, EgressPolicy
from malleposte.egress.url import WebUrl, joined_url, parsed_url

Resolver = Callable[[str, int], Awaitable[list[str]]]
"""Host and port → IP addresses, best first; raises OSError if there are none."""
Fields = tuple[tuple[str, str], ...]

READ: Final = 65_536
# Answers of a name that are tried; more only cost time.
MAX_ADDRESSES: Final = 4
# Responses 1xx before the real one (RFC 9110 §15.2).
MAX_INFORMATIONAL: Final = 8
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Response:
    """What came. `url` is where it came from in the end; header names are in lower case; `body` is
    as sent, whatever its Content-Encoding says."""

    url: str
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """The first field of that name (lower case)."""
        return next((value for found, value in self.headers if found == name), None)


async def fetch(url: str, policy: EgressPolicy, *, resolver: Resolver | None = None) -> Response:
    """GETs `url`, following redirects. Any status that is no redirect is a response.

    Raises EgressError."""
    target = parsed_url(url, policy)
    try:
        async with asyncio.timeout(policy.total_timeout):
            for _ in range(policy.max_redirects + 1):
                response = await _asked(target, policy, resolver or system_resolver)
                location = response.header(b"location")
                if response.status not in _REDIRECTS or location is None:
                    return response
                target = joined_url(target, location.decode("utf-8", "replace"), policy)
    except TimeoutError:
        raise EgressError("too slow", f"{target.host} took too long to answer") from None
    if not policy.max_redirects:
        raise EgressError("refused", f"{target.host} redirects elsewhere, which is not followed")
    raise EgressError("refused", f"{target.host} redirects more than {policy.max_redirects} times")


async def post(
    url: str,
    body: bytes,
    kind: str,
    policy: EgressPolicy,
    *,
    fields: Fields = (),
    resolver: Resolver | None = None,
) -> Response:
    """POSTs `body`, of a media type `kind`, to `url`, with further header `fields`. A redirect is a
    response like others: what is posted goes where it was meant to go, or nowhere.

    Raises EgressError."""
    target = parsed_url(url, policy)
    content = _Content(body, kind, fields)
    try:
        async with asyncio.timeout(policy.total_timeout):
            return await _asked(target, policy, resolver or system_resolver, content)
    except TimeoutError:
        raise EgressError("too slow", f"{target.host} took too long to answer") from None


async def system_resolver(host: str, port: int) -> list[str]:
    """The operating system's resolver, in a thread."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


@dataclass(frozen=True, slots=True)
class _Content:
    octets: bytes
    kind: str
    fields: Fields


async def _asked(
    url: WebUrl, policy: EgressPolicy, resolver: Resolver, content: _Content | None = None
) -> Response:
    reader, writer = await _connected(url, policy, await _addresses(url, policy, resolver))
    try:
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=policy.max_header)
        request = h11.Request(
            method="GET" if content is None else "POST",
            target=url.target,
            headers=[
                ("Host", url.authority),
                ("User-Agent", policy.user_agent),
                ("Accept", "*/*"),
                ("Accept-Encoding", "identity"),
                ("Connection", "close"),
                *_described(content),
            ],
        )
        if writer.transport.is_closing():  # already gone; uvloop would raise RuntimeError
            raise ConnectionResetError
        writer.write(connection.send(request))
        if content is not None:
            writer.write(connection.send(h11.Data(content.octets)))
        writer.write(connection.send(h11.EndOfMessage()))
        return await _response(url, policy, connection, reader)
    except h11.RemoteProtocolError as error:
        if error.error_status_hint == 431:
            raise EgressError("too large", f"{url.host} sent too large a header") from None
        raise EgressError("protocol", f"{url.host} did not speak proper HTTP") from None
    except ssl.SSLError:
        raise EgressError("tls", f"the secure connection to {url.host} broke") from None
    except OSError:
        raise EgressError("unreachable", f"the connection to {url.host} broke") from None
    finally:
        # Not close(): that waits for the peer's part of TLS's farewell.
        writer.transport.abort()


def _described(content: _Content | None) -> list[tuple[str, str]]:
    if content is None:
        return []
    length = str(len(content.octets))
    return [("Content-Type", content.kind), ("Content-Length", length), *content.fields]


async def _addresses(url: WebUrl, policy: EgressPolicy, resolver: Resolver) -> list[IpAddress]:
    try:
        answers = [str(ipaddress.ip_address(url.host))]
    except ValueError:
        try:
            answers = await resolver(url.host, url.port)
        except (OSError, UnicodeError):
            answers = []
    if not answers:
        raise EgressError("unreachable", f"the name {url.host} was not found")
    addresses = [bare_address(ipaddress.ip_address(answer)) for answer in dict.fromkeys(answers)]
    reasons = [why_refused(address, policy.allowed) for address in addresses]
    good = [a for a, reason in zip(addresses, reasons, strict=True) if reason is None]
    if not good:
        raise EgressError("refused", f"{url.host} is in {reasons[0]}")
    return good[:MAX_ADDRESSES]


async def _connected(
    url: WebUrl, policy: EgressPolicy, addresses: list[IpAddress]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the first address that answers."""
    for address in addresses:
        try:
            async with asyncio.timeout(policy.connect_timeout):
                return await asyncio.open_connection(
                    str(address),
                    url.port,
                    limit=READ,
                    ssl=_client_context(policy.authorities) if url.is_secure else None,
                    server_hostname=url.host if url.is_secure else None,
                )
        except ssl.SSLCertVerificationError as error:
            raise EgressError(
                "tls", f"the certificate of {url.host} is not good: {error.verify_message}"
            ) from None
        except ssl.SSLError:
            raise EgressError("tls", f"no secure connection to {url.host}") from None
        except (OSError, TimeoutError):
            continue
    raise EgressError("unreachable", f"{url.host} does not answer")


async def _response(
    url: WebUrl, policy: EgressPolicy, connection: h11.Connection, reader: asyncio.StreamReader
) -> Response:
    head: h11.Response | None = None
    body = bytearray()
    informational = 0
    while True:
        match connection.next_event():
            case h11.NEED_DATA:
                connection.receive_data(await reader.read(READ))
            case h11.InformationalResponse():
                informational += 1
                if informational > MAX_INFORMATIONAL:
                    raise EgressError("protocol", f"{url.host} did not speak proper HTTP")
            case h11.Response() as head:
                _check_length(url, policy, head)
            case h11.Data(data=data):
                body += data
                if len(body) > policy.max_body:
                    raise _too_large(url, policy)
            case h11.EndOfMessage() if head is not None:
                return Response(str(url), head.status_code, tuple(head.headers), bytes(body))
            case _:
                raise EgressError("protocol", f"{url.host} did not speak proper HTTP")


def _check_length(url: WebUrl, policy: EgressPolicy, head: h11.Response) -> None:
    """Too large a body is known before it comes, if the server says how long it is."""
    for name, value in head.headers:
        # h11 has seen to it that it is a number.
        if name == b"content-length" and int(value) > policy.max_body:
            raise _too_large(url, policy)


def _too_large(url: WebUrl, policy: EgressPolicy) -> EgressError:
    return EgressError("too large", f"{url.host} sent more than {policy.max_body} bytes")


@functools.lru_cache(maxsize=8)  # reading the system's authorities takes some 10 ms
def _client_context(authorities: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
