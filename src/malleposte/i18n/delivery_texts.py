"""What a sender is told about a message: not delivered, delayed, handed on, seen. Plain text, wrapped for
mail: what happened to whom, why, what to do, and last what the other server said."""

import datetime
import textwrap
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import babel.dates

from malleposte.i18n.delivery_reasons import Reason, explained
from malleposte.i18n.locales import Locale
from malleposte.i18n.texts import WIDTH
from malleposte.i18n.translate import translate, translate_plural

SUBJECT: Final = 120
"""Characters of the message's own subject that are shown."""
SAID: Final = 500
"""Characters of a server's words that are shown; all that is kept stands in the part for programs."""


@dataclass(frozen=True, slots=True)
class Group:
    """Recipients to whom the same happened. `server`: who said `words`; '' where they are our own."""

    addresses: tuple[str, ...]
    domain: str
    reason: Reason = Reason.REFUSED
    server: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A message and what became of it. `count`: all recipients; `groups`: those that are named here.
    Times in seconds of the Unix epoch; `server`: our name."""

    subject: str
    sent_at: int
    count: int
    groups: tuple[Group, ...]
    server: str
    until: int = 0
    time_zone: str = "UTC"


def postmaster_name(locale: Locale) -> str:
    """The name beside postmaster's address."""
    return translate(locale, "Mail delivery")


def failed(locale: Locale, told: Told) -> tuple[str, str]:
    """Subject and body of the report that a message did not reach some of its recipients."""
    happened = translate_plural(
        locale,
        "your message “{subject}” of {date} could not be delivered to {count} recipient:",
        "your message “{subject}” of {date} could not be delivered to {count} recipients:",
        told.count,
        **_message(locale, told),
    )
    subject = translate(
        locale, "Not delivered: {subject}", subject=shown_subject(locale, told.subject)
    )
    end = translate(
        locale,
        "We have stopped trying. Once the cause is out of the way, please send the message again.",
    )
    return subject, _body(locale, told, [happened], end, advise=True)


def not_sent_on(locale: Locale, told: Told, stranger: str) -> tuple[str, str]:
    """Subject and body of the report to whose forward it was that somebody else's message did not go on."""
    happened = translate_plural(
        locale,
        "the message “{subject}” of {date} from {sender} was to be sent on, and could not be delivered to "
        "{count} recipient:",
        "the message “{subject}” of {date} from {sender} was to be sent on, and could not be delivered to "
        "{count} recipients:",
        told.count,
        sender=stranger,
        **_message(locale, told),
    )
    subject = translate(
        locale, "Not sent on: {subject}", subject=shown_subject(locale, told.subject)
    )
    end = translate(
        locale,
        "We have stopped trying. The sender is not told, since the address may be forged. What is left of "
        "the message is attached.",
    )
    return subject, _body(locale, told, [happened], end, advise=False)


def delayed(locale: Locale, told: Told) -> tuple[str, str]:
    """Subject and body of the report that it takes long."""
    happened = translate_plural(
        locale,
        "your message “{subject}” of {date} has not reached {count} recipient so far.",
        "your message “{subject}” of {date} has not reached {count} recipients so far.",
        told.count,
        **_message(locale, told),
    )
    going_on = translate(
        locale,
        "You need not do anything: we go on trying until {date}. If it does not succeed, you will be told.",
        date=moment(locale, told.until, told.time_zone),
    )
    subject = translate(locale, "Delayed: {subject}", subject=shown_subject(locale, told.subject))
    return subject, _body(locale, told, [f"{happened} {going_on}"], "", advise=False)


def relayed(locale: Locale, told: Told) -> tuple[str, str]:
    """Subject and body of the report that a message went to a server that makes no reports."""
    happened = translate_plural(
        locale,
        "your message “{subject}” of {date} was handed to the mail server of {count} recipient.",
        "your message “{subject}” of {date} was handed to the mail servers of {count} recipients.",
        told.count,
        **_message(locale, told),
    )
    limits = translate(
        locale,
        "You asked to be told. Whether it reached the mailbox we cannot say: the other server makes no "
        "reports about that.",
    )
    subject = translate(locale, "Handed on: {subject}", subject=shown_subject(locale, told.subject))
    return subject, _body(locale, told, [happened, limits], "", advise=False, explain=False)


def delivered(locale: Locale, told: Told) -> tuple[str, str]:
    """Subject and body of the report that a message is in the mailboxes of this server."""
    happened = translate_plural(
        locale,
        "your message “{subject}” of {date} has arrived in the mailbox of {count} recipient.",
        "your message “{subject}” of {date} has arrived in the mailboxes of {count} recipients.",
        told.count,
        **_message(locale, told),
    )
    limits = translate(locale, "You asked to be told. This does not say that it was read.")
    subject = translate(locale, "Delivered: {subject}", subject=shown_subject(locale, told.subject))
    return subject, _body(locale, told, [happened, limits], "", advise=False, explain=False)


def expanded(locale: Locale, told: Told) -> tuple[str, str]:
    """Subject and body of the report that a message went on to all to whom an address leads."""
    happened = translate_plural(
        locale,
        "your message “{subject}” of {date} was sent on to all whom {count} address leads to.",
        "your message “{subject}” of {date} was sent on to all whom {count} addresses lead to.",
        told.count,
        **_message(locale, told),
    )
    limits = translate(
        locale,
        "You asked to be told. That it arrived at each of them will not be told; if it does not, you will "
        "hear of it.",
    )
    subject = translate(locale, "Handed on: {subject}", subject=shown_subject(locale, told.subject))
    return subject, _body(locale, told, [happened, limits], "", advise=False, explain=False)


def moment(locale: Locale, at: int, time_zone: str) -> str:
    """A time in words, with its zone."""
    try:
        zone: datetime.tzinfo = zoneinfo.ZoneInfo(time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        zone = datetime.UTC
    then = datetime.datetime.fromtimestamp(at, zone)
    day = babel.dates.format_date(then, "long", locale=locale)
    if locale == "fr" and then.day == 1:
        day = day.replace(
            "1 ", "1er ", 1
        )  # the first of a month is an ordinal, which the CLDR has not
    east = int((then.utcoffset() or datetime.timedelta()).total_seconds()) // 60
    hours, minutes = divmod(abs(east), 60)
    offset = f"{'-' if east < 0 else '+'}{hours}" + (f":{minutes:02d}" if minutes else "")
    offset = offset if east else ""
    return translate(
        locale, "{day}, {time} (UTC{offset})", day=day, time=f"{then:%H:%M}", offset=offset
    )


def _message(locale: Locale, told: Told) -> dict[str, str]:
    return {
        "subject": shown_subject(locale, told.subject),
        "date": moment(locale, told.sent_at, told.time_zone),
    }


def shown_subject(locale: Locale, subject: str) -> str:
    """A subject as texts name it."""
    if not subject:
        return translate(locale, "(no subject)")
    return subject if len(subject) <= SUBJECT else subject[: SUBJECT - 1].rstrip() + "…"


def _body(
    locale: Locale,
    told: Told,
    first: Sequence[str],
    end: str,
    *,
    advise: bool,
    explain: bool = True,
) -> str:
    paragraphs = [translate(locale, "Hello,"), *map(_wrapped, first)]
    for group in told.groups:
        lines = [_item(address) for address in group.addresses]
        if explain:
            why, advice = explained(locale, group.reason, group.domain)
            lines.append(_indented(f"{why} {advice}" if advise else why))
        if group.words:
            lines.append(_indented(_said(locale, group)))
        paragraphs.append("\n".join(lines))
    more = told.count - sum(len(group.addresses) for group in told.groups)
    if more > 0:
        others = translate_plural(
            locale,
            "{count} more recipient is named in the attached details.",
            "{count} more recipients are named in the attached details.",
            more,
        )
        paragraphs.append(_wrapped(others))
    if end:
        paragraphs.append(_wrapped(end))
    by = translate(
        locale,
        "This was written by the mail server {server}; details for administrators are attached.",
        server=told.server,
    )
    return "\n\n".join([*paragraphs, _wrapped(by)]) + "\n"


def _said(locale: Locale, group: Group) -> str:
    words = group.words if len(group.words) <= SAID else group.words[: SAID - 1] + "…"
    if group.server:
        return translate(
            locale, "The server {server} said: {words}", server=group.server, words=words
        )
    return translate(locale, "In technical words: {words}", words=words)


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _item(text: str) -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent="- ", subsequent_indent="  ", break_long_words=False
    )


def _indented(text: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent="  ",
        subsequent_indent="  ",
        break_long_words=True,
        break_on_hyphens=False,
    )
