"""What EHLO and LHLO answer, and the `with` word that goes into a Received field."""

from malleposte.wire.sasl import mechanism_names

from .events import Greeting
from .limits import Limits
from .release import keyword
from .settings import Mode, Settings


def capability_lines(
    settings: Settings,
    limits: Limits,
    *,
    tls: bool,
    plaintext_allowed: bool,
    signed_in: bool,
    now: float = 0.0,
) -> list[str]:
    """The EHLO keywords in force at this moment (RFC 5321 §4.1.1.1), without our name."""
    lines = [
        "PIPELINING",  # RFC 2920
        f"SIZE {limits.message}",  # RFC 1870
        "8BITMIME",  # RFC 6152
        "SMTPUTF8",  # RFC 6531
        "CHUNKING",  # RFC 3030
        f"LIMITS MAILMAX={limits.transactions} RCPTMAX={limits.recipients}",  # RFC 9422
        "ENHANCEDSTATUSCODES",  # RFC 2034
    ]
    if settings.dsn:
        lines.append("DSN")  # RFC 3461
    if settings.offers_release:
        lines.append(keyword(settings.future_release, now))  # RFC 4865
    if settings.starttls and not tls:
        lines.append("STARTTLS")  # RFC 3207 §4.2: not once TLS is active
    if settings.offers_auth and not signed_in:
        mechanisms = mechanism_names(plaintext_allowed=plaintext_allowed)
        if mechanisms:
            lines.append("AUTH " + " ".join(mechanisms))  # RFC 4954
    return lines


def with_word(mode: Mode, greeting: Greeting, *, tls: bool, signed_in: bool, smtputf8: bool) -> str:
    """The protocol of a Received field: ESMTP, ESMTPS, ESMTPSA, UTF8SMTP, LMTPS, …

    RFC 3848 adds S for TLS and A for AUTH, RFC 6531 §4.3 the UTF8 forms. HELO has no variants.
    """
    if greeting is Greeting.HELO:
        return "SMTP"
    if smtputf8:
        word = "UTF8LMTP" if mode is Mode.LMTP else "UTF8SMTP"
    else:
        word = "LMTP" if mode is Mode.LMTP else "ESMTP"
    return f"{word}{'S' if tls else ''}{'A' if signed_in else ''}"
