"""Normal forms of Unicode, at a cost that is linear in the text whatever the text is (UAX #15).

Normalising sorts the marks that stand on one letter, which takes time in the square of their number, and
the interpreter lets nobody else run meanwhile: 100 kB of marks took seconds. So marks past the thirtieth
on one letter are dropped first: no language has so many, and text of which that holds is what UAX #15
§13 calls stream-safe. ``unicodedata.normalize`` is called nowhere else (ruff refuses it).
"""

import functools
import re
import unicodedata
from typing import Final, Literal

MOST_MARKS: Final = 30
"""Marks kept on one letter, decomposed: the number of UAX #15 §13."""

_WITH_MARKS: Final = ((0x300, 0x3100), (0xA600, 0xAC00), (0xFB00, 0x1F000))
"""Where marks are looked for: not among ideographs and Hangul syllables, nor past what is planned."""
_LETTERS_BY_NAME: Final = "\u0f73\u0f75\u0f81\uff9e\uff9f"
"""Marks that Unicode says are none, until they are decomposed."""
_ASTRAL: Final = "\U00010000-\U0001efff"
"""Past the basic plane only about where marks are: a list of their ranges would be slow to look into."""
_MOST_OF_ONE: Final = 2
"""Marks that one character can stand for (U+0344)."""
_MOST_BEFORE: Final = 3
"""Marks that the letter before can have in itself (U+1FAF)."""
_SHORTEST: Final = (MOST_MARKS - _MOST_BEFORE) // _MOST_OF_ONE
"""Characters in a row that may be marks; with fewer there cannot be too many."""


def normal(form: Literal["NFC", "NFKC", "NFKD"], text: str) -> str:
    """``text`` in a normal form, without marks past the thirtieth on one letter.

    What it returns stays as it is if it is normalised again.
    """
    if text.isascii():
        return text
    return unicodedata.normalize(form, _long_runs().sub(_cut, text))


@functools.cache
def _marks() -> dict[str, int]:
    """Characters that join the letter before them → as how many marks."""
    found = [
        mark
        for start, end in _WITH_MARKS
        for mark in filter(unicodedata.combining, map(chr, range(start, end)))
    ]
    return {c: len(unicodedata.normalize("NFKD", c)) for c in (*found, *_LETTERS_BY_NAME)}


@functools.cache
def _long_runs() -> re.Pattern[str]:
    some = "".join(mark for mark in _marks() if mark < "\U00010000") + _ASTRAL
    # One of them in front: the pattern is then searched by its first character, thrice as fast.
    return re.compile(f"[{some}][{some}]{{{_SHORTEST - 1},}}")


def _cut(run: re.Match[str]) -> str:
    letter = run.string[run.start() - 1 : run.start()]
    if len(run[0]) <= MOST_MARKS:
        parts = unicodedata.normalize("NFKD", letter + run[0])  # so few are sorted in no time
        if len(parts) <= MOST_MARKS:
            return run[0]
    marks = _marks()
    count = -1  # of the letter: not looked at yet
    kept = []
    for character in run[0]:
        more = marks.get(character)
        if more is None:
            letter, count = character, -1
            kept.append(character)
            continue
        if count < 0:
            count = _marks_in(letter)
        if count < MOST_MARKS:
            # Two marks in one character are both kept or both dropped, and then all that follow.
            count += more
            if count <= MOST_MARKS:
                kept.append(character)
    return "".join(kept)


def _marks_in(letter: str) -> int:
    """How many marks a letter ends in."""
    parts = unicodedata.normalize("NFKD", letter)
    count = 0
    while count < len(parts) and unicodedata.combining(parts[-1 - count]):
        count += 1
    return count
