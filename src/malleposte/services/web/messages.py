"""A request and its response, as handlers see them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import msgspec

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
    """``route``: what answered, for figures; '' is nothing."""

    status: int
    body: bytes
    kind: str = TEXT
    fields: Fields = ()
    route: str = ""

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


@dataclass(frozen=True, slots=True)
class Request:
    """``path`` is decoded and begins with a slash; ``target``: the same with its query, as it came.
    ``host``: the name it was asked by, without port, in lower case. ``query``: the first value of each
    name. ``tls``: it came under TLS; ``local``: from this machine. ``read`` gives the content, once; it
    raises ``Refused`` where that is too large or too slow."""

    method: str
    path: str
    target: str
    host: str
    query: Mapping[str, str]
    fields: tuple[tuple[bytes, bytes], ...]
    tls: bool
    local: bool
    read: Callable[[], Awaitable[bytes]] = field(repr=False)

    def allow(self, *methods: str) -> None:
        """Raises ``Refused`` for any other method; HEAD goes with GET (RFC 9110 §9.3.2)."""
        if "GET" in methods:
            methods = (*methods, "HEAD")
        if self.method not in methods:
            allowed = ", ".join(methods)
            raise Refused(405, f"This is asked for with {allowed}.", (("Allow", allowed),))
