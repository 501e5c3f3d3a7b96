"""Cookies (RFC 6265): the session's, and one by which a browser is known again.

Under TLS their names begin with ``__Host-``: no other host, also none below this one's name, can set them.
Without TLS, which is on loopback alone, a browser would not take such a name.
"""

from typing import Final
from urllib.parse import urlsplit

from malleposte.services.web.messages import Request
from malleposte.services.web.settings import WebSettings

SESSION: Final = "malleposte"
DEVICE: Final = "malleposte-device"
STEP: Final = "malleposte-step"
MAX_VALUE: Final = 2_000


def is_secure(request: Request, settings: WebSettings) -> bool:
    """Whether the browser came by TLS, to this server or to one in front of it on this machine."""
    if request.tls:
        return True
    outside = urlsplit(settings.secure_url).netloc.lower()
    asked = request.field(b"host").lower()
    return request.local and bool(outside) and asked in (outside, outside.removesuffix(":443"))


def may_show_secrets(request: Request) -> bool:
    """Whether nobody on the way reads what is sent."""
    return request.tls or request.local


def value_of(request: Request, name: str, settings: WebSettings) -> str:
    """The value that a browser sent; '' where it sent none, or two different ones."""
    wanted = _name(name, secure=is_secure(request, settings))
    found = set()
    for field, octets in request.fields:
        if field != b"cookie":
            continue
        for pair in octets.decode("latin-1").split(";"):
            key, _, value = pair.strip().partition("=")
            if key == wanted and len(value) <= MAX_VALUE:
                found.add(value)
    return found.pop() if len(found) == 1 else ""


def setting(name: str, value: str, *, secure: bool, seconds: int | None = None) -> tuple[str, str]:
    """The field that sets a cookie for ``seconds``, None until the browser is closed."""
    parts = [f"{_name(name, secure=secure)}={value}", "Path=/", "HttpOnly", "SameSite=Strict"]
    if secure:
        parts.append("Secure")
    if seconds is not None:
        parts.append(f"Max-Age={seconds}")
    return "Set-Cookie", "; ".join(parts)


def removing(name: str, *, secure: bool) -> tuple[str, str]:
    """The field that takes a cookie away."""
    return setting(name, "", secure=secure, seconds=0)


def _name(name: str, *, secure: bool) -> str:
    return f"__Host-{name}" if secure else name
