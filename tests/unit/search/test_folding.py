"""Folding text in pieces: what comes out is what the whole text folds to."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.search import folding
from malleposte.search.folding import fold, holds, pieces

JOINING = (
    "aAe\u0301\u0308\u0327\u0345\u0344"  # marks, and marks that are two or a letter
    "ßﬃΣσςİıŉǰΐᾳẖẞ\u212a\u2126ﷺ½ａｶ\uff9e"  # one that becomes many, or another
    "가각\u1100\u1161\u11a8\u1175\u11c2ﾡￂ"  # Hangul, whole and in parts
    "\u0915\u093c\u09c7\u09be\u0d46\u0d57\u1025\u102e\u0f71\u0f73\u0f74"  # vowels that are letters
    "\U00011131\U00011127\U0001d400\U0001d15e"
    "\n b"
)
texts = st.text(st.sampled_from(JOINING), max_size=40)


@given(texts | st.text(max_size=40), st.integers(1, 6))
def test_pieces_fold_to_what_the_text_folds_to(text: str, size: int) -> None:
    cut = list(pieces(text, size))
    assert "".join(cut) == text
    assert "".join(map(fold, cut)) == fold(text)


@given(texts, texts, st.integers(1, 5))
async def test_a_needle_is_found_across_pieces(text: str, part: str, size: int) -> None:
    async def pause() -> None:
        pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folding, "PIECE", size)
        for needle in {fold(part), fold(part)[:2], fold(text)[1:4]}:
            assert await holds(text, needle, pause) is (needle in fold(text))


def test_all_that_joins_the_character_before_is_known() -> None:
    """Also what a later Unicode brings: whatever composes with a letter before and is no mark."""
    known = folding._seconds()
    for number in range(sys.maxunicode + 1):
        parts = unicodedata.decomposition(chr(number)).split()
        if len(parts) != 2 or parts[0].startswith("<"):
            continue
        first, second = (chr(int(part, 16)) for part in parts)
        if unicodedata.is_normalized("NFC", first + second):
            continue  # not composed again
        assert unicodedata.combining(second) or second in known, hex(number)


def test_a_piece_is_hardly_longer_than_asked_for() -> None:
    assert {len(piece) for piece in pieces("ﷺ" * 5_000, 1_000)} == {1_000}
    cut = list(pieces(("e" + "\u0301" * 3) * 2_000, 1_000))
    assert max(map(len, cut)) <= 1_003
