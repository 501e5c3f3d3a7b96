"""Text made equal for searching: without case, and without differences of mere form (RFC 5051)."""

import functools
import unicodedata
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
