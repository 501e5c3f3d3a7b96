"""What is wrong with a script, where, and in words that its author can act on."""

from __future__ import annotations

from typing import NamedTuple


class Mistake(NamedTuple):
    """One mistake. `line` and `column` count from 1; `script` names an included script, else ""."""

    line: int
    column: int
    text: str
    script: str = ""

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.column}: {self.text}"
        return f"{self.script}, {where}" if self.script else where


class SieveError(Exception):
    """A script that cannot be used: everything that was found wrong, in the order of the script.

    Syntax ends the reading, so it is one mistake; those of meaning are told together.
    """

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


class Wrong(Exception):
    """One mistake at an offset of the source, on its way to become a `Mistake`."""

    def __init__(self, at: int, text: str) -> None:
        super().__init__(text)
        self.at = at
        self.text = text


class Failure(Wrong):
    """The same, of a run: the script ends, the message is kept."""
