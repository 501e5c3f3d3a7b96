"""Keywords as JMAP names them (RFC 8621 §4.1.1), to the store's bits and words and back.

A system flag of IMAP is named with ``$`` here. What is not in its alphabet cannot be told of, nor set.
"""

import re
from collections.abc import Iterable
from typing import Final

from malleposte.store.flags import ANSWERED, BITS, DRAFT, FLAGGED, MAX_KEYWORD_LENGTH, SEEN
from malleposte.store.matching import Keyword

NAMES: Final[dict[int, str]] = {
    SEEN: "$seen",
    ANSWERED: "$answered",
    FLAGGED: "$flagged",
    DRAFT: "$draft",
    **{bit: name for name, bit in BITS.items() if name.startswith("$")},
}
"""Bit to name."""
_BY_NAME: Final = {name: bit for bit, name in NAMES.items()}
_ALPHABET: Final = re.compile(r"[!#-$&'+-\[^-z|}~]+")
_SYSTEM: Final = frozenset(("$recent", "$deleted"))
"""IMAP has flags of these names with a backslash, JMAP has them not."""


def is_keyword(name: str) -> bool:
    """Whether it may be one: ASCII without controls, space and the signs IMAP uses."""
    fits = len(name) <= MAX_KEYWORD_LENGTH and _ALPHABET.fullmatch(name) is not None
    return fits and name.lower() not in _SYSTEM


def parsed(name: str) -> Keyword:
    """The store's flag of a name. Raises ``ValueError``."""
    if not is_keyword(name):
        raise ValueError(f"{name!r} cannot be a keyword")
    low = name.lower()
    bit = _BY_NAME.get(low, 0)
    return Keyword(bit, "" if bit else low)


def split(names: Iterable[str]) -> tuple[int, tuple[str, ...]]:
    """Bits and other keywords of names. Raises ``ValueError``."""
    found = [parsed(name) for name in names]
    bits = 0
    for keyword in found:
        bits |= keyword.bit
    return bits, tuple(sorted({keyword.word for keyword in found if keyword.word}))


def shown(flags: int, words: str | None) -> dict[str, bool]:
    """The ``keywords`` of an email, from its columns."""
    found = {name: True for bit, name in NAMES.items() if flags & bit}
    if words:
        found.update((word, True) for word in words.split(" ") if is_keyword(word))
    return found
