"""The envelope of a submission: as a client gives it, or out of the header (RFC 8621 §7)."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from malleposte.delivery.leaving import addresses_in
from malleposte.services.jmap.context import Context
from malleposte.services.jmap.errors import SetError, invalid
from malleposte.services.jmap.times import seconds_of
from malleposte.sieve.address import sendable

_NOTIFY: Final = frozenset({"SUCCESS", "FAILURE", "DELAY"})
_IGNORED: Final = frozenset({"SIZE", "BODY", "SMTPUTF8"})
MOST_OCTETS: Final = 300_000
"""Octets of an envelope: what is kept of it must fit, and is known to before anything is sent."""
_LONGEST: Final = 500


class Address(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the envelope, with parameters of SMTP, which are not encoded."""

    email: str
    parameters: dict[str, str | None] | None = None


class Envelope(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """See the module."""

    mail_from: Address
    rcpt_to: list[Address]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the parameters of MAIL ask for."""

    returned: str = ""
    envelope: str = ""
    release: int = 0


def given(value: Any) -> Envelope:
    """The envelope that a client gave. Raises ``SetError``."""
    try:
        return msgspec.convert(value, Envelope)
    except msgspec.ValidationError as error:
        raise invalid(str(error), "envelope") from None


def of_header(header: bytes, identity: str) -> Envelope:
    """The envelope of a message that came without. Raises ``SetError``."""
    named = addresses_in(header, b"sender") or addresses_in(header, b"from")
    if len(named) > 1:
        raise SetError("invalidEmail", "Who sends it is not clear", properties=["from"])
    # RFC 8621 §7: an address that the identity does not allow gives way to the identity's own.
    sender = identity
    if named and named[0].lower() == identity.lower():
        sender = named[0]
    found = [one for name in (b"to", b"cc", b"bcc") for one in addresses_in(header, name)]
    return Envelope(
        mail_from=Address(email=sender),
        rcpt_to=[Address(email=address) for address in dict.fromkeys(found)],
    )


def checked(context: Context, envelope: Envelope) -> Envelope:
    """The envelope with its recipients as they are sent to, each once. Raises ``SetError``."""
    count, most = len(envelope.rcpt_to), context.settings.max_recipients
    if not count:
        raise SetError("noRecipients", "The message has no recipients")
    if count > most:
        raise SetError(
            "tooManyRecipients", f"A message has at most {most} recipients", maxRecipients=most
        )
    if len(msgspec.json.encode(envelope)) > MOST_OCTETS:
        raise SetError("tooLarge", "The envelope is too long")
    bad = [one.email for one in envelope.rcpt_to if sendable(one.email) is None]
    if bad:
        raise SetError(
            "invalidRecipients",
            "Some recipients are no addresses that mail can be sent to",
            invalidRecipients=bad,
        )
    once = {sendable(one.email) or "": one for one in envelope.rcpt_to}
    return replace_recipients(envelope, once)


def replace_recipients(envelope: Envelope, once: Mapping[str, Address]) -> Envelope:
    """The envelope with other recipients."""
    return Envelope(
        mail_from=envelope.mail_from,
        rcpt_to=[
            Address(email=address, parameters=one.parameters) for address, one in once.items()
        ],
    )


def asked(context: Context, address: Address) -> Asked:
    """What the parameters of MAIL ask for. Raises ``SetError``."""
    found = Asked()
    for name, value in (address.parameters or {}).items():
        match name.upper():
            case "RET" if value is not None and value.upper() in ("FULL", "HDRS"):
                found = replace(found, returned=value.upper())
            case "ENVID" if value is not None and _is_word(value, 100):
                found = replace(found, envelope=value)
            case "HOLDFOR" | "HOLDUNTIL" as key if value is not None and not found.release:
                found = replace(found, release=_release(context, key, value))
            case other if other in _IGNORED:
                pass
            case _:
                raise invalid(f"The parameter {name[:50]!r} is not understood", "envelope")
    return found


def _release(context: Context, key: str, value: str) -> int:
    now, most = int(time.time()), context.settings.max_delayed_send
    try:
        if key == "HOLDFOR":
            if not (value.isascii() and value.isdigit() and len(value) <= 9):
                raise ValueError("HOLDFOR is a number of seconds")
            moment = now + int(value)
        else:
            moment = seconds_of(value)
    except ValueError as error:
        raise invalid(str(error), "envelope") from None
    if moment > now + most:
        words = f"A message can wait for {most:,} seconds at most" if most else "No message waits"
        raise invalid(f"{words} on this server", "envelope")
    return moment


def reports(address: Address) -> tuple[str, str]:
    """NOTIFY and ORCPT of a recipient. Raises ``SetError``."""
    notify = original = ""
    for name, value in (address.parameters or {}).items():
        match name.upper():
            case "NOTIFY" if value is not None and _is_notify(value.upper()):
                notify = value.upper()
            case "ORCPT" if value is not None and ";" in value and _is_word(value, _LONGEST):
                original = value
            case _:
                raise invalid(f"The parameter {name[:50]!r} is not understood", "envelope")
    return notify, original


def _is_notify(value: str) -> bool:
    parts = value.split(",")
    return value == "NEVER" or (_NOTIFY.issuperset(parts) and len(set(parts)) == len(parts))


def _is_word(value: str, longest: int) -> bool:
    return 0 < len(value) <= longest and value.isprintable()
