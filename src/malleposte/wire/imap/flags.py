"""Flags and keywords (RFC 9051 §2.3.2).

Inside a flag is text: system flags in the spelling of the RFC, keywords as the client wrote them.
Both are compared without case (`fold`).
"""

from __future__ import annotations

import re
from typing import Final, NewType

Flag = NewType("Flag", str)
r"""`\Seen`, `$Junk`, `work`: a system flag in canonical spelling, or a keyword."""

ANSWERED: Final = Flag("\\Answered")
FLAGGED: Final = Flag("\\Flagged")
DELETED: Final = Flag("\\Deleted")
SEEN: Final = Flag("\\Seen")
DRAFT: Final = Flag("\\Draft")

SYSTEM_FLAGS: Final = (ANSWERED, FLAGGED, DELETED, SEEN, DRAFT)
"""Those a client may set. `\\Recent` is only ever set by the server (RFC 3501 §2.3.2)."""

_SYSTEM: Final = {flag.lower().encode("ascii"): flag for flag in SYSTEM_FLAGS}
# An atom: RFC 9051 §9 `flag-keyword`.
_KEYWORD: Final = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+")


def parse_flag(raw: bytes) -> Flag | None:
    r"""A flag that a client may set; None for `\Recent`, `\*`, unknown `\…` and bad keywords."""
    if raw[:1] == b"\\":
        return _SYSTEM.get(raw.lower())
    if _KEYWORD.fullmatch(raw):
        return Flag(raw.decode("ascii"))
    return None


def fold(flag: str) -> str:
    """The form in which two flags are the same (keywords are case-insensitive)."""
    return flag.lower()


def render_flags(flags: list[str] | tuple[str, ...]) -> bytes:
    r"""`\Seen $Junk`: the inside of a flag list. What cannot stand on the wire is left out: a
    keyword that came another way (JMAP, an import) must not break every FETCH."""
    words: list[bytes] = []
    for flag in flags:
        if flag.isascii():
            word = flag.encode("ascii")
            if _KEYWORD.fullmatch(word, 1 if word[:1] == b"\\" else 0):
                words.append(word)
    return b" ".join(words)
