"""What people are told when mail is held because more was sent than may be. Plain text, wrapped."""

import textwrap
from dataclasses import dataclass

from malleposte.i18n.delivery_texts import moment
from malleposte.i18n.locales import Locale
from malleposte.i18n.texts import WIDTH
from malleposte.i18n.translate import translate, translate_plural


@dataclass(frozen=True, slots=True)
class Held:
    """`address`: the account whose mail is held. `domain`: whose limit it is, '' the account's own.
    `limit`: messages an hour, or with `recipients` those of a day; `at`: since when, Unix seconds.
    `onward`: mail of others that `address`, perhaps a group or an alias, sends on. `named`: whose mail
    commands are to name."""

    address: str
    limit: int
    recipients: bool
    at: int
    domain: str = ""
    time_zone: str = "UTC"
    named: str = ""
    onward: bool = False


def held_for_owner(locale: Locale, held: Held) -> tuple[str, str]:
    """Subject and body of the mail to whoever sent it, or sends it on."""
    if held.onward:
        return _onward_for_owner(locale, held)
    happened = translate(
        locale,
        "since {date} mail that you send to other servers is held here. {limit}",
        date=moment(locale, held.at, held.time_zone),
        limit=_limit(locale, held),
    )
    return translate(locale, "Some of your mail is held"), body(
        locale,
        happened,
        translate(
            locale,
            "Nothing is lost: an administrator can let it go. Mail to colleagues on this server arrives as "
            "always.",
        ),
        translate(
            locale,
            "If you did not send so much, somebody else knows your password: please change it at once, and "
            "tell your administrator.",
        ),
        translate(
            locale, "If you did, ask your administrator to let it go, and for a higher limit."
        ),
        translate(locale, "This message comes once a day at most."),
    )


def _onward_for_owner(locale: Locale, held: Held) -> tuple[str, str]:
    happened = translate(
        locale,
        "since {date} mail that {address} sends on to other servers is held here. {limit}",
        date=moment(locale, held.at, held.time_zone),
        address=held.address,
        limit=_limit(locale, held),
    )
    return translate(locale, "Some of the mail to {address} is held", address=held.address), body(
        locale,
        happened,
        translate(
            locale,
            "Nothing is lost: an administrator can let it go. What is for mailboxes on this server arrives "
            "as always.",
        ),
        translate(
            locale,
            "If all of that mail is wanted, ask your administrator to let it go, and for a higher limit. "
            "If somebody floods the address, tell him so.",
        ),
        translate(locale, "This message comes once a day at most."),
    )


def held_for_administrator(locale: Locale, held: Held) -> tuple[str, str]:
    """Subject and body of the mail to those who can release it."""
    since = moment(locale, held.at, held.time_zone)
    limit = _limit(locale, held)
    if held.onward:
        happened = translate(
            locale,
            "since {date} mail that {address} sends on to other servers is held. {limit}",
            date=since,
            address=held.address,
            limit=limit,
        )
    else:
        happened = translate(
            locale,
            "since {date} mail of {address} to other servers is held. {limit}",
            date=since,
            address=held.address,
            limit=limit,
        )
    named = held.named or held.address
    who = held.domain or held.address
    acts = [
        (translate(locale, "What is it?"), f"malleposte queue list --sender {named}"),
        (translate(locale, "Let it go:"), f"malleposte queue release --sender {named}"),
        (
            translate(locale, "Give a higher limit, here for a week:"),
            f"malleposte limit set {who} --messages 2000 --recipients 10000 --for 7d",
        ),
    ]
    if held.onward:
        flood = translate(locale, "Somebody floods the address: throw the mail away:")
        acts.append((flood, f"malleposte queue remove --sender {named}"))
    else:
        stolen = translate(
            locale, "Somebody has stolen the password: change it, and throw the mail away:"
        )
        acts.append((stolen, f"malleposte account passwd {held.address} --generate"))
        acts.append(("", f"malleposte queue remove --sender {named}"))
    lines = "\n".join(f"{words}\n    {act}" if words else f"    {act}" for words, act in acts)
    subject = translate(locale, "Mail of {address} is held", address=held.address)
    return subject, body(
        locale,
        happened,
        translate(locale, "Nothing is lost, and nothing leaves by itself.")
        if held.onward
        else translate(
            locale, "Its owner was told. Nothing is lost, and nothing leaves by itself."
        ),
        lines,
        translate(locale, "This message comes once a day at most for each account."),
    )


def _limit(locale: Locale, held: Held) -> str:
    if held.recipients:
        most = translate_plural(
            locale,
            "The limit is {count} recipient on other servers a day",
            "The limit is {count} recipients on other servers a day",
            held.limit,
        )
    else:
        most = translate_plural(
            locale,
            "The limit is {count} message to other servers an hour",
            "The limit is {count} messages to other servers an hour",
            held.limit,
        )
    if held.domain and held.onward:
        return translate(
            locale,
            "{limit}, for all that {domain} sends on together.",
            limit=most,
            domain=held.domain,
        )
    if held.domain:
        return translate(
            locale,
            "{limit}, for all accounts of {domain} together.",
            limit=most,
            domain=held.domain,
        )
    return f"{most}."


def body(locale: Locale, *paragraphs: str) -> str:
    """A letter: paragraphs wrapped, but for those that have lines of their own."""
    wrapped = (
        text
        if "\n" in text
        else textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)
        for text in paragraphs
    )
    return "\n\n".join((translate(locale, "Hello,"), *wrapped)) + "\n"
