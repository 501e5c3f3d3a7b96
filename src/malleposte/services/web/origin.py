"""Whether a request comes from our own pages: what a browser says of it that no page can forge."""

from typing import Final

from malleposte.services.web.cookies import is_secure
from malleposte.services.web.messages import Refused, Request
from malleposte.services.web.settings import WebSettings

_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_WORDS: Final = "This is asked for by this server's own pages only."


def check_origin(request: Request, settings: WebSettings) -> None:
    """Raises ``Refused`` for what another site has a browser ask. Whatever changes something, or opens a
    stream of its own (RFC 6455 §10.2), must say where it comes from: our cookie alone is no proof."""
    changes = request.method not in _SAFE or bool(request.field(b"upgrade"))
    site, origin = request.field(b"sec-fetch-site").lower(), request.field(b"origin")
    if changes and not site and not origin:
        raise Refused(403, _WORDS)
    # "none": typed by a person, which changes nothing.
    if site and site != "same-origin" and (changes or site != "none"):
        raise Refused(403, _WORDS)
    if origin and origin.lower() not in _own(request, settings):
        raise Refused(403, _WORDS)


def from_browser(request: Request) -> bool:
    """Whether a script of a page asks: then no dialogue of the browser's own is wanted."""
    return bool(request.field(b"sec-fetch-site") or request.field(b"origin"))


def _own(request: Request, settings: WebSettings) -> set[str]:
    host = request.field(b"host").lower()
    scheme = "https" if is_secure(request, settings) else "http"
    own = {f"{scheme}://{host}"}
    if settings.url:
        own.add(settings.url.lower().rstrip("/"))
    return own
