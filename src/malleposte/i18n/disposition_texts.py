"""What senders read in disposition notifications: their message was displayed, or was not accepted."""

import textwrap

from malleposte.i18n.delivery_texts import moment, shown_subject
from malleposte.i18n.locales import Locale
from malleposte.i18n.texts import WIDTH
from malleposte.i18n.translate import translate


def receipt(
    locale: Locale, subject: str, sent_at: int, address: str, time_zone: str
) -> tuple[str, str]:
    """Subject and body of a read receipt: the message to `address` was displayed."""
    shown = shown_subject(locale, subject)
    happened = translate(
        locale,
        "your message “{subject}” of {date} to {address} was displayed.",
        subject=shown,
        date=moment(locale, sent_at, time_zone),
        address=address,
    )
    limits = translate(locale, "This does not say that it was read or understood.")
    hello = translate(locale, "Hello,")
    body = "\n\n".join((hello, _wrapped(happened), _wrapped(limits)))
    return translate(locale, "Displayed: {subject}", subject=shown), body + "\n"


def rejected(
    locale: Locale, subject: str, sent_at: int, address: str, time_zone: str, reason: str
) -> tuple[str, str]:
    """Subject and body of the notification that `address` did not take a message; `reason`: the recipient's
    own words, '' for none."""
    shown = shown_subject(locale, subject)
    happened = translate(
        locale,
        "your message “{subject}” of {date} to {address} was not accepted: a mail filter of its recipient "
        "has refused it. It was filed nowhere.",
        subject=shown,
        date=moment(locale, sent_at, time_zone),
        address=address,
    )
    parts = [translate(locale, "Hello,"), _wrapped(happened)]
    if reason.strip():
        # The words as they are: RFC 5429 §2.2 wants their exact text.
        words = "\n".join(f"    {line}".rstrip() for line in reason.strip().splitlines())
        parts += [translate(locale, "The reason given there:"), words]
    parts.append(_wrapped(translate(locale, "This message was made by a program.")))
    return translate(locale, "Not accepted: {subject}", subject=shown), "\n\n".join(parts) + "\n"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_on_hyphens=False)
