"""What administrators are told when mail leaves without the signature that it should have."""

import textwrap

from malleposte.i18n.delivery_texts import moment
from malleposte.i18n.locales import Locale
from malleposte.i18n.sending_texts import body
from malleposte.i18n.texts import WIDTH
from malleposte.i18n.translate import translate


def unsigned_mail(
    locale: Locale, domain: str, why: str, at: int, time_zone: str
) -> tuple[str, str]:
    """Subject and body. `why`: as the log has it; `at`: since when, Unix seconds."""
    happened = translate(
        locale,
        "since {date} mail of {domain} leaves unsigned, though the domain has DKIM keys. Other servers may "
        "take it for junk, or refuse it.",
        date=moment(locale, at, time_zone),
        domain=domain,
    )
    acts = (
        (
            translate(locale, "Which records are wrong, or missing?"),
            f"malleposte dns {domain} --check",
        ),
        (translate(locale, "Which keys sign?"), f"malleposte domain dkim {domain}"),
        (
            translate(locale, "Make new keys, and publish their records:"),
            f"malleposte domain dkim {domain} --new",
        ),
    )
    reason = textwrap.fill(
        why, WIDTH, initial_indent="    ", subsequent_indent="    ", break_long_words=False
    )
    return translate(locale, "Mail of {domain} leaves unsigned", domain=domain), body(
        locale,
        happened,
        translate(locale, "The log says why:") + "\n" + reason,
        "\n".join(f"{words}\n    {act}" for words, act in acts),
        translate(
            locale, "Mail is signed again within minutes once a key’s record is as it should be."
        ),
        translate(locale, "This message comes once a day at most for each domain."),
    )
