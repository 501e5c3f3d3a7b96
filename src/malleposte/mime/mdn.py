"""Message disposition notifications, read receipts (RFC 8098): the request, the fields, built and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from . import compose, report
from .address import addresses, mailboxes
from .charset import guess
from .content import content_type
from .message_id import message_ids
from .parameters import parameters
from .part import Part
from .scanner import Buffer

TYPES: Final = ("displayed", "dispatched", "processed", "deleted", "denied", "failed")
"""Disposition types (RFC 8098 §3.2.6.2); those after the first stood in RFC 3798 and before."""

KINDS: Final = ("disposition-notification", "global-disposition-notification")


class Disposition(NamedTuple):
    """What became of a message at its recipient. `message_id` without brackets; `original` as ORCPT had
    it; `by_hand`: the user did it; `agreed`: the user agreed that this is sent."""

    recipient: str
    type: str
    message_id: str = ""
    original: str = ""
    by_hand: bool = True
    agreed: bool = True
    program: str = ""
    modifiers: tuple[str, ...] = ()


class ReceiptRequest(NamedTuple):
    """Who asks to hear that a message was seen. `doubtful`: the answer may go to somebody who has no part
    in it: users are to be asked each time, whatever they chose for all (RFC 8098 §2.1)."""

    addresses: tuple[str, ...]
    doubtful: bool


def disposition_fields(disposition: Disposition) -> bytes:
    """The body of `message/disposition-notification`."""
    lines = []
    if disposition.program:
        lines.append(report.line("Reporting-UA", disposition.program))
    if disposition.original:
        lines.append(report.line("Original-Recipient", report.typed_address(disposition.original)))
    typed = report.typed_address(f"utf-8;{disposition.recipient}")
    if disposition.recipient.isascii():
        typed = f"rfc822; {disposition.recipient}"
    lines.append(report.line("Final-Recipient", typed))
    if disposition.message_id:
        lines.append(compose.message_ids("Original-Message-ID", [disposition.message_id[:900]]))
    action = "manual-action" if disposition.by_hand else "automatic-action"
    sending = "MDN-sent-manually" if disposition.agreed else "MDN-sent-automatically"
    shown = "/".join((disposition.type, ",".join(disposition.modifiers))).rstrip("/")
    lines.append(report.line("Disposition", f"{action}/{sending}; {shown}"))
    return b"".join(lines)


def disposition_report(
    text: str, disposition: Disposition, returned: compose.Leaf | None = None
) -> compose.Multipart:
    """The content of a disposition notification; `returned`: the message's header, if anything."""
    return report.report(
        "disposition-notification", text, disposition_fields(disposition), returned
    )


def receipt_request(fields: Mapping[bytes, bytes]) -> ReceiptRequest | None:
    """What a message (raw fields by lower-case name, as `last_values` gives) asks for, None for nothing or
    for what may not be answered: reports, and requests with conditions that we do not know."""
    wanted = fields.get(b"disposition-notification-to")
    if wanted is None or _demands(fields.get(b"disposition-notification-options", b"")):
        return None
    media = content_type(fields.get(b"content-type", b""))
    if media is not None and (media.type, media.subtype) == ("multipart", "report"):
        kind = (media.get("report-type") or "").lower()
        if kind in ("disposition-notification", "delivery-status"):  # RFC 8098 §2.1
            return None
    asked = [guess(one.addr_spec) for one in mailboxes(addresses(wanted)) if one.host]
    if not asked:
        return None
    path = [guess(one.addr_spec) for one in mailboxes(addresses(fields.get(b"return-path", b"")))]
    same = len(asked) == 1 and len(path) == 1 and _same(asked[0], path[0])
    return ReceiptRequest(tuple(asked[:ASKED]), doubtful=not same)


ASKED: Final = 10
"""Addresses that one receipt may go to: more is misuse."""


def _demands(options: bytes) -> bool:
    """Whether a condition is `required` (RFC 8098 §2.2): we know none."""
    return any(
        one.text.partition(",")[0].strip().lower() == "required"
        for one in parameters(b";" + options)
    )


def _same(one: str, other: str) -> bool:
    """RFC 8098 §2.1 compares local parts with case, domains without."""
    local, _, domain = one.rpartition("@")
    other_local, _, other_domain = other.rpartition("@")
    return local == other_local and domain.lower() == other_domain.lower()


# Reading --------------------------------------------------------------------------------------------


def read_disposition_report(
    buffer: Buffer, parts: Sequence[Part] | None = None
) -> Disposition | None:
    """What a message says if it is a disposition notification, None if it is none. Never raises."""
    part = report.report_part(buffer, KINDS, parts)
    found = report.blocks(buffer, part) if part is not None else []
    for block in found:
        mode, _, type_ = report.text_of(block, "disposition").partition(";")
        type_, _, modifiers = type_.partition("/")
        type_ = type_.strip().lower()
        address = report.address_of(block, "final-recipient")
        if type_ not in TYPES or not address:
            continue
        kind, original = report.typed_of(block, "original-recipient")
        if original:
            original = f"{kind or 'rfc822'};{report.address_of(block, 'original-recipient')}"
        ids = message_ids(block.get("original-message-id", b""))
        return Disposition(
            recipient=address,
            type=type_,
            message_id=ids[0] if ids else "",
            original=original,
            by_hand="automatic-action" not in mode.lower(),
            agreed="sent-automatically" not in mode.lower(),
            program=report.text_of(block, "reporting-ua"),
            modifiers=tuple(m for m in (m.strip().lower() for m in modifiers.split(",")) if m),
        )
    return None
