"""What people are told of Sieve scripts that fail. Plain text, wrapped."""

import textwrap

from malleposte.i18n.locales import Locale
from malleposte.i18n.texts import WIDTH
from malleposte.i18n.translate import translate


def script_fails(locale: Locale, place: str, name: str, words: str) -> tuple[str, str]:
    """Subject and body of the mail to whose script it is. `place`: `script`, `filters`, `vacation`,
    `organisation` or `domain`; `words`: what is wrong, in English."""
    what = _what(locale, place, name)
    paragraphs = (
        translate(locale, "Hello,"),
        translate(locale, "{what} could not be run with a message that has arrived:", what=what),
        f"    {' '.join(words.split())}",
        translate(
            locale,
            "The message was delivered as if there were none, and so will the next ones be: nothing is "
            "lost, but nothing is filed either.",
        ),
        _advice(locale, place),
        translate(locale, "This message comes once a day at most, until it is changed."),
    )
    body = "\n\n".join(
        one if one.startswith("    ") else textwrap.fill(one, WIDTH, break_on_hyphens=False)
        for one in paragraphs
    )
    return translate(locale, "A mail filter does not work"), body + "\n"


def _what(locale: Locale, place: str, name: str) -> str:
    match place:
        case "vacation":
            return translate(locale, "Your reply while you are away")
        case "filters":
            return translate(locale, "Your mail filters")
        case "organisation" | "domain":
            return translate(locale, "The filter script “{name}” of the organisation", name=name)
    return translate(locale, "Your filter script “{name}”", name=name)


def _advice(locale: Locale, place: str) -> str:
    if place in ("vacation", "filters"):
        return translate(locale, "Please look at it in your settings, and save it again.")
    return translate(
        locale,
        "Please correct the script where you wrote it, in your mail program or with "
        "`malleposte sieve`.",
    )
