"""The form of a request (RFC 8620 §3.3): what is refused before any call is carried out."""

from typing import Any

import msgspec

from malleposte.services.jmap.errors import (
    LIMIT,
    NOT_JSON,
    NOT_REQUEST,
    UNKNOWN_CAPABILITY,
    RequestError,
)
from malleposte.services.jmap.settings import JmapSettings

Invocation = tuple[str, dict[str, Any], str]
"""A call, or its answer: name, arguments, the client's id for it (§3.2)."""


class Request(msgspec.Struct, frozen=True, rename="camel"):
    """See the module."""

    using: list[str]
    method_calls: list[Invocation]
    created_ids: dict[str, str] | None = None


_decoder = msgspec.json.Decoder(Request)


def decode(octets: bytes, settings: JmapSettings, known: frozenset[str]) -> Request:
    """A request; ``known`` are the capabilities there are. Raises ``RequestError``."""
    try:
        request = _decoder.decode(octets)
    except msgspec.ValidationError as error:
        raise RequestError(NOT_REQUEST, f"This is no request of JMAP: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(NOT_JSON, f"This is no JSON: {error}") from None
    return _checked(request, settings, known)


def converted(value: object, settings: JmapSettings, known: frozenset[str]) -> Request:
    """The same of what was decoded already."""
    try:
        request = msgspec.convert(value, Request)
    except msgspec.ValidationError as error:
        raise RequestError(NOT_REQUEST, f"This is no request of JMAP: {error}") from None
    return _checked(request, settings, known)


def _checked(request: Request, settings: JmapSettings, known: frozenset[str]) -> Request:
    for capability in request.using:
        if capability not in known:
            raise RequestError(UNKNOWN_CAPABILITY, f"{capability!r} is not known here")
    if len(request.method_calls) > settings.max_calls_in_request:
        raise RequestError(
            LIMIT,
            f"A request has at most {settings.max_calls_in_request} calls",
            limit="maxCallsInRequest",
        )
    return request
