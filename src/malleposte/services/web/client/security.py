"""What a page of the client may do, as its browser is told (CSP 3, Trusted Types).

Two kinds of page: the client itself, with scripts and styles of this server alone; and the frame that
shows one message, which may use any style, and has one script and no connection: pictures are handed to it.
It has an origin of its own (``sandbox`` without ``allow-same-origin``): whatever got to run in it could
reach neither the client nor the session.
"""

from typing import Final

from malleposte.services.web.messages import Fields

POLICIES: Final = "dompurify malleposte default"
"""Of Trusted Types: what may make markup from text. `default` is the editor's, and sanitises as well."""

_PAGE: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "media-src 'self' blob:",
    # A PDF is shown by the browser's own viewer, from what the page fetched; a page made so would have this
    # policy.
    "frame-src 'self' blob:",
    "worker-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    f"trusted-types {POLICIES}",
)
_NO_DEVICES: Final = ", ".join(
    f"{name}=()"
    for name in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
)

PAGE: Final[Fields] = (
    ("Content-Security-Policy", "; ".join(_PAGE)),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Origin-Agent-Cluster", "?1"),
    ("Permissions-Policy", _NO_DEVICES),
)
"""Of the client's own page."""


WORKER: Final[Fields] = (
    ("Content-Security-Policy", "default-src 'none'; script-src 'self'; connect-src 'self'"),
)
"""Of the service worker: it keeps the files of the client, and asks the server what mail is new."""


def frame(script: str) -> Fields:
    """Of the frame that shows a message; ``script``: the hash of the one it has."""
    policy = (
        "default-src 'none'",
        f"script-src '{script}'" if script else "script-src 'none'",
        # Mail is made of styles within its tags; the sanitiser has seen to what they may say.
        "style-src 'unsafe-inline'",
        "img-src data: blob:",
        "font-src 'none'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
        # Modal: to be printed. The reader takes that away again, by the sandbox of its own.
        "sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox allow-modals",
    )
    return (
        ("Content-Security-Policy", "; ".join(policy)),
        # Else a browser looks up the names in links before anybody follows one.
        ("X-DNS-Prefetch-Control", "off"),
        ("Permissions-Policy", _NO_DEVICES),
    )
