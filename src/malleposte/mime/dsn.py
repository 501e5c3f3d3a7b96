"""Delivery status notifications (RFC 3464, RFC 6533): their fields, built and read.

Times are seconds of the Unix epoch, 0 for none; addresses come without their type. What is read is
what somebody claims: nothing in it is believed for having been parsed.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from . import compose, report
from .date import date_time
from .part import Part
from .report import Block
from .scanner import Buffer

ACTIONS: Final = ("failed", "delayed", "delivered", "relayed", "expanded")
"""What can have become of a recipient (RFC 3464 §2.3.3)."""

KINDS: Final = ("delivery-status", "global-delivery-status")


class RecipientStatus(NamedTuple):
    """What became of one recipient. `original`: as ORCPT had it, `type;address`; `diagnostic`: the other
    server's reply; `log_id`: our name of it in logs and traces."""

    address: str
    action: str
    status: str
    original: str = ""
    remote: str = ""
    diagnostic: str = ""
    last_attempt: int = 0
    retry_until: int = 0
    log_id: str = ""

    @property
    def permanent(self) -> bool:
        """It failed, and no status says that this is only for now."""
        return self.action == "failed" and not self.status.startswith("4")


class DeliveryStatus(NamedTuple):
    """What a server says about a message. `envelope`: the sender's name of it (ENVID); `release`: until
    when he had it wait."""

    server: str
    recipients: tuple[RecipientStatus, ...]
    envelope: str = ""
    arrival: int = 0
    release: int = 0


def status_fields(status: DeliveryStatus) -> bytes:
    """The body of `message/delivery-status`."""
    blocks = [_message_fields(status), *map(_recipient_fields, status.recipients)]
    return b"\r\n".join(blocks)


def _message_fields(status: DeliveryStatus) -> bytes:
    envelope = report.line("Original-Envelope-Id", status.envelope) if status.envelope else b""
    server = report.line("Reporting-MTA", f"dns; {status.server}")
    release = b""
    if status.release:  # RFC 4865
        moment = datetime.datetime.fromtimestamp(status.release, datetime.UTC)
        release = report.line("Future-Release-Request", f"until; {moment:%Y-%m-%dT%H:%M:%SZ}")
    return envelope + server + report.date_line("Arrival-Date", status.arrival) + release


def _recipient_fields(one: RecipientStatus) -> bytes:
    lines = []
    if one.original:
        lines.append(report.line("Original-Recipient", report.typed_address(one.original)))
    lines += [
        report.line("Final-Recipient", report.typed_address(f"utf-8;{one.address}"))
        if not one.address.isascii()
        else report.line("Final-Recipient", f"rfc822; {one.address}"),
        report.line("Action", one.action),
        report.line("Status", one.status),
    ]
    if one.remote:
        lines.append(report.line("Remote-MTA", f"dns; {one.remote}"))
    if one.diagnostic:
        lines.append(report.line("Diagnostic-Code", f"smtp; {one.diagnostic}"))
    lines.append(report.date_line("Last-Attempt-Date", one.last_attempt))
    if one.log_id:
        lines.append(report.line("Final-Log-ID", one.log_id))
    if one.action == "delayed":  # RFC 3464 §2.3.9: of others it says nothing
        lines.append(report.date_line("Will-Retry-Until", one.retry_until))
    return b"".join(lines)


def delivery_report(
    text: str, status: DeliveryStatus, returned: compose.Leaf | None = None
) -> compose.Multipart:
    """The content of a delivery status notification; `returned` as `report.returned_…` make it."""
    return report.report("delivery-status", text, status_fields(status), returned)


# Reading --------------------------------------------------------------------------------------------

_STATUS: Final = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")


def read_delivery_report(
    buffer: Buffer, parts: Sequence[Part] | None = None
) -> DeliveryStatus | None:
    """What a message says if it is a delivery status notification, None if it is none; `parts` where it
    is parsed already. Never raises."""
    part = report.report_part(buffer, KINDS, parts)
    if part is None:
        return None
    found = report.blocks(buffer, part)
    recipients = tuple([one for one in map(_recipient, found) if one is not None])
    if not recipients:
        return None
    first = found[0]
    return DeliveryStatus(
        server=report.typed_of(first, "reporting-mta")[1],
        recipients=recipients,
        envelope=report.text_of(first, "original-envelope-id"),
        arrival=_time(first, "arrival-date"),
    )


def _recipient(block: Block) -> RecipientStatus | None:
    """A block of a recipient; some programs put all fields into the first block."""
    address = report.address_of(block, "final-recipient") or report.address_of(
        block, "original-recipient"
    )
    if not address:
        return None
    kind, original = report.typed_of(block, "original-recipient")
    if original:
        original = f"{kind or 'rfc822'};{report.address_of(block, 'original-recipient')}"
    action = report.text_of(block, "action").partition(" ")[0].lower()
    status = _STATUS.search(report.text_of(block, "status"))
    return RecipientStatus(
        address=address,
        action=action if action in ACTIONS else "",
        status=status[1] if status else "",
        original=original,
        remote=report.typed_of(block, "remote-mta")[1],
        diagnostic=report.typed_of(block, "diagnostic-code")[1],
        last_attempt=_time(block, "last-attempt-date"),
        retry_until=_time(block, "will-retry-until"),
        log_id=report.text_of(block, "final-log-id"),
    )


def _time(block: Block, name: str) -> int:
    found = date_time(block[name]) if name in block else None
    return max(0, found.timestamp()) if found is not None else 0
