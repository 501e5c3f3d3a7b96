"""Announcements of literals at the end of a line (RFC 9051 §4.3, RFC 7888, RFC 3516)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# Twenty digits hold any number64; more is no number this protocol knows.
_AT_END: Final = re.compile(rb"(~?)\{([0-9]{1,20})(\+?)\}\Z")

ANNOUNCEMENT_MAX: Final = 24
"""Length of the longest announcement: `~{`, 20 digits, `+}`."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """`{n}`, `{n+}` or `~{n}`: `size` octets follow the line end, at once where `waits` is false,
    after the server's continuation where it is true. `start` is where it stands in its line."""

    size: int
    waits: bool
    binary: bool
    start: int


def announced(line: bytes | bytearray) -> Announcement | None:
    """The literal that a line (without its CRLF) ends in; None where it ends in none.

    A quoted string cannot run on into the next line and no atom holds a brace, so a line that ends
    like this means a literal, or is an error whichever way it is read.
    """
    if line[-1:] != b"}":
        return None
    match = _AT_END.search(line, max(0, len(line) - ANNOUNCEMENT_MAX))
    if match is None:
        return None
    return Announcement(int(match[2]), not match[3], bool(match[1]), match.start())
