"""What a listener is: its mode and the extensions it offers. Plain data."""

from dataclasses import dataclass
from enum import Enum


class Mode(Enum):
    """The three protocols that share this engine."""

    SMTP = "smtp"
    """Mail exchange, RFC 5321."""
    LMTP = "lmtp"
    """Local delivery, RFC 2033: LHLO, and one reply per recipient after the content."""
    SUBMISSION = "submission"
    """RFC 6409: AUTH must come before MAIL."""


class BareNewlines(Enum):
    """What happens to content that holds a CR without LF or an LF without CR.

    Neither ever ends a line of a command, nor the content: CRLF.CRLF alone does, so a message
    cannot be split in two *here*, whatever this says. What is left of SMTP smuggling (SEC
    Consult, 2023) is that we might hand such content on to a server which does take LF.LF or
    CR.CR for the end.

    `KEEP`, the default, keeps bare newlines as content, byte for byte, but refuses the message
    (554 5.6.0) if a dot stands alone on its line after a bare newline, or after any newline and
    NULs (which some servers drop): the shapes that others have been found to take for an end.
    Nothing that people write looks like this, and no message of the 3,790 in our corpora does,
    whereas six of them (five of them received by real servers) hold a bare CR somewhere: refusing
    those outright, as Gmail does, loses mail and turns away old scanners and printers for no gain
    in safety.

    `REFUSE` refuses every message with a bare newline, as RFC 5321 §2.3.8 forbids them to the
    sender. Right where only known, correct clients submit.

    Both apply to BDAT as well, whose octets are otherwise taken exactly as they are.
    """

    KEEP = "keep"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Settings:
    """What one listener announces and insists on.

    PIPELINING, SIZE, 8BITMIME, SMTPUTF8, CHUNKING, LIMITS and ENHANCEDSTATUSCODES are always offered;
    BINARYMIME (RFC 3030) never is.
    """

    hostname: str
    """Our name in greeting, EHLO and 421 (RFC 5321 §4.3.1: a domain of ours)."""

    mode: Mode = Mode.SMTP

    banner: str = "ready"
    """The rest of the greeting, after the name and `ESMTP` or `LMTP`."""

    starttls: bool = False
    """Offer STARTTLS while the connection is in the clear. The service has a certificate."""

    tls_required: bool = False
    """Refuse everything but EHLO, NOOP, QUIT and STARTTLS in the clear (RFC 3207 §4). Not for a
    public MX."""

    auth: bool = False
    """Offer AUTH (PLAIN, LOGIN) under TLS or on loopback. Always on for submission."""

    dsn: bool = False
    """Offer DSN (RFC 3461), and take its parameters. To strangers it is not offered: a forged sender would
    have the whole message sent to whom he likes, by a report on a forward that failed."""

    future_release: int = 0
    """Seconds for which a message can be held before it is sent (RFC 4865, in submission alone); 0: not
    offered."""

    bare_newlines: BareNewlines = BareNewlines.KEEP

    @property
    def offers_release(self) -> bool:
        return self.future_release > 0 and self.mode is Mode.SUBMISSION

    @property
    def offers_auth(self) -> bool:
        return self.auth or self.mode is Mode.SUBMISSION
