"""A request and its response, as handlers see them."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from http import HTTPStatus
from typing import Final, Protocol

import msgspec

from malleposte.services.connection import Connection

Fields = tuple[tuple[str, str], ...]
TEXT: Final = "text/plain; charset=utf-8"


class Refused(Exception):
    """A request that ends with a response for people: status and words. ``fields``: header fields
    beside."""

    def __init__(self, status: int, words: str, fields: Fields = ()) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Response:
    """``route``: what answered, for figures; '' is nothing. A field of the name of one that every response
    has stands in its place.

    ``pieces``: content made while it is sent, in place of ``body``; ``length``: its octets, -1 where
    nobody knows. ``takes_over``: after a 101, who has the connection from then on, with the octets that
    came already.
    """

    status: int
    body: bytes = b""
    kind: str = TEXT
    fields: Fields = ()
    route: str = ""
    pieces: AsyncGenerator[bytes] | None = None
    length: int = -1
    takes_over: Callable[[Connection, bytes], Awaitable[None]] | None = None

    @property
    def reason(self) -> str:
        """The status in the words of RFC 9110 §15."""
        return HTTPStatus(self.status).phrase


def text(status: int, words: str, fields: Fields = ()) -> Response:
    """A sentence for whoever looks at it."""
    return Response(status, words.encode() + b"\n", TEXT, fields)


def json(status: int, content: Mapping[str, object], route: str) -> Response:
    """An object."""
    return Response(status, msgspec.json.encode(content), "application/json", route=route)


class Content(Protocol):
    """The content of a request, read once. Both raise ``Refused`` where it is too large or too slow."""

    async def read(self, most: int = 0) -> bytes:
        """All of it; ``most``: octets at most, 0 for what every request may have."""
        ...

    def pieces(self, most: int, seconds: float) -> AsyncGenerator[bytes]:
        """The same as it comes, within ``seconds`` in all."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """``path`` is decoded and begins with a slash; ``target``: the same with its query, as it came.
    ``host``: the name it was asked by, without port, in lower case. ``query``: the first value of each
    name. ``tls``: it came under TLS; ``local``: from this machine; ``peer``: the client's address, '' on
    a Unix socket."""

    method: str
    path: str
    target: str
    host: str
    query: Mapping[str, str]
    fields: tuple[tuple[bytes, bytes], ...]
    tls: bool
    local: bool
    content: Content = dataclass_field(repr=False)
    peer: str = ""

    def field(self, name: bytes) -> str:
        """The value of the first field of a name in lower case; '' where there is none."""
        for one, value in self.fields:
            if one == name:
                return value.decode("latin-1")
        return ""

    def allow(self, *methods: str) -> None:
        """Raises ``Refused`` for any other method; HEAD goes with GET (RFC 9110 §9.3.2)."""
        if "GET" in methods:
            methods = (*methods, "HEAD")
        if self.method not in methods:
            allowed = ", ".join(methods)
            raise Refused(405, f"This is asked for with {allowed}.", (("Allow", allowed),))
