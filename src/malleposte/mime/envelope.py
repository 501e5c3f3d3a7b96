"""ENVELOPE (RFC 9051 §7.5.2) as finished bytes.

Two forms: rev1, where UTF-8 text is shown as encoded words and other 8-bit data as literals, and
the UTF-8 form (RFC 9755 §3, IMAP4rev2), made only where it differs. Header fields that are
repeated count by their last instance. Bounded by `TEXT_BYTES` a text field, `FIELD_BYTES` and
`ADDRESSES` an address field.
"""

from __future__ import annotations

from typing import Final

from .address import Address, AddressList, Group, addresses
from .headers import collapse
from .imap_string import nstring, string
from .limits import FIELD_BYTES, TEXT_BYTES

Lists = dict[bytes, AddressList]


def envelope_of(fields: dict[bytes, bytes], limit: int = FIELD_BYTES) -> tuple[bytes, bytes | None]:
    """ENVELOPE from raw values by lower-case name: the rev1 form, the UTF-8 form if different.

    Of each address field at most `limit` octets are read.
    """
    lists: Lists = {
        name: addresses(fields[name], limit) for name in ADDRESS_FIELDS if name in fields
    }
    return render(fields, lists)


ADDRESS_FIELDS: Final[tuple[bytes, ...]] = (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc")


def render(fields: dict[bytes, bytes], lists: Lists) -> tuple[bytes, bytes | None]:
    """`envelope_of` for address fields that are parsed already."""
    rev1 = _render(fields, lists, utf8=False)
    for name in _FIELDS:
        if name in fields and not fields[name].isascii():
            utf8 = _render(fields, lists, utf8=True)
            return rev1, utf8 if utf8 != rev1 else None
    return rev1, None


_FIELDS = (*ADDRESS_FIELDS, b"date", b"subject", b"in-reply-to", b"message-id")


def _render(fields: dict[bytes, bytes], lists: Lists, utf8: bool) -> bytes:
    sender = _addresses(lists.get(b"from"), utf8)
    parts = [_text(fields.get(b"date"), utf8), _text(fields.get(b"subject"), utf8), sender]
    for name in (b"sender", b"reply-to"):
        # Absent or empty: the same as From (RFC 9051 §7.5.2).
        shown = _addresses(lists[name], utf8) if name in lists else b"NIL"
        parts.append(sender if shown == b"NIL" else shown)
    for name in (b"to", b"cc", b"bcc"):
        parts.append(_addresses(lists[name], utf8) if name in lists else b"NIL")
    parts.append(_text(fields.get(b"in-reply-to"), utf8))
    parts.append(_text(fields.get(b"message-id"), utf8))
    return b"(" + b" ".join(parts) + b")"


def _text(value: bytes | None, utf8: bool) -> bytes:
    if value is None:
        return b"NIL"
    if len(value) > TEXT_BYTES:
        value = value[: max(value.rfind(b" ", 0, TEXT_BYTES), 0) or TEXT_BYTES]
    return nstring(collapse(value), utf8)


def _addresses(entries: AddressList | None, utf8: bool) -> bytes:
    if not entries:
        return b"NIL"
    out: list[bytes] = []
    for entry in entries:
        if isinstance(entry, Group):
            out.append(b"(NIL NIL " + string(entry.name, utf8) + b" NIL)")
            out.extend([_address(member, utf8) for member in entry.members])
            out.append(b"(NIL NIL NIL NIL)")
        else:
            out.append(_address(entry, utf8))
    return b"(" + b"".join(out) + b")"


def _address(address: Address, utf8: bool) -> bytes:
    name, mailbox = address.name or address.comment, address.mailbox
    if not mailbox and not address.host and b" " not in name:
        # A word alone, as cron writes it: whoever has that name on the host it came from.
        name, mailbox = b"", name
    # The host is never NIL: that would be the syntax of a group.
    return b"(%b %b %b %b)" % (
        nstring(name, utf8) if name else b"NIL",
        nstring(address.route, utf8) if address.route else b"NIL",
        nstring(mailbox, utf8),
        nstring(address.host, utf8),
    )
