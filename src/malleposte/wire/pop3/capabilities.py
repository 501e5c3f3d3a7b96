"""What CAPA answers (RFC 2449 §5): the same before sign-in and after, as §6 wants it of each of these."""

from malleposte.wire.sasl import mechanism_names


def capabilities(*, stls: bool, plaintext_allowed: bool) -> list[str]:
    """The lines; `stls`: TLS can be had and is not on (RFC 2595 §4). Where a password may not be sent,
    nothing is offered that would show one (RFC 2449 §6.2)."""
    lines = [
        "TOP",
        "UIDL",
        "RESP-CODES",
        "AUTH-RESP-CODE",
        "PIPELINING",
        "EXPIRE NEVER",
        "UTF8 USER",
        "IMPLEMENTATION Malleposte",
    ]
    if stls:
        lines.append("STLS")
    mechanisms = mechanism_names(plaintext_allowed=plaintext_allowed)
    if mechanisms:
        lines += ["USER", "SASL " + " ".join(mechanisms)]
    return lines
