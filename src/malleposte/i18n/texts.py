"""Whole texts that the server writes to people: plain text, wrapped for mail, with what happened and
what to do."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import babel.numbers
import babel.units

from malleposte.i18n.locales import Locale
from malleposte.i18n.translate import translate, translate_in, translate_plural

MailboxRole = Literal["inbox", "drafts", "sent", "archive", "junk", "trash"]

# RFC 5322 §2.1.1 and RFC 3676 §4.2: room for a reply's quote marks.
WIDTH: Final = 72
DAY: Final = 86_400
_UNITS: Final = (
    ("terabyte", 1000**4),
    ("gigabyte", 1000**3),
    ("megabyte", 1000**2),
    ("kilobyte", 1000),
)


@dataclass(frozen=True, slots=True)
class QuotaState:
    """Sizes in bytes, `grace` in seconds: how long mail to a full mailbox is put off."""

    address: str
    used: int
    quota: int
    grace: int


def mailbox_name(locale: Locale, role: MailboxRole) -> str:
    """A standard mailbox's name for people; on the wire names are English and clients translate."""
    match role:
        case "inbox":
            return translate_in(locale, "mailbox", "Inbox")
        case "drafts":
            return translate_in(locale, "mailbox", "Drafts")
        case "sent":
            return translate_in(locale, "mailbox", "Sent")
        case "archive":
            return translate_in(locale, "mailbox", "Archive")
        case "junk":
            return translate_in(locale, "mailbox", "Junk")
        case "trash":
            return translate_in(locale, "mailbox", "Trash")


def size_in_words(locale: Locale, size: int) -> str:
    """A size for people, in powers of 1,000 and at most one decimal: "1.2 GB", « 1,2 Go »."""
    for unit, factor in _UNITS:
        if size >= factor:
            number = babel.numbers.format_decimal(size / factor, "#,##0.#", locale=locale)
            return babel.units.format_unit(number, f"digital-{unit}", "short", locale=locale)
    return babel.units.format_unit(size, "digital-byte", "long", locale=locale)


def quota_warning(locale: Locale, level: int, state: QuotaState) -> tuple[str, str]:
    """Subject and body of the mail to a person whose mailbox has reached `level` percent (80, 90 or
    95). The body ends with a line end; lines end with LF."""
    free = size_in_words(locale, max(0, state.quota - state.used))
    subject = translate(locale, "Your mailbox is {percent} % full", percent=level)
    if level < 95:
        left = translate(locale, "New mail still arrives; {free} are left.", free=free)
    else:
        left = translate(
            locale,
            "Only {free} are left: please make room now, or new mail will soon not reach you.",
            free=free,
        )
    happened = translate(
        locale,
        "the mailbox {address} now holds {used} of {quota} ({percent} %).",
        address=state.address,
        used=size_in_words(locale, state.used),
        quota=size_in_words(locale, state.quota),
        percent=level,
    )
    advice = (
        translate(
            locale, "Delete messages that you no longer need, those with large attachments first."
        ),
        translate(locale, "Empty the Trash and Junk mailboxes."),
        translate(locale, "Ask your administrator for more space."),
    )
    paragraphs = (
        _wrapped(translate(locale, "Hello,")),
        _wrapped(f"{happened} {left}"),
        _wrapped(_when_full(locale, state.grace)),
        _wrapped(translate(locale, "What you can do:")) + "\n" + _listed(advice),
        _wrapped(translate(locale, "This message comes once each at 80, 90 and 95 percent.")),
    )
    return subject, "\n\n".join(paragraphs) + "\n"


def _when_full(locale: Locale, grace: int) -> str:
    days = grace // DAY
    if days == 0:
        return translate(
            locale,
            "When the mailbox is full, new mail is returned to its senders. "
            "Reading, sending and deleting always work.",
        )
    return translate_plural(
        locale,
        "When the mailbox is full, new mail is put off for {count} day, then returned to its "
        "senders. Reading, sending and deleting always work.",
        "When the mailbox is full, new mail is put off for {count} days, then returned to its "
        "senders. Reading, sending and deleting always work.",
        days,
    )


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _listed(items: Sequence[str]) -> str:
    return "\n".join(
        textwrap.fill(item, WIDTH, initial_indent="- ", subsequent_indent="  ") for item in items
    )
