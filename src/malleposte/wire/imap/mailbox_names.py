"""Mailbox names between the wire and the inside (RFC 9051 §5.1, RFC 3501 §5.1, RFC 9755 §3).

Inside a name is text, and INBOX is spelt `INBOX`. On the wire it is modified UTF-7, or UTF-8 once
the client enabled IMAP4rev2 or UTF8=ACCEPT. The module does not know which mailboxes exist.
"""

from __future__ import annotations

import unicodedata
from typing import Final, NewType

from malleposte.wire.imap import utf7

MailboxName = NewType("MailboxName", str)
"""A mailbox name as text: `INBOX` and its children begin with exactly these letters."""

INBOX: Final = MailboxName("INBOX")

SEPARATOR: Final = "/"
"""Between levels of the hierarchy. `.` would forbid dots in names, which users write."""


_TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates (UAX #9 §2): with them a name is shown as another. Marks of
direction, which names in Hebrew and Arabic need, are not among them."""


def is_inbox(level: str) -> bool:
    """Whether a level spells INBOX: in any case, but in ASCII (the upper case of U+0131 is I too)."""
    return len(level) == 5 and level.isascii() and level.upper() == INBOX


def upper(text: str) -> str:
    """Letters of ASCII in upper case, all others as they are."""
    return text.encode("utf-8", "surrogatepass").upper().decode("utf-8", "surrogatepass")


def canonical(name: str) -> MailboxName:
    """INBOX in any case, also as the first level, becomes `INBOX` (RFC 9051 §5.1)."""
    if is_inbox(name[:5]) and (len(name) == 5 or name[5] == SEPARATOR):
        return MailboxName(INBOX + name[5:])
    return MailboxName(name)


def from_wire(raw: bytes, utf8: bool) -> str | None:
    """The text of a name or pattern as a client wrote it; None where it is not UTF-8 at all.

    8-bit bytes without ENABLE are against RFC 3501 §5.1; where they are UTF-8 there is only one
    thing they can mean, and old clients send them.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if utf8:
        return text
    return utf7.decode(text)


def to_wire(name: str, utf8: bool) -> bytes:
    """The bytes of a name before quoting; lone surrogates cannot be in a stored name."""
    if utf8:
        return name.encode("utf-8", "replace")
    return utf7.encode(name)


def unfit(name: str, separator: str = SEPARATOR) -> str | None:
    """Why a new mailbox cannot have this name, in words for NO [CANNOT]; None where it can.

    RFC 9051 §5.1 item 1 and RFC 5198: no control characters, no line or paragraph separators, no
    surrogates, nothing that shows it as another; levels are not empty and not `.` or `..`, which
    would trip over file systems at an export.
    """
    if not name:
        return "A mailbox name cannot be empty"
    for char in name:
        category = unicodedata.category(char)
        if category in {"Cc", "Cs", "Zl", "Zp"} or char == "\ufeff":
            return "A mailbox name cannot hold control characters"
        if char in _TURNS:
            return "A mailbox name cannot hold characters that change the direction of text"
    for level in name.split(separator):
        if not level.strip():
            return "A mailbox name cannot have an empty level"
        if level in {".", ".."}:
            return "A level of a mailbox name cannot be . or .."
        if "%" in level or "*" in level:
            return "A mailbox name cannot hold the wildcards % and *"
    return None
