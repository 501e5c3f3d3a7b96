"""Texts in somebody's language, by gettext's rules.

Invariants: the id is the English text; a text without a translation comes in English; parameters are
put into `{name}` of the text and are never read as text themselves. Catalogues are read from their
.po files when first needed and kept.

Call these with the text as a literal, so that the check of catalogues finds it."""

import functools
import gettext
import io

from babel.messages import mofile, pofile

from malleposte.i18n.locales import ENGLISH, Locale, catalogue_file


def translate(locale: Locale, msgid: str, /, **parameters: object) -> str:
    """The text in the locale's language with its parameters filled in."""
    return _catalogue(locale).gettext(msgid).format_map(parameters)


def translate_plural(
    locale: Locale, singular: str, plural: str, count: int, /, **parameters: object
) -> str:
    """The same for what depends on a number, by the language's own rules; `{count}` is filled."""
    text = _catalogue(locale).ngettext(singular, plural, count)
    return text.format_map({"count": count, **parameters})


def translate_in(locale: Locale, context: str, msgid: str, /, **parameters: object) -> str:
    """The same for a short text that means different things in different contexts."""
    return _catalogue(locale).pgettext(context, msgid).format_map(parameters)


@functools.cache  # bounded by the files there are
def _catalogue(locale: Locale) -> gettext.NullTranslations:
    if locale == ENGLISH:
        return gettext.NullTranslations()
    with catalogue_file(locale).open("rb") as file:
        catalogue = pofile.read_po(file, locale=locale, abort_invalid=True)
    compiled = io.BytesIO()
    mofile.write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
