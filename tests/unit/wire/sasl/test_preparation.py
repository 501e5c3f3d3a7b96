"""A password is the same however a keyboard composes it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.wire.sasl import SaslError, prepare_password


def test_composed_and_decomposed_are_equal() -> None:
    assert prepare_password("pässwort") == prepare_password("pa\u0308sswort")


def test_other_spaces_are_spaces() -> None:
    """RFC 8265 §4.2.2: mapped to U+0020, not removed."""
    assert prepare_password("a\u00a0b\u3000c") == "a b c"


def test_case_and_compatibility_forms_are_kept() -> None:
    assert prepare_password("Aﬁ") == "Aﬁ"


@pytest.mark.parametrize("password", ["", "a\0", "a\n", "a\x7f", "a\x85", "ü" * 513])
def test_refused(password: str) -> None:
    with pytest.raises(SaslError):
        prepare_password(password)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=50))
def test_preparing_twice_changes_nothing(password: str) -> None:
    once = prepare_password(password)
    assert prepare_password(once) == once
    assert unicodedata.is_normalized("NFC", once)
