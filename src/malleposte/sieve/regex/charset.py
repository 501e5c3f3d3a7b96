"""Sets of characters in regular expressions: brackets, classes, the dot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

Fold = Callable[[str], tuple[str, ...]]
"""A character and the others that are the same to the comparator."""


def exact(character: str) -> tuple[str, ...]:
    """i;octet: no other is the same."""
    return (character,)


def ascii_cases(character: str) -> tuple[str, ...]:
    """i;ascii-casemap: the two cases of a letter of ASCII."""
    if character.isascii():
        return character.lower(), character.upper()
    return (character,)


def unicode_cases(character: str) -> tuple[str, ...]:
    """i;unicode-casemap: all cases that are one character."""
    if character.isascii():
        return character.lower(), character.upper()
    return character, character.lower(), character.upper(), character.title()


CLASSES: Final[dict[str, Callable[[str], bool]]] = {
    "alnum": str.isalnum,
    "alpha": str.isalpha,
    "blank": lambda c: c in " \t\u00a0\u3000",
    "cntrl": lambda c: c < " " or "\x7f" <= c <= "\x9f",
    "digit": lambda c: "0" <= c <= "9",
    "graph": lambda c: c.isprintable() and not c.isspace(),
    "lower": str.islower,
    "print": str.isprintable,
    "punct": lambda c: c.isprintable() and not c.isalnum() and not c.isspace(),
    "space": str.isspace,
    "upper": str.isupper,
    "xdigit": lambda c: c in "0123456789abcdefABCDEF",
}


class Charset(NamedTuple):
    """Single characters, ranges and classes, or all but these."""

    singles: frozenset[str] = frozenset()
    ranges: tuple[tuple[str, str], ...] = ()
    classes: tuple[Callable[[str], bool], ...] = ()
    negated: bool = False

    def holds(self, character: str, fold: Fold) -> bool:
        """Whether a character, in any of its cases, is in the set."""
        return any(map(self._names, fold(character))) is not self.negated

    def _names(self, character: str) -> bool:
        return (
            character in self.singles
            or any(low <= character <= high for low, high in self.ranges)
            or any(known(character) for known in self.classes)
        )


ANY: Final = Charset(negated=True)


def _word(character: str) -> bool:
    return character == "_" or character.isalnum()


ESCAPES: Final = {
    "w": Charset(classes=(_word,)),
    "W": Charset(classes=(_word,), negated=True),
    "s": Charset(classes=(str.isspace,)),
    "S": Charset(classes=(str.isspace,), negated=True),
    "d": Charset(ranges=(("0", "9"),)),
    "D": Charset(ranges=(("0", "9"),), negated=True),
}
"""Not POSIX, but usual: glibc knows all but the last two, people write all."""
