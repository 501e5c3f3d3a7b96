"""Patterns of `:matches`: `*` is any characters, `?` is one, a backslash before one of them or
before a backslash takes its meaning away (RFC 5228 §2.7.1).

Each `*` takes as few characters as it can, from the left (RFC 5229 §3.2): the pieces of text
between stars are looked for one after the other, so nothing is ever tried twice.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_MARK: Final = re.compile(r"\\(.)|([*?])", re.DOTALL)


class Piece(NamedTuple):
    """What stands between two stars. `search` is set if it holds a `?`; else `text` is all."""

    text: str
    singles: tuple[int, ...]
    search: re.Pattern[str] | None

    def find(self, text: str, start: int) -> int:
        """Where it is first, from `start`; below 0 if nowhere."""
        if self.search is None:
            return text.find(self.text, start)
        match = self.search.search(text, start)
        return -1 if match is None else match.start()

    def stands(self, text: str, at: int) -> bool:
        if self.search is None:
            return text.startswith(self.text, at)
        return self.search.match(text, at) is not None


class Wildcard:
    """One pattern, ready to be compared."""

    def __init__(self, pattern: str) -> None:
        pieces: list[Piece] = []
        literal: list[str] = []
        singles: list[int] = []

        def close() -> None:
            text = "".join(literal)
            search = None
            if singles:
                parts = ["." if at in singles else re.escape(c) for at, c in enumerate(text)]
                search = re.compile("".join(parts), re.DOTALL)
            pieces.append(Piece(text, tuple(singles), search))
            literal.clear()
            singles.clear()

        at = 0
        for match in _MARK.finditer(pattern):
            literal.extend(pattern[at : match.start()])
            at = match.end()
            if match[1] is not None:
                literal.append(match[1])
            elif match[2] == "?":
                singles.append(len(literal))
                literal.append("?")
            else:
                close()
        literal.extend(pattern[at:])
        close()
        self._pieces = tuple(pieces)
        self._least = sum(len(piece.text) for piece in pieces)

    def cost(self, size: int) -> int:
        """Steps of comparing with a text of that many characters, in KiB of characters looked at."""
        each = sum(len(piece.text) if piece.search else 1 for piece in self._pieces)
        return 1 + (size * each >> 10)

    def match(self, text: str) -> list[tuple[int, int]] | None:
        """Where each wildcard stands, in order; None if the text does not match."""
        size = len(text)
        if size < self._least:
            return None
        first = self._pieces[0]
        if not first.stands(text, 0):
            return None
        found = _singles(first, 0)
        at = len(first.text)
        if len(self._pieces) == 1:
            return found if at == size else None
        for piece in self._pieces[1:-1]:
            place = piece.find(text, at)
            if place < 0:
                return None
            found.append((at, place))
            found += _singles(piece, place)
            at = place + len(piece.text)
        last = self._pieces[-1]
        place = size - len(last.text)
        if place < at or not last.stands(text, place):
            return None
        found.append((at, place))
        return found + _singles(last, place)


def _singles(piece: Piece, at: int) -> list[tuple[int, int]]:
    return [(at + single, at + single + 1) for single in piece.singles]


def quoted(text: str) -> str:
    """The pattern that only `text` matches (RFC 5229 §4.1.2, `:quotewildcard`)."""
    return re.sub(r"[*?\\]", r"\\\g<0>", text)
