"""From codes and words to a reason that a person understands (RFC 3463, and what servers really say).

An enhanced code counts if it says anything; what big providers say otherwise than its definition, and
servers without enhanced codes, are told by their words. Words only ever choose a sentence of ours.
"""

import re
from typing import Final

from malleposte.i18n.delivery_reasons import Reason

from .job import Fate

_ENHANCED: Final = re.compile(r"\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b")
_OPEN: Final = frozenset(("", "0.0", "4.7", "7.0", "7.1"))
"""Subject and detail of codes that say nothing by themselves: undefined, time over, security."""

_WORDS: Final = (
    (Reason.GREYLISTED, re.compile(r"(?i)gr[ea]y-?list")),
    (
        Reason.UNVERIFIED,
        re.compile(r"(?i)\b(?:dmarc|dkim|spf|unauthenticated)\b|5\.7\.26|reverse dns|\bptr\b"),
    ),
    (
        Reason.SPAM,
        re.compile(
            r"(?i)spam|block(?:ed|list| list)|black ?list|reputation|\brbl\b|dnsbl|barracuda"
            r"|virus|malware|phish|unsolicited|suspicious"
        ),
    ),
    (Reason.TOO_LARGE, re.compile(r"(?i)too (?:large|big)|size limit|exceeds .{0,40}size")),
    (
        Reason.FULL,
        re.compile(r"(?i)(?:mailbox|inbox|quota|storage).{0,40}(?:full|exceeded)|over ?quota"),
    ),
    (
        Reason.NO_SUCH_USER,
        re.compile(
            r"(?i)(?:user|recipient|mailbox|address|account)\b.{0,60}"
            r"(?:unknown|not found|does not exist|doesn.t exist|invalid|unavailable|no longer)"
            r"|(?:unknown|no such|invalid|non-?existent) (?:user|recipient|mailbox|address|account)"
            r"|recipientnotfound|doesn.t have an? .{0,40}account"
        ),
    ),
    (Reason.SENDER, re.compile(r"(?i)sender (?:address )?(?:rejected|denied|verify|refused)")),
    (Reason.NO_TLS, re.compile(r"(?i)starttls|\btls\b|certificate|encrypt")),
    (Reason.LOOKUP, re.compile(r"(?i)\bdns\b|look-?up|name server|resolver")),
)

_TABLE: Final = {
    "1.0": Reason.NO_SUCH_USER,
    "1.1": Reason.NO_SUCH_USER,
    "1.2": Reason.NO_SUCH_DOMAIN,
    "1.3": Reason.BAD_ADDRESS,
    "1.4": Reason.BAD_ADDRESS,
    "1.6": Reason.NO_SUCH_USER,
    "1.7": Reason.SENDER,
    "1.8": Reason.SENDER,
    "1.10": Reason.NO_MAIL,
    "2.0": Reason.OFF,
    "2.1": Reason.OFF,
    "2.2": Reason.FULL,
    "2.3": Reason.TOO_LARGE,
    "2.4": Reason.POLICY,
    "3.0": Reason.BUSY,
    "3.1": Reason.BUSY,
    "3.2": Reason.BUSY,
    "3.4": Reason.TOO_LARGE,
    "3.5": Reason.OURS,
    "4.0": Reason.UNREACHABLE,
    "4.1": Reason.UNREACHABLE,
    "4.2": Reason.BROKEN_OFF,
    "4.3": Reason.LOOKUP,
    "4.4": Reason.NO_SUCH_DOMAIN,
    "4.5": Reason.BUSY,
    "4.6": Reason.LOOP,
    "4.14": Reason.LOOP,
    "5.3": Reason.BUSY,
    "6.0": Reason.CONTENT,
    "6.1": Reason.CONTENT,
    "6.2": Reason.CONTENT,
    "6.3": Reason.CONTENT,
    "6.6": Reason.CONTENT,
    "6.7": Reason.BEYOND_ASCII,
    "7.0": Reason.POLICY,
    "7.1": Reason.POLICY,
    "7.2": Reason.POLICY,
    "7.4": Reason.NO_TLS,
    "7.5": Reason.NO_TLS,
    "7.8": Reason.OURS,
    "7.9": Reason.OURS,
    "7.10": Reason.NO_TLS,
    "7.11": Reason.OURS,
    "7.20": Reason.UNVERIFIED,
    "7.21": Reason.UNVERIFIED,
    "7.22": Reason.UNVERIFIED,
    "7.23": Reason.UNVERIFIED,
    "7.24": Reason.UNVERIFIED,
    "7.25": Reason.UNVERIFIED,
    "7.26": Reason.UNVERIFIED,
    "7.27": Reason.SENDER,
    "7.28": Reason.SPAM,
    "7.29": Reason.UNVERIFIED,
}
"""By subject and detail (RFC 3463, RFC 7372, RFC 7505, and others registered since)."""

_CODES: Final = {"552": Reason.FULL, "553": Reason.BAD_ADDRESS, "521": Reason.NO_MAIL}
_NO_ANSWER: Final = {"3.0": Reason.OURS}
"""What is said where no server answered: then it is about ours."""


def reason_of(fate: Fate) -> Reason:
    """Why a recipient was not reached."""
    reply = fate.reply
    found = _ENHANCED.match(reply)
    detail = (found[1] if found else fate.status).partition(".")[2]
    words = reply or fate.said
    if detail in _OPEN or (reply and detail in _DOUBTFUL):
        for reason, pattern in _WORDS:
            if pattern.search(words[:500]):
                return reason
    if not reply and detail in _NO_ANSWER:
        return _NO_ANSWER[detail]
    if reply and detail == "1.10":  # RFC 7505 has it for domains; one large provider for users
        return Reason.NO_SUCH_USER
    if reply.startswith("5") and detail == "3.0":
        return Reason.REFUSED  # for good: no trouble of the other server's that passes
    if detail in _TABLE:
        return _TABLE[detail]
    if not reply:
        return Reason.UNREACHABLE
    temporary = reply.startswith("4")
    return _CODES.get(reply[:3], Reason.BUSY if temporary else Reason.REFUSED)


_DOUBTFUL: Final = frozenset(("1.0", "2.0", "3.0", "4.1", "5.0", "6.0"))
"""Codes that servers give for much else; their words know better."""
