"""How an HTTP connection becomes a WebSocket of JMAP (RFC 6455 §4.2, RFC 8887 §4.1)."""

import base64
import binascii
from typing import Final

from wsproto.utilities import generate_accept_token

from malleposte.services.web.messages import Fields, Refused, Request

PROTOCOL: Final = "jmap"
_VERSION: Final = "13"
_WORDS: Final = "Here a WebSocket of the sub-protocol jmap is opened (RFC 8887)."


def switching(request: Request) -> Fields:
    """The fields of the 101. Raises ``Refused``."""
    request.allow("GET")
    if "websocket" not in _tokens(request, b"upgrade"):
        raise Refused(426, _WORDS, (("Upgrade", "websocket"),))
    if "upgrade" not in _tokens(request, b"connection"):
        raise Refused(400, _WORDS)
    if request.field(b"sec-websocket-version").strip() != _VERSION:
        raise Refused(426, _WORDS, (("Sec-WebSocket-Version", _VERSION),))
    key = request.field(b"sec-websocket-key").strip()
    try:
        octets = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if len(octets) != 16:
        raise Refused(400, "The Sec-WebSocket-Key is none.")
    if PROTOCOL not in _tokens(request, b"sec-websocket-protocol"):
        raise Refused(400, _WORDS)
    # No extension is taken up: a few compressed octets could become a very long message.
    return (
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", generate_accept_token(key.encode()).decode()),
        ("Sec-WebSocket-Protocol", PROTOCOL),
    )


def _tokens(request: Request, name: bytes) -> set[str]:
    """The members of all fields of a name, in lower case."""
    return {
        token.strip().lower()
        for field, value in request.fields
        if field == name
        for token in value.decode("latin-1").split(",")
    }
