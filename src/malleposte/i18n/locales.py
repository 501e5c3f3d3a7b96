"""Which language somebody is answered in.

Texts are written in English, so English is always there; the others are those that have a catalogue.
A locale is named by its language, "fr"; what clients and accounts say may be longer ("fr-CA",
"fr_BE.UTF-8")."""

import functools
import importlib.resources
import re
from collections.abc import Iterable
from importlib.resources.abc import Traversable
from typing import Final, NewType

Locale = NewType("Locale", str)

ENGLISH: Final = Locale("en")

# RFC 5646 §2.1, as far as it matters here: a language, then anything.
_TAG: Final = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]{1,8}){0,4}(?:[.@].*)?", re.IGNORECASE)
_NAMED: Final = re.compile(
    r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|[0-9]{3}))?", re.IGNORECASE
)
# Accept-Language and the like come from outside.
MAX_WANTED: Final = 20


def catalogue_file(locale: Locale) -> Traversable:
    """The .po file of a locale in this package."""
    return importlib.resources.files(__package__) / "catalogues" / f"{locale}.po"


@functools.cache
def available_locales() -> tuple[Locale, ...]:
    """English and every locale with a catalogue."""
    folder = importlib.resources.files(__package__) / "catalogues"
    names = (entry.name for entry in folder.iterdir())
    found = sorted(name.removesuffix(".po") for name in names if name.endswith(".po"))
    return ENGLISH, *map(Locale, found)


@functools.cache
def _known() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    from babel import Locale as Cldr

    english = Cldr("en")
    return (
        frozenset(name for name in map(str, english.languages) if len(name) < 4),
        frozenset(str(name).lower() for name in english.scripts),
        frozenset(map(str, english.territories)),
    )


def is_locale(tag: str) -> bool:
    """Whether a tag names a language that there is, with or without script and territory: "fr", "de-CH",
    "zh-Hant-TW" (RFC 5646 §2.1, names of the CLDR)."""
    match = _NAMED.fullmatch(tag)
    if not match:
        return False
    languages, scripts, territories = _known()
    language, script, territory = match.groups()
    return (
        language.lower() in languages
        and (not script or script.lower() in scripts)
        and (not territory or territory.upper() in territories)
    )


def negotiated_locale(wanted: Iterable[str]) -> Locale:
    """The first of `wanted` (best first) whose language is available, else English. What is no
    language tag is passed over."""
    for tag, _ in zip(wanted, range(MAX_WANTED), strict=False):
        match = _TAG.fullmatch(tag[:100])
        if match and match[1].lower() in available_locales():
            return Locale(match[1].lower())
    return ENGLISH
