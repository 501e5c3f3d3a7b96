"""Why a message did not get through, and what its sender can do: a sentence or two for each reason."""

from enum import Enum, auto

from malleposte.i18n.locales import Locale
from malleposte.i18n.translate import translate


class Reason(Enum):
    """Why a message did not get through, as people tell reasons apart."""

    NO_SUCH_USER = auto()
    BAD_ADDRESS = auto()
    NO_SUCH_DOMAIN = auto()
    NO_MAIL = auto()
    FULL = auto()
    OFF = auto()
    TOO_LARGE = auto()
    SPAM = auto()
    POLICY = auto()
    UNVERIFIED = auto()
    SENDER = auto()
    UNREACHABLE = auto()
    LOOKUP = auto()
    BROKEN_OFF = auto()
    GREYLISTED = auto()
    BUSY = auto()
    NO_TLS = auto()
    BEYOND_ASCII = auto()
    CONTENT = auto()
    LOOP = auto()
    OURS = auto()
    REFUSED = auto()


def explained(locale: Locale, reason: Reason, domain: str) -> tuple[str, str]:
    """Why a message did not reach somebody at a domain, and what to do."""
    typing = translate(locale, "Check what stands after the @ for typing errors.")
    other_way = translate(locale, "Let the person know in another way.")
    later = translate(locale, "Send the message again later.")
    administrator = translate(locale, "Please forward this report to your administrator.")
    match reason:
        case Reason.NO_SUCH_USER:
            return (
                translate(locale, "There is no such address at {domain}.", domain=domain),
                translate(
                    locale, "Check it for typing errors, or ask the person for the right one."
                ),
            )
        case Reason.BAD_ADDRESS:
            return (
                translate(locale, "This is no address that a server takes."),
                translate(locale, "Check it for typing errors."),
            )
        case Reason.NO_SUCH_DOMAIN:
            return (
                translate(
                    locale,
                    "The domain {domain} does not exist, or has no mail server.",
                    domain=domain,
                ),
                typing,
            )
        case Reason.NO_MAIL:
            why = translate(locale, "The domain {domain} takes no mail.", domain=domain)
            return why, f"{typing} {other_way}"
        case Reason.FULL:
            return translate(locale, "The mailbox is full."), f"{other_way} {later}"
        case Reason.OFF:
            return translate(locale, "The mailbox takes no mail at present."), other_way
        case Reason.TOO_LARGE:
            return (
                translate(locale, "The message is too large for the other server."),
                translate(
                    locale,
                    "Send a link in place of large attachments, or several smaller messages.",
                ),
            )
        case Reason.SPAM:
            return (
                translate(
                    locale,
                    "The other server takes the message for spam, or does not trust our server at present.",
                ),
                f"{translate(locale, 'Sending it again as it is will hardly help.')} {administrator}",
            )
        case Reason.POLICY:
            return (
                translate(locale, "A rule of the other server does not let the message in."),
                translate(
                    locale,
                    "Ask the person, in another way, to let your mail in; or forward this report to your "
                    "administrator.",
                ),
            )
        case Reason.UNVERIFIED:
            why = translate(
                locale,
                "The other server could not verify that the message comes from your domain "
                "(SPF, DKIM, DMARC).",
            )
            return why, administrator
        case Reason.SENDER:
            return (
                translate(locale, "The other server does not accept your address as the sender."),
                translate(
                    locale,
                    "Check your address in the settings of your mail program, or ask your administrator.",
                ),
            )
        case Reason.UNREACHABLE:
            why = translate(locale, "No mail server of {domain} was reached.", domain=domain)
            return why, f"{typing} {later}"
        case Reason.LOOKUP:
            why = translate(
                locale,
                "The mail servers of {domain} could not be looked up (DNS).",
                domain=domain,
            )
            return why, f"{typing} {later}"
        case Reason.BROKEN_OFF:
            why = translate(locale, "The connection to the other server broke off.")
            return why, f"{later} {other_way}"
        case Reason.GREYLISTED:
            return (
                translate(
                    locale,
                    "The other server puts mail off for some time before it takes it (greylisting).",
                ),
                f"{later} {administrator}",
            )
        case Reason.BUSY:
            return (
                translate(locale, "The other server has trouble of its own or too much to do."),
                f"{later} {other_way}",
            )
        case Reason.NO_TLS:
            return (
                translate(
                    locale,
                    "No safe connection (TLS) to the other server could be made, and without one the "
                    "message is not sent.",
                ),
                administrator,
            )
        case Reason.BEYOND_ASCII:
            return (
                translate(
                    locale,
                    "The other server cannot take addresses or subjects with letters such as é or ü.",
                ),
                translate(locale, "Use addresses, and a subject, of plain letters only (a to z)."),
            )
        case Reason.CONTENT:
            return (
                translate(locale, "The other server does not take this kind of content."),
                translate(locale, "Send it without attachments, or those in another format."),
            )
        case Reason.LOOP:
            why = translate(locale, "The message went round in circles between servers.")
            return why, administrator
        case Reason.OURS:
            why = translate(
                locale,
                "Our own server cannot hand on mail to {domain}: something is not set up right.",
                domain=domain,
            )
            return why, administrator
        case Reason.REFUSED:
            return (
                translate(locale, "The other server refused the message."),
                translate(
                    locale,
                    "What it said may show why; if it does not, forward this report to your "
                    "administrator.",
                ),
            )
