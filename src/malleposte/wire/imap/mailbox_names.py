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


def canonical(name: str) -> MailboxName:
    """INBOX in any case, also as the first level, becomes `INBOX` (RFC 9051 §5.1)."""
    if name[:5].upper() == INBOX and (len(name) == 5 or name[5] == SEPARATOR):
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
    private or unassigned surprises such as surrogates; levels are not empty and not `.` or `..`,
    which would trip over file systems at an export.
    """
    if not name:
        return "A mailbox name cannot be empty"
    for char in name:
        category = unicodedata.category(char)
        if category in {"Cc", "Cs", "Zl", "Zp"} or char == "\ufeff":
            return "A mailbox name cannot hold control characters"
    for level in name.split(separator):
        if not level.strip():
            return "A mailbox name cannot have an empty level"
        if level in {".", ".."}:
            return "A level of a mailbox name cannot be . or .."
        if "%" in level or "*" in level:
            return "A mailbox name cannot hold the wildcards % and *"
    return None
