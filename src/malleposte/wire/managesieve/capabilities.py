"""What CAPABILITY answers, the greeting and the end of a TLS handshake too (RFC 5804 §1.7)."""

from malleposte.wire.sasl import mechanism_names

from .responses import string
from .settings import Settings


def capabilities(
    settings: Settings, *, starttls: bool, plaintext_allowed: bool, owner: str
) -> bytes:
    """The lines. `starttls`: TLS can be had and is not on; where a password may not be sent, no mechanism
    is named. `owner`: who is signed in, '' nobody."""
    lines: list[tuple[str, str | None]] = [
        ("IMPLEMENTATION", "Malleposte"),
        ("SASL", " ".join(mechanism_names(plaintext_allowed=plaintext_allowed))),
        ("SIEVE", " ".join(settings.extensions)),
        ("MAXREDIRECTS", str(settings.redirects)),
        ("UNAUTHENTICATE", None),
        ("VERSION", "1.0"),
    ]
    if starttls:
        lines.insert(2, ("STARTTLS", None))
    if owner:
        lines.append(("OWNER", owner))
    return b"".join(
        string(name) + (b"" if value is None else b" " + string(value)) + b"\r\n"
        for name, value in lines
    )
