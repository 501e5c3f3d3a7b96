"""Texts in somebody's language: which, and what when there is none."""

import pytest

from malleposte.i18n.locales import ENGLISH, Locale, available_locales, negotiated_locale
from malleposte.i18n.translate import translate, translate_in, translate_plural

FRENCH = Locale("fr")


@pytest.mark.parametrize(
    ("wanted", "locale"),
    [
        ([], "en"),
        (["fr"], "fr"),
        (["fr-CA"], "fr"),
        (["FR_be.UTF-8"], "fr"),
        (["fr_FR@euro"], "fr"),
        (["xx", "fr"], "fr"),
        (["de-AT", "en-GB"], "en"),
        (["en", "fr"], "en"),
        (["frx"], "en"),
        (["../fr", "", "*", "fr\n", "é" * 1000], "en"),
        (["xx"] * 1000 + ["fr"], "en"),
    ],
)
def test_negotiation(wanted: list[str], locale: str) -> None:
    assert negotiated_locale(wanted) == locale


def test_english_and_french_are_there() -> None:
    assert available_locales() == ("en", "fr")


def test_a_text_comes_in_the_language_with_its_parameters() -> None:
    msgid = "Your mailbox is {percent} % full"
    assert translate(ENGLISH, msgid, percent=90) == "Your mailbox is 90 % full"
    assert translate(FRENCH, msgid, percent=90) == "Votre boîte aux lettres est pleine à 90 %"


def test_a_text_without_translation_comes_in_english() -> None:
    assert translate(FRENCH, "not in any catalogue: {x}", x=1) == "not in any catalogue: 1"


def test_parameters_are_not_read_as_texts() -> None:
    assert translate(ENGLISH, "a {x} b", x="{y} {x.__class__}") == "a {y} {x.__class__} b"


def test_a_missing_parameter_is_an_error() -> None:
    with pytest.raises(KeyError):
        translate(ENGLISH, "a {x}")


def test_plurals_follow_the_language() -> None:
    forms = ("{count} day", "{count} days")
    assert [translate_plural(ENGLISH, *forms, n) for n in (0, 1, 2)] == [
        "0 days",
        "1 day",
        "2 days",
    ]
    singular = (
        "When the mailbox is full, new mail is put off for {count} day, then returned to its "
        "senders. Reading, sending and deleting always work."
    )
    plural = singular.replace("day,", "days,")
    french = [translate_plural(FRENCH, singular, plural, n) for n in (0, 1, 2)]
    assert ["jours," in text for text in french] == [False, False, True]


def test_context_tells_short_texts_apart() -> None:
    assert translate_in(FRENCH, "mailbox", "Sent") == "Messages envoyés"
    assert translate_in(FRENCH, "elsewhere", "Sent") == "Sent"
