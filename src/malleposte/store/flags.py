"""Flags and keywords of an email as the store keeps them.

Well-known flags are bits of ``email.flags``; any other keyword is a word in ``email.keywords`` (lower
case, sorted, a space between). ``\\Deleted`` is not among them: it belongs to the membership.
JMAP names them ``$seen`` …, IMAP ``\\Seen`` … (RFC 8621 §4.1.1, RFC 5788).
"""

from collections.abc import Iterable

SEEN = 1
ANSWERED = 2
FLAGGED = 4
DRAFT = 8
FORWARDED = 16
MDN_SENT = 32
JUNK = 64
NOT_JUNK = 128
PHISHING = 256

BITS: dict[str, int] = {
    "\\seen": SEEN,
    "\\answered": ANSWERED,
    "\\flagged": FLAGGED,
    "\\draft": DRAFT,
    "$forwarded": FORWARDED,
    "$mdnsent": MDN_SENT,
    "$junk": JUNK,
    "$notjunk": NOT_JUNK,
    "$phishing": PHISHING,
}
"""Lower-case IMAP name to bit."""

WIRE: tuple[tuple[int, bytes], ...] = (
    (ANSWERED, b"\\Answered"),
    (FLAGGED, b"\\Flagged"),
    (DRAFT, b"\\Draft"),
    (SEEN, b"\\Seen"),
    (FORWARDED, b"$Forwarded"),
    (MDN_SENT, b"$MDNSent"),
    (JUNK, b"$Junk"),
    (NOT_JUNK, b"$NotJunk"),
    (PHISHING, b"$Phishing"),
)
"""Bit to the name on the IMAP wire, in the order they are written."""

MAX_KEYWORDS_EMAIL = 100
"""Other keywords on one email; clients use a handful, a row must stay narrow."""
MAX_KEYWORDS_ACCOUNT = 1_000
"""Distinct keywords of an account: FLAGS and PERMANENTFLAGS list them all."""
MAX_KEYWORD_LENGTH = 255
"""Octets of one keyword (RFC 8621 §4.1.1)."""


def split(names: Iterable[str]) -> tuple[int, frozenset[str]]:
    """Bits and other keywords (lower case) of flag names; ``\\Deleted`` and ``\\Recent`` are left out."""
    bits = 0
    words = set()
    for name in names:
        low = name.lower()
        bit = BITS.get(low)
        if bit is not None:
            bits |= bit
        elif not low.startswith("\\"):
            words.add(low)
    return bits, frozenset(words)


def join(words: Iterable[str]) -> str | None:
    """The ``keywords`` column for a set of words."""
    return " ".join(sorted(words)) or None
