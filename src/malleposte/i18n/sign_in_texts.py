"""What people are told of sign-ins to their account."""

from malleposte.i18n.delivery_texts import moment
from malleposte.i18n.locales import Locale
from malleposte.i18n.sending_texts import body
from malleposte.i18n.translate import translate


def new_device_mail(
    locale: Locale, address: str, browser: str, network: str, at: int, time_zone: str
) -> tuple[str, str]:
    """Subject and body. `browser`: in a word or two, '' not known; `network`: the address it came from, ''
    not known; `at`: Unix seconds."""
    happened = translate(
        locale,
        "somebody signed in to {address} from a browser that this account never used before.",
        address=address,
    )
    facts = [
        translate(locale, "When: {date}", date=moment(locale, at, time_zone)),
        translate(
            locale, "Browser: {name}", name=browser or translate(locale, "one that is not known")
        ),
    ]
    if network:
        facts.append(translate(locale, "From: {address}", address=network))
    return translate(locale, "New sign-in to {address}", address=address), body(
        locale,
        happened,
        "\n".join(f"    {one}" for one in facts),
        translate(locale, "If it was you, there is nothing to do."),
        translate(
            locale,
            "If it was not you, somebody knows your password: sign in to the web client now, change it, "
            "and end the other sessions in the settings. A second step keeps out whoever knows the "
            "password alone.",
        ),
    )
