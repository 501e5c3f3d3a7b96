"""Disposition notifications (RFC 8098): read receipts, sent only when the user of a message has agreed to
this one, and rejections by a mail filter (RFC 5429 §2.2.1).

They have the null sender, and answer neither reports, nor programs, nor what came over a list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final

from malleposte.i18n.disposition_texts import receipt, rejected
from malleposte.i18n.locales import Locale
from malleposte.mime import compose, date_time, decode_text, last_values, mdn, message_ids
from malleposte.mime import fields as every_field
from malleposte.mime.charset import guess, plain_text
from malleposte.mime.report import returned_header

from .letter import to_line
from .original import LONGEST_ID, Original, header_of

_OF_LISTS: Final = (b"list-id", b"list-post", b"list-unsubscribe", b"mailing-list")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt to be sent from the null sender (RFC 8098 §2.1) to those who asked."""

    recipients: tuple[str, ...]
    message: bytes


@dataclass(frozen=True, slots=True)
class Notifier:
    """Who notifies: ``user`` of the message, which was written to ``recipient``, in a language and a time
    zone (those of who will read it where they are known). ``message_id``: of the notification."""

    user: compose.Mailbox
    recipient: str
    locale: Locale
    time_zone: str
    hostname: str
    message_id: str


def read_receipt(header: bytes, notifier: Notifier, at: int) -> Receipt | None:
    """A receipt that the user has seen the message with this header (Return-Path in it); None where nobody
    asked, or may not be answered. Whoever calls has asked the user."""
    header = header_of(header)
    fields = last_values(header)
    paths = [one.value for one in every_field(header) if one.name.lower() == b"return-path"]
    # Ours stands on top (RFC 5321 §4.4); one further down is whatever the sender wrote.
    fields |= {b"return-path": paths[0]} if paths else {}
    request = mdn.receipt_request(fields)
    if request is None or not _may_be_answered(fields):
        return None
    texts = receipt(
        notifier.locale,
        decode_text(fields.get(b"subject", b"")),
        _sent_at(fields, at),
        notifier.recipient,
        notifier.time_zone,
    )
    disposition = mdn.Disposition(recipient=notifier.recipient, type="displayed")
    message = _notification(fields, notifier, at, request.addresses[0], texts, disposition)
    return Receipt(request.addresses, message)


def rejection(
    header: bytes, notifier: Notifier, at: int, *, to: str, reason: str, original: str = ""
) -> bytes:
    """The notification that a filter of the user has not taken the message with this header, for its sender
    ``to``. ``original``: ORCPT of the recipient. Whoever calls knows that the sender may be answered."""
    header = header_of(header)
    fields = last_values(header)
    texts = rejected(
        notifier.locale,
        decode_text(fields.get(b"subject", b"")),
        _sent_at(fields, at),
        notifier.recipient,
        notifier.time_zone,
        "\n".join(plain_text(line) for line in reason.splitlines()),
    )
    disposition = mdn.Disposition(
        recipient=notifier.recipient,
        type="deleted",
        original=original,
        by_hand=False,
        agreed=False,
    )
    returned = returned_header(header) if fields else None
    return _notification(fields, notifier, at, to, texts, disposition, returned)


def _notification(
    fields: Mapping[bytes, bytes],
    notifier: Notifier,
    at: int,
    to: str,
    texts: tuple[str, str],
    disposition: mdn.Disposition,
    returned: compose.Leaf | None = None,
) -> bytes:
    ids = message_ids(fields.get(b"message-id", b""))
    about = [one for one in ids[:1] if one.isascii() and len(one) <= LONGEST_ID]
    subject, text = texts
    # RFC 8098 §2.3: as the server of the recipient wrote it down.
    original = "".join(guess(fields.get(b"original-recipient", b"")).split())
    disposition = disposition._replace(
        message_id=about[0] if about else "",
        original=disposition.original or original,
        program=f"{notifier.hostname}; Malleposte",
    )
    lines = [
        _from_line(notifier.user),
        to_line("", to),
        compose.unstructured("Subject", subject),
        compose.field("Date", formatdate(at, localtime=True)),
        compose.message_ids("Message-ID", [notifier.message_id]),
        *(compose.message_ids(name, about) for name in ("In-Reply-To", "References") if about),
        compose.field("Auto-Submitted", "auto-replied"),
        compose.field("Content-Language", notifier.locale),
    ]
    return compose.message(lines, mdn.disposition_report(text, disposition, returned))


def _from_line(user: compose.Mailbox) -> bytes:
    try:
        return compose.addresses("From", [user])
    except ValueError:  # an account's address that is rarely written
        return f"From: <{user.address}>\r\n".encode()


def _sent_at(fields: Mapping[bytes, bytes], at: int) -> int:
    sent = date_time(fields.get(b"date", b""))
    return sent.timestamp() if sent is not None else at


def _may_be_answered(fields: Mapping[bytes, bytes]) -> bool:
    """Not what the null sender, a program or a list sent: a receipt would reach nobody, or each member's
    would reach one."""
    original = Original(fields=dict(fields))
    if original.is_unattended or any(name in fields for name in _OF_LISTS):
        return False
    return fields.get(b"return-path", b"").strip() != b"<>"
