"""What people type: words, phrases, quotes that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.search.phrases import Term, terms


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("  \t", []),
        ("two words", ["two", "words"]),
        ("again again", ["again"]),
        ('"two words" more', ["two  words", "more"]),
        ("'two words'", ["two  words"]),
        ('"white \t\n space"', ["white  space"]),
        ('""', []),
        ("rock'n'roll don't", ["rock'n'roll", "don't"]),
        ("the '90s", ["the", "'90s"]),
        ('left "open', ["left", '"open']),
        (r'"say \"hello\" \\ twice"', [r'say  "hello"  \  twice']),
        ('"one"two', ["one.", "two"]),
        ("Zwölf 日本語", ["Zwölf", "日本語"]),
    ],
)
def test_terms_of_a_text(text: str, found: list[str]) -> None:
    def shown(term: Term) -> str:
        # Two spaces, or a full stop where there is one word: a phrase.
        return term.text.replace(" ", "  ") + ("." if term.words and " " not in term.text else "")

    assert [shown(term) for term in terms(text)] == found


@given(st.text(st.sampled_from("ab'\"\\ \n\u3000"), max_size=30))
def test_any_text_has_terms_without_white_space_around(text: str) -> None:
    for term in terms(text):
        assert term.text == term.text.strip()
        assert term.text
        assert term.words or not any(character.isspace() for character in term.text)
