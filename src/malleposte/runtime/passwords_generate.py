"""Passwords made for people: pronounceable, typed without doubt, strong enough to be left alone.

Each group is consonant, vowel, consonant, vowel, consonant: 16 bits (the alphabet of proquints).
Letters that are taken for others or for digits (c, e, q, w, x, y …) do not occur."""

import secrets
from typing import Final

CONSONANTS: Final = "bdfghjklmnprstvz"
VOWELS: Final = "aiou"
BITS_OF_GROUP: Final = 16
# 80 bits: beyond guessing, online and from a stolen argon2id hash.
LEAST_BITS: Final = 80


def readable_password(bits: int = LEAST_BITS) -> str:
    """A random password such as `dovak-rifus-molan-bidag-tupov` of at least `bits` bits (80 and
    more; ValueError below)."""
    if bits < LEAST_BITS:
        raise ValueError(f"at least {LEAST_BITS} bits")
    groups = -(-bits // BITS_OF_GROUP)
    return "-".join(_group() for _ in range(groups))


def _group() -> str:
    return "".join(
        secrets.choice(letters) for letters in (CONSONANTS, VOWELS, CONSONANTS, VOWELS, CONSONANTS)
    )
