"""A header in ASCII: what old programs write in 8 bits, as encoded words (RFC 2047).

Texts and names of people alone. An address beyond ASCII cannot be written otherwise (RFC 6532), nor can
what is not known: such fields stay, and the message needs SMTPUTF8. Never raises on any octets.
"""

from __future__ import annotations

from typing import Final

from . import compose
from .address import Address, addresses, display_name
from .encoded_words import decode_text
from .headers import FIELD
from .limits import FIELD_BYTES

TEXTS: Final = frozenset({b"subject", b"comments", b"content-description", b"organization"})
PEOPLE: Final = frozenset(
    {b"from", b"sender", b"reply-to", b"to", b"cc", b"resent-from", b"resent-to", b"resent-cc"}
)


def ascii_header(header: bytes) -> bytes | None:
    """The header with as many fields in ASCII as can be; None where nothing is to be done."""
    if header.isascii():
        return None
    kept: list[bytes] = []
    at = 0
    for field in FIELD.finditer(header):
        end = min(field.end() + 1, len(header))
        if header[field.start() : end].isascii():
            continue
        made = _in_ascii(field[1].rstrip(), field[2].removesuffix(b"\r"))
        if made is not None:
            kept += (header[at : field.start()], made)
            at = end
    return b"".join([*kept, header[at:]]) if at else None


def _in_ascii(name: bytes, value: bytes) -> bytes | None:
    if not name.isascii() or len(value) > FIELD_BYTES:
        return None
    written = name.decode("ascii")
    try:
        if name.lower() in TEXTS:
            return compose.unstructured(written, decode_text(value))
        if name.lower() in PEOPLE:
            return _people(written, value)
    except ValueError:
        pass
    return None


def _people(name: str, value: bytes) -> bytes | None:
    """An address field; not one with groups, or an address beyond ASCII. Raises ``ValueError``."""
    boxes: list[compose.Mailbox] = []
    for one in addresses(value):
        if not isinstance(one, Address) or not one.addr_spec.isascii():
            return None
        shown = display_name(one.name or one.comment)
        boxes.append(compose.Mailbox(shown, one.addr_spec.decode("ascii")))
    return compose.addresses(name, boxes) if boxes else None
