"""Which language tags an account may have."""

import pytest

from malleposte.i18n.locales import is_locale


@pytest.mark.parametrize(
    "tag", ["en", "fr", "de-CH", "de_AT", "pt_BR", "zh-Hant-TW", "zh_hans", "es-419", "gsw", "nb"]
)
def test_languages_there_are(tag: str) -> None:
    assert is_locale(tag)


@pytest.mark.parametrize(
    "tag", ["", "zz", "xyz", "de-XX", "de-", "zh-Abcd", "e", "english", "de_DE.UTF-8", "de\n", "д"]
)
def test_languages_there_are_not(tag: str) -> None:
    assert not is_locale(tag)
