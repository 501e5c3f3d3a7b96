"""Comparators: when two texts are equal, and which comes first (RFC 4790, RFC 5051).

`key` makes of a text what is compared; equal keys are equal texts. Where a comparator knows
substrings, keys are texts too, and one that is contained in another is a substring.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from malleposte.mime import casemap
from malleposte.normal_form import normal


class Comparator(NamedTuple):
    """One comparator.

    For patterns, `prepare` makes of a text one whose characters are those of the comparator,
    `align` the key of that, character by character, and `restore` a text of a piece of it.
    """

    name: str
    key: Callable[[str], Any]
    substrings: bool = True
    align: Callable[[str], str] = lambda text: text
    prepare: Callable[[str], str] = lambda text: text
    restore: Callable[[str], str] = lambda text: text


_UPPER: Final = {small: small - 32 for small in range(ord("a"), ord("z") + 1)}
_DIGITS: Final = re.compile(r"[0-9]++")


def _same(text: str) -> str:
    return text


def _ascii_upper(text: str) -> str:
    """RFC 4790 §9.2: only a to z have another case."""
    return text.upper() if text.isascii() else text.translate(_UPPER)


def _number(text: str) -> tuple[int, int, str]:
    """RFC 4790 §9.1: the digits in front; without any it is more than all numbers.

    Never made an integer, which would take time in the square of the digits.
    """
    match = _DIGITS.match(text)
    if match is None:
        return 1, 0, ""
    digits = match[0].lstrip("0")
    return 0, len(digits), digits


def _aligned(text: str) -> str:
    return _ascii_upper(text) if text.isascii() else "".join(map(_one, text))


def _one(character: str) -> str:
    """One character's key if that is one character, composed again, else the character."""
    key = normal("NFC", casemap(character))
    return key if len(key) == 1 else character


def _octets(text: str) -> str:
    """RFC 5228 §2.7.1: to i;octet and i;ascii-casemap a character is an octet of UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("latin-1")


def _of_octets(text: str) -> str:
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")


def _composed(text: str) -> str:
    return normal("NFC", text)


OCTET: Final = Comparator("i;octet", _same, prepare=_octets, restore=_of_octets)
ASCII_CASEMAP: Final = Comparator(
    "i;ascii-casemap", _ascii_upper, align=_ascii_upper, prepare=_octets, restore=_of_octets
)
ASCII_NUMERIC: Final = Comparator("i;ascii-numeric", _number, substrings=False)
UNICODE_CASEMAP: Final = Comparator("i;unicode-casemap", casemap, align=_aligned, prepare=_composed)

COMPARATORS: Final = {
    comparator.name: comparator
    for comparator in (OCTET, ASCII_CASEMAP, ASCII_NUMERIC, UNICODE_CASEMAP)
}
