"""A report as a message: what a person reads, what programs read, and what came back."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final

from malleposte.delivery.trace_header import shown_id
from malleposte.i18n import delivery_texts
from malleposte.i18n.delivery_reasons import Reason
from malleposte.i18n.delivery_texts import Group, Told
from malleposte.i18n.locales import Locale
from malleposte.mime import compose, dsn
from malleposte.mime.charset import plain_text
from malleposte.mime.report import returned_header, returned_whole

from .job import Fate, ReportJob
from .original import Original
from .reason import reason_of

GROUPS: Final = 20
"""Reasons that are told to people; programs get all recipients."""
NAMED: Final = 30
"""Addresses under one of them."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets a report. ``local``: he is one of ours, and may know what ails our own server."""

    name: str
    address: str
    locale: Locale
    time_zone: str
    local: bool


def letter(
    job: ReportJob,
    original: Original,
    reader: Reader,
    hostname: str,
    message_id: str,
    *,
    stranger: str = "",
) -> bytes:
    """The finished message. ``stranger``: who wrote what could not be sent on for the reader; '' it was the
    reader."""
    said = told(job, original, reader, hostname)
    if stranger:
        subject, text = delivery_texts.not_sent_on(reader.locale, said, plain_text(stranger))
    else:
        subject, text = _TEXTS[job.action](reader.locale, said)
    domain = reader.address.rpartition("@")[2] if reader.local else hostname
    sender = compose.Mailbox(delivery_texts.postmaster_name(reader.locale), f"postmaster@{domain}")
    about = [original.message_id] if original.message_id else []
    fields = [
        compose.addresses("From", [sender]),
        to_line(reader.name, reader.address),
        compose.unstructured("Subject", subject),
        compose.field("Date", formatdate(localtime=True)),
        compose.message_ids("Message-ID", [message_id]),
        *(compose.message_ids(name, about) for name in ("In-Reply-To", "References") if about),
        compose.field("Auto-Submitted", "auto-replied"),  # RFC 3834 §5
        compose.field("Content-Language", reader.locale),
    ]
    returned = None
    if original.whole and (stranger or not original.is_unattended):
        returned = returned_whole(original.whole, len(original.header))
        if returned is not None and not reader.local and not returned.body.isascii():
            returned = None  # servers on the way back may not take 8-bit content
    if returned is None and original.fields:
        returned = returned_header(original.header)
    return compose.message(
        fields, dsn.delivery_report(text, status(job, hostname, original.release), returned)
    )


_TEXTS: Final = {
    "failed": delivery_texts.failed,
    "delayed": delivery_texts.delayed,
    "relayed": delivery_texts.relayed,
    "delivered": delivery_texts.delivered,
    "expanded": delivery_texts.expanded,
}


def to_line(name: str, address: str) -> bytes:
    """To, also for an address that is rarely written: then nobody is named (RFC 5322 §3.4)."""
    try:
        return compose.addresses("To", [compose.Mailbox(name, address)])
    except ValueError:
        return compose.field("To", "undisclosed-recipients:;")


def told(job: ReportJob, original: Original, reader: Reader, hostname: str) -> Told:
    """What a person is told."""
    return Told(
        subject=original.subject,
        sent_at=job.created_at,
        count=len(job.fates),
        groups=groups(job.fates, local=reader.local),
        server=hostname,
        until=job.expires_at,
        time_zone=reader.time_zone,
    )


def groups(fates: Sequence[Fate], *, local: bool) -> tuple[Group, ...]:
    """Recipients with whom the same happened, together; those at first alone where there are many."""
    found: dict[tuple[Reason, str, str, str], list[str]] = {}
    for fate in fates:
        reason = reason_of(fate)
        server, words = (fate.remote, fate.reply) if fate.reply else ("", fate.said)
        if not fate.reply and reason is Reason.OURS and not local:
            words = ""  # names of our relays, and how we sign in there
        domain = fate.address.rpartition("@")[2]
        key = (reason, plain_text(domain), plain_text(server), plain_text(words))
        found.setdefault(key, []).append(_shown(fate))
    return tuple(
        Group(tuple(addresses[:NAMED]), domain, reason, server, words)
        for (reason, domain, server, words), addresses in list(found.items())[:GROUPS]
    )


def _shown(fate: Fate) -> str:
    """An address as the sender wrote it, and where it led."""
    kind, _, original = fate.original.partition(";")
    known = kind.lower() in ("rfc822", "utf-8") and bool(original)
    if not known or original.lower() == fate.address.lower():
        return plain_text(fate.address)
    return plain_text(f"{original} → {fate.address}")


def status(job: ReportJob, hostname: str, release: int = 0) -> dsn.DeliveryStatus:
    """What programs are told. ``release``: until when the message was to wait."""
    return dsn.DeliveryStatus(
        server=hostname,
        recipients=tuple(
            dsn.RecipientStatus(
                address=fate.address,
                action=job.action,
                status=fate.status or _STATUS[job.action],
                original=fate.original,
                remote=fate.remote,
                diagnostic=fate.reply,
                last_attempt=job.at,
                retry_until=job.expires_at,
                log_id=shown_id(job.trace) if job.trace else "",
            )
            for fate in job.fates
        ),
        envelope=job.envelope,
        arrival=job.created_at,
        release=release,
    )


_STATUS: Final = {
    "failed": "5.0.0",
    "delayed": "4.0.0",
    "relayed": "2.0.0",
    "delivered": "2.0.0",
    "expanded": "2.0.0",
}
