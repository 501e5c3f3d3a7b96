"""Text made equal for searching: without case, and without differences of mere form (RFC 5051).

Folding one character may give eighteen (U+FDFA), and holds the interpreter: text of any length is folded
in pieces, with pauses. Pieces are cut where no character joins the one before, so that what comes out is
the same.
"""

import functools
import unicodedata
from collections.abc import Awaitable, Callable, Iterator
from itertools import chain
from typing import Final

from malleposte.normal_form import normal


def fold(text: str) -> str:
    """Two texts that a person takes for the same fold to the same: case, full and half width,
    ligatures, composed and decomposed letters. In time that is linear in the text."""
    if text.isascii():
        return text.lower()
    composed = normal("NFKC", text)
    folded = composed.casefold()
    return normal("NFKC", folded) if folded != composed else composed


PIECE: Final = 1_000
"""Characters that are folded at a time: 3 ms at the worst, 0.1 ms in common text."""

MOST_JOINED: Final = 4_000
"""Characters in a row that join the one before: some 2 ms."""

Pause = Callable[[], Awaitable[None]]


async def holds(text: str, needle: str, pause: Pause) -> bool:
    """Whether ``text`` holds a folded needle; ``pause`` is awaited between pieces of work."""
    if text.isascii():
        return needle in text.lower()
    if len(text) <= PIECE:
        found = needle in fold(text)
        await pause()
        return found
    overlap = len(needle) - 1
    before = ""
    for piece in pieces(text, PIECE):
        window = before + fold(piece)
        if needle in window:
            return True
        before = window[-overlap:] if overlap else ""
        await pause()
    return False


def pieces(text: str, size: int) -> Iterator[str]:
    """``text`` in pieces of about ``size`` characters; joined, their folded forms are that of the text.

    A piece is longer where there is nowhere to cut, among marks. Where they do not end it is cut all the
    same: nothing that so many marks stand in can be searched for.
    """
    start = 0
    while len(text) - start > size:
        stop = start + size
        end = min(len(text), stop + MOST_JOINED)
        while stop < end and not _stands_alone(text[stop]):
            stop += 1
        yield text[start:stop]
        start = stop
    yield text[start:]


@functools.lru_cache(maxsize=4_096)
def _stands_alone(character: str) -> bool:
    """Whether nothing in it joins what stands before: a boundary of normal forms (UAX #15 §9.1)."""
    first = normal("NFKD", character)[0]
    return not unicodedata.combining(first) and first not in _seconds()


@functools.cache
def _seconds() -> frozenset[str]:
    """Characters that are no marks and yet join the one before; 10 ms, once."""
    found = set(map(chr, chain(range(0x1161, 0x1176), range(0x11A8, 0x11C3))))  # Hangul
    for character in map(chr, _COMPOSED):
        parts = unicodedata.decomposition(character).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            found.add(chr(int(parts[1], 16)))
    return frozenset(found)


_COMPOSED: Final = tuple(chain(range(0xC0, 0x3400), range(0xFB00, 0xFB50), range(0x11000, 0x17000)))
"""Where characters are that stand for two (those past it are not composed again)."""

_FORMS: Final = (
    range(0x80, 0x3400),
    range(0xA720, 0xA800),
    range(0xFB00, 0x10000),
    range(0x10780, 0x107C0),
    range(0x1D400, 0x1D800),
    range(0x1F100, 0x1F200),
    range(0x1FBF0, 0x1FC00),
)
"""Where characters are that fold to ASCII: not among ideographs and syllables."""


@functools.cache
def _forms() -> dict[str, frozenset[str]]:
    """Characters that are not ASCII and fold to some ASCII; 10 ms, once."""
    found: dict[str, frozenset[str]] = {}
    for character in map(chr, chain(*_FORMS)):
        if unicodedata.decomposition(character) or character.casefold() != character:
            plain = frozenset(c for c in fold(character) if c.isascii())
            if plain:
                found[character] = plain
    return found


def forms_of(text: str) -> str:
    """Characters that are not ASCII and fold to what ASCII ``text`` may be part of, such as ß for
    "ss": text without any of them holds it only where its own ASCII does."""
    wanted = frozenset(text)
    return "".join([c for c, plain in _forms().items() if plain & wanted])
