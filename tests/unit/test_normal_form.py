"""Normal forms are those of Unicode for what people write, stay as they are, and cost what is linear."""

import unicodedata
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.normal_form import MOST_MARKS, _marks, _marks_in, normal

FORMS = ("NFC", "NFKC")

# What joins the letter before, in every way there is: of different classes, two in one character,
# a half-width form, beyond the basic plane; letters that have marks in themselves.
ODD = "\u0301\u0316\u0344\u0f73\u0f81\uff9e\u3099\u0345\U0001e8d0\U0001e94a\U000101fd" + (
    "ae\u1faf\u1e0b\uac01\u1100\ufb2c\U0001d400\U0001f600 "
)


def runs(text: str) -> list[int]:
    """Lengths of the runs of marks, decomposed."""
    whole = unicodedata.normalize("NFKD", text)
    return [
        len(list(run))
        for mark, run in groupby(whole, lambda c: unicodedata.combining(c) > 0)
        if mark
    ]


def test_every_mark_is_known() -> None:
    """Whatever version of Unicode the interpreter has."""
    every = [chr(n) for n in range(0x110000) if not 0xD800 <= n < 0xE000]
    parts = {character: unicodedata.normalize("NFKD", character) for character in every}
    joining = {c: len(p) for c, p in parts.items() if unicodedata.combining(p[0])}
    assert _marks() == joining
    assert max(joining.values()) == 2
    assert max(_marks_in(c) for c in every if c not in joining) == 3
    # Nothing has a letter behind its marks: a run never ends within a character.
    assert all(unicodedata.combining(c) for mark in joining for c in parts[mark])


@pytest.mark.parametrize("form", FORMS)
@given(text=st.text())
def test_it_is_the_form_of_unicode(form: str, text: str) -> None:
    got = normal(form, text)  # type: ignore[arg-type]
    if max(runs(text), default=0) <= MOST_MARKS:
        assert got == unicodedata.normalize(form, text)  # type: ignore[arg-type]
    assert got == normal(form, got)  # type: ignore[arg-type]


@pytest.mark.parametrize("form", FORMS)
@given(pieces=st.lists(st.tuples(st.text(ODD, max_size=4), st.integers(1, 40)), max_size=12))
def test_marks_past_the_thirtieth_are_dropped_and_no_others(
    form: str, pieces: list[tuple[str, int]]
) -> None:
    text = "".join(piece * times for piece, times in pieces)
    got = normal(form, text)  # type: ignore[arg-type]
    assert max(runs(got), default=0) <= MOST_MARKS
    assert got == normal(form, got)  # type: ignore[arg-type]
    if max(runs(text), default=0) <= MOST_MARKS:
        assert got == unicodedata.normalize(form, text)  # type: ignore[arg-type]
    else:
        assert len(runs(got)) == len(runs(text)), "every letter keeps its marks but those"


@pytest.mark.parametrize("form", FORMS)
def test_thirty_are_kept(form: str) -> None:
    for letter in ("", "x", "\U0001d400"):
        text = letter + "\u0316" * 30
        assert normal(form, text) == unicodedata.normalize(form, text)  # type: ignore[arg-type]
        assert normal(form, text + "\u0316" * 5000 + "y") == normal(form, text) + "y"  # type: ignore[arg-type]
