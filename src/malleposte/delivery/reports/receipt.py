"""Read receipts (RFC 8098), sent only when the user of a message has agreed to this one."""

from dataclasses import dataclass
from email.utils import formatdate

from malleposte.i18n.delivery_texts import receipt
from malleposte.i18n.locales import Locale
from malleposte.mime import compose, date_time, decode_text, last_values, mdn, message_ids
from malleposte.mime.charset import guess

from .letter import to_line
from .original import LONGEST_ID, header_of


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt to be sent from the null sender (RFC 8098 §2.1) to those who asked."""

    recipients: tuple[str, ...]
    message: bytes


def read_receipt(
    header: bytes,
    user: compose.Mailbox,
    locale: Locale,
    *,
    time_zone: str,
    at: int,
    hostname: str,
    message_id: str,
) -> Receipt | None:
    """A receipt that ``user`` has seen the message with this header; None where nobody asked, or may not
    be answered. Whoever calls has asked the user. ``message_id``: of the receipt."""
    fields = last_values(header_of(header))
    request = mdn.receipt_request(fields)
    if request is None:
        return None
    ids = message_ids(fields.get(b"message-id", b""))
    about = [one for one in ids[:1] if one.isascii() and len(one) <= LONGEST_ID]
    sent = date_time(fields.get(b"date", b""))
    subject, text = receipt(
        locale,
        decode_text(fields.get(b"subject", b"")),
        sent.timestamp() if sent is not None else at,
        user.address,
        time_zone,
    )
    disposition = mdn.Disposition(
        recipient=user.address,
        type="displayed",
        message_id=about[0] if about else "",
        original="".join(guess(fields.get(b"original-recipient", b"")).split()),  # RFC 8098 §2.3
        program=f"{hostname}; Malleposte",
    )
    lines = [
        compose.addresses("From", [user]),
        to_line("", request.addresses[0]),
        compose.unstructured("Subject", subject),
        compose.field("Date", formatdate(at, localtime=True)),
        compose.message_ids("Message-ID", [message_id]),
        *(compose.message_ids(name, about) for name in ("In-Reply-To", "References") if about),
        compose.field("Auto-Submitted", "auto-replied"),
        compose.field("Content-Language", locale),
    ]
    message = compose.message(lines, mdn.disposition_report(text, disposition))
    return Receipt(request.addresses, message)
