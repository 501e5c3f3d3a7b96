"""Answers of more than one status (RFC 4918 §13), and errors that name a condition (§16)."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Final

from malleposte.services.dav.properties import Properties
from malleposte.services.dav.xml import BEGIN, END, dav, document, element, href, readable
from malleposte.services.web.messages import Response

XML: Final = "application/xml; charset=utf-8"


def status(code: int) -> str:
    """The element of a status."""
    return element(dav("status"), f"HTTP/1.1 {code} {HTTPStatus(code).phrase}")


def response(path: str, *within: str) -> str:
    """What is said of one resource."""
    return element(dav("response"), href(path), *within)


def properties(path: str, known: Properties, asked: Sequence[str], *, minimal: bool = False) -> str:
    """What is asked of a resource, and what of it there is not (left out where little is preferred, RFC
    8144 §2.1)."""
    found = [element(name, known[name]()) for name in asked if name in known]
    missing = [element(name) for name in asked if name not in known and readable(name)]
    stats = []
    if found or not missing or minimal:
        stats.append(propstat(found, 200))
    if missing and not minimal:
        stats.append(propstat(missing, 404))
    return response(path, *stats)


def propstat(elements: Iterable[str], code: int) -> str:
    """Properties of one status."""
    return element(dav("propstat"), element(dav("prop"), *elements), status(code))


def multistatus(parts: Iterable[str], route: str) -> Response:
    """A whole answer."""
    body = "".join((BEGIN, *parts, END)).encode("utf-8", "replace")
    return Response(207, body, XML, route=route)


def failed(code: int, condition: str, *within: str, route: str = "dav-refused") -> Response:
    """An error that names a condition that did not hold."""
    return Response(code, document("error", element(condition, *within)), XML, route=route)
