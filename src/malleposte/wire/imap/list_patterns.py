"""Matching mailbox names against the patterns of LIST and LSUB (RFC 9051 §6.3.9).

`*` stands for anything, `%` for anything without a separator. A pattern is hostile input: matching
costs time linear in the name whatever the pattern, as all places of the pattern that can have been
reached are kept as the bits of one number and moved together; there is no backtracking.
"""

from __future__ import annotations

from typing import Final

from malleposte.wire.imap.mailbox_names import INBOX, SEPARATOR, is_inbox

_WILDCARDS: Final = frozenset("*%")


class ListPattern:
    """One pattern, interpreted with its reference: the two are put together.

    `INBOX` in any case at the start of a pattern is the INBOX; the rest is compared exactly.
    """

    __slots__ = ("_any", "_bits", "_final", "_level", "_literal", "_separator", "text")

    def __init__(self, reference: str, pattern: str, separator: str = SEPARATOR) -> None:
        text = reference + pattern
        if is_inbox(text[:5]) and (len(text) == 5 or text[5] in {separator, "*", "%"}):
            text = INBOX + text[5:]
        self.text = text
        self._separator = separator
        # Bit n of a state says that the first n characters of the pattern (wildcards not counted)
        # may have been matched; `_any` and `_level` mark states that a wildcard lets stay.
        self._bits: dict[str, int] = {}
        self._any = 0
        self._level = 0
        state = 1
        for char in self.text:
            if char == "*":
                self._any |= state
            elif char == "%":
                self._level |= state
            else:
                self._bits[char] = self._bits.get(char, 0) | state
                state <<= 1
        self._final = state
        # Most patterns have no wildcard, or are one.
        self._literal = not _WILDCARDS & set(self.text)

    def matches(self, name: str) -> bool:
        """Whether a mailbox of this name is to be listed."""
        if self._literal:
            return name == self.text
        if self.text == "*":
            return True
        bits = self._bits
        any_, level, separator = self._any, self._level, self._separator
        states = 1
        for char in name:
            stay = any_ if char == separator else any_ | level
            states = (states & stay) | ((states & bits.get(char, 0)) << 1)
            if not states:
                return False
        return bool(states & self._final)
