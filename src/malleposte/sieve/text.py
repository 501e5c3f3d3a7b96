"""Strings of a script, as they are during a run: encoded characters resolved, variables put in.

`${hex:…}` and `${unicode:…}` (RFC 5228 §2.4.2.4) are replaced once, when the script is checked;
`${name}` (RFC 5229 §3) each time. What looks like neither stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from .errors import Wrong
from .run import Run

_ENCODED: Final = re.compile(
    r"\$\{(?:(hex):((?:\s*[0-9a-f]{1,2}(?![0-9a-f]))+)|(unicode):((?:\s*[0-9a-f]++)+))\s*\}",
    re.IGNORECASE,
)
_REFERENCE: Final = re.compile(
    r"\$\{(?:([0-9]+)|((?:[A-Za-z_][A-Za-z0-9_]*\.(?:(?:[0-9]+|[A-Za-z_][A-Za-z0-9_]*)\.)*)?)"
    r"([A-Za-z_][A-Za-z0-9_]*|[0-9]+))\}"
)
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Reference(NamedTuple):
    """A variable: a `number` of what a wildcard took, or a `name`, of this script or `shared`."""

    number: int = -1
    name: str = ""
    shared: bool = False

    def value(self, run: Run) -> str:
        """What is in it now; one that was never set is empty (RFC 5229 §3)."""
        if self.number >= 0:
            captured = run.captured
            return captured[self.number] if self.number < len(captured) else ""
        return (run.shared if self.shared else run.variables).get(self.name, "")


class Text:
    """One string. `constant` is its value if no variable is in it, else None."""

    __slots__ = ("_pieces", "at", "constant")

    def __init__(self, pieces: Sequence[str | Reference], at: int) -> None:
        self.at = at
        self._pieces = tuple(pieces)
        whole = not any(isinstance(piece, Reference) for piece in pieces)
        self.constant = "".join(map(str, pieces)) if whole else None

    def get(self, run: Run) -> str:
        """Its value now."""
        if self.constant is not None:
            return self.constant
        found: list[str] = []
        room = run.limits.text_characters
        for piece in self._pieces:
            value = piece if isinstance(piece, str) else piece.value(run)
            room -= len(value)
            if room < 0:
                run.fail(self.at, "the text with its variables is too long")
            found.append(value)
        run.charge(len(found) >> 4)
        return "".join(found)


class Texts:
    """A list of strings; `constant` if all are."""

    __slots__ = ("at", "constant", "items")

    def __init__(self, items: Sequence[Text], at: int) -> None:
        self.items = tuple(items)
        self.at = at
        values = tuple(item.constant for item in items)
        self.constant = tuple(v for v in values if v is not None) if None not in values else None

    def get(self, run: Run) -> Sequence[str]:
        """The values now."""
        if self.constant is not None:
            return self.constant
        return [item.get(run) for item in self.items]


def decode_characters(text: str, at: int) -> str:
    """The encoded characters of a string resolved; what they make must be UTF-8."""
    if "${" not in text:
        return text
    found: list[bytes] = []
    end = 0
    for match in _ENCODED.finditer(text):
        found.append(text[end : match.start()].encode())
        end = match.end()
        if match[1]:
            found.append(bytes(int(pair, 16) for pair in match[2].split()))
        else:
            found.append("".join(_character(code, at) for code in match[4].split()).encode())
    if not end:
        return text
    found.append(text[end:].encode())
    try:
        return b"".join(found).decode()
    except UnicodeDecodeError:
        raise Wrong(at, "the octets that ${hex:…} stands for are no UTF-8") from None


def _character(code: str, at: int) -> str:
    digits = code.lstrip("0") or "0"
    number = int(digits, 16) if len(digits) <= 6 else 0x110000
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        raise Wrong(at, f"${{unicode:{code[:20]}}} is no character: 0 to D7FF, E000 to 10FFFF")
    return chr(number)


def references(text: str, shared: Collection[str], spaces: bool, at: int) -> list[str | Reference]:
    """A string cut at its variables; names in `shared` are of all scripts, `spaces` says whether
    `${global.name}` is known."""
    pieces: list[str | Reference] = []
    end = 0
    for match in _REFERENCE.finditer(text):
        if match.start() > end:
            pieces.append(text[end : match.start()])
        end = match.end()
        number, space, name = match.groups()
        if number is not None:
            digits = number.lstrip("0") or "0"
            pieces.append(Reference(int(digits) if len(digits) < 5 else 1 << 20))
            continue
        name = name.lower()
        if space and (space.lower() != "global." or not spaces or name.isdigit()):
            hint = "; global. needs require include" if space.lower() == "global." else ""
            raise Wrong(at, f"there is no variable {space}{name}{hint}")
        pieces.append(Reference(name=name, shared=bool(space) or name in shared))
    if end < len(text) or not pieces:
        pieces.append(text[end:])
    return pieces
