"""Header fields of every response, by which a browser does nothing with it that is not meant."""

from typing import Final

NOTHING_LEAKS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    # All that is here yet follows the address that was asked about.
    ("Cache-Control", "no-store"),
)
STAY_SECURE: Final = ("Strict-Transport-Security", "max-age=31536000")
"""RFC 6797, under TLS; without names below ours, which may be other machines'."""
