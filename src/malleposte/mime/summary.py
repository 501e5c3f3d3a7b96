"""Everything the store keeps of a message besides its bytes, made in one pass.

`summarize` is the hot path of receiving: it runs once for each message, decodes only the fields
that have a column, and reads no more of a body than its preview needs.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Final

import msgspec

from .address import Address, AddressList, addresses, display_name
from .body_lists import body_lists, has_attachment
from .bodystructure import bodystructure_slices
from .charset import plain_text
from .date import date_time
from .encoded_words import decode_text
from .envelope import ADDRESS_FIELDS, render
from .headers import last_values
from .limits import DEFAULT_LIMITS, SLICE_PARTS, Limits
from .message_id import id_text, raw_ids
from .part import dump_structure
from .preview import preview
from .scanner import Buffer
from .slices import run
from .structure import scan
from .subject import split_subject
from .thread import ID_OCTETS, thread_ids, thread_key

SUBJECT_CHARACTERS: Final = 1_000
"""Longest subject kept in its column: RFC 5322 §2.1.1 has 998 for a line. The whole one stays
in the message."""

SUBJECT_BYTES: Final = 12 * SUBJECT_CHARACTERS
"""Octets of Subject that are decoded for it: a character of three octets takes nine in Q words."""

SLICE_HEADER: Final = 64 * 1024
"""Octets of a header from which on its fields are read in slices of their own."""

ADDRESS_CHARACTERS: Final = 4_000
"""Longest display text of an address field; whole addresses, the rest is left out."""


class Summary(msgspec.Struct, frozen=True, gc=False):
    """The columns of one message.

    `structure` is for `load_structure`. `envelope` and `bodystructure` are ready to send in the
    rev1 form (8-bit as literals, RFC 6532 text as encoded words); the `_utf8` ones (RFC 9755,
    IMAP4rev2) are None where they would be the same. `subject` is decoded and cut at 1,000
    characters; `base_subject` (RFC 5256 §2.1) is casefolded, so that equal means the same
    thread. `from_`, `to`, `cc`, `bcc` are decoded lists "Name <local@domain>, …", a group's name
    as "name:" before its members, whole addresses up to 4,000 characters. `message_id` has no
    angle brackets. `thread_ids` are the own id, References and In-Reply-To, at most 30;
    `thread_key` is what IMAP makes trees of threads by (`thread.read_thread_key`). `sent_at` is
    Date in Unix seconds. `header_size` is the offset of the body, `lines` the line ends of the whole. No
    text column holds control characters.
    """

    structure: bytes
    envelope: bytes
    envelope_utf8: bytes | None
    bodystructure: bytes
    bodystructure_utf8: bytes | None
    preview: str
    subject: str
    base_subject: str
    from_: str
    to: str
    cc: str
    bcc: str
    message_id: str | None
    thread_ids: tuple[str, ...]
    thread_key: bytes
    sent_at: int | None
    has_attachment: bool
    header_size: int
    lines: int


def summarize(buffer: Buffer, limits: Limits = DEFAULT_LIMITS) -> Summary:
    """The summary of a message of any bytes; never raises."""
    return run(summarize_slices(buffer, limits))


def summarize_slices(
    buffer: Buffer, limits: Limits = DEFAULT_LIMITS
) -> Generator[None, None, Summary]:
    """`summarize` in slices of a few milliseconds: yields between them, returns the summary."""
    parts, fields, lines = yield from scan(buffer, limits)
    large = len(parts) > SLICE_PARTS or parts[0].body_start > SLICE_HEADER
    lists: dict[bytes, AddressList] = {}
    for name in ADDRESS_FIELDS:
        if name in fields:
            lists[name] = addresses(fields[name])
            if large:
                yield
    envelope, envelope_utf8 = render(fields, lists)
    structure, structure_utf8 = yield from bodystructure_slices(parts)
    if large:
        yield
    bodies = body_lists(parts)
    if large:
        yield
    subject = _subject(fields)
    base, again = split_subject(subject)
    folded = base.casefold()
    raw_date = fields.get(b"date")
    date = date_time(raw_date) if raw_date else None
    return Summary(
        dump_structure(parts),
        envelope,
        envelope_utf8,
        structure,
        structure_utf8,
        preview(buffer, bodies),
        subject,
        folded,
        _display(lists.get(b"from")),
        _display(lists.get(b"to")),
        _display(lists.get(b"cc")),
        _display(lists.get(b"bcc")),
        _message_id(fields),
        thread_ids(fields),
        thread_key(fields, folded, again),
        date.timestamp() if date is not None else None,
        has_attachment(bodies),
        parts[0].body_start,
        lines,
    )


def header_thread_key(header: bytes) -> bytes:
    """`Summary.thread_key` of a header block alone."""
    fields = last_values(header)
    base, again = split_subject(_subject(fields))
    return thread_key(fields, base.casefold(), again)


def _subject(fields: dict[bytes, bytes]) -> str:
    raw = fields.get(b"subject")
    text = plain_text(decode_text(raw[:SUBJECT_BYTES])) if raw else ""
    return text[:SUBJECT_CHARACTERS]


def _message_id(fields: dict[bytes, bytes]) -> str | None:
    value = fields.get(b"message-id")
    ids = raw_ids(value) if value is not None else None
    return id_text(ids[0]) if ids and len(ids[0]) <= ID_OCTETS else None


def _display(found: AddressList | None) -> str:
    """Whole addresses and groups' names, as many as there is room for."""
    shown: list[str] = []
    room = ADDRESS_CHARACTERS
    for text in _entries(found or []):
        room -= len(text) + 2
        if room < 0:
            break
        shown.append(text)
    return ", ".join(shown)


def _entries(found: AddressList) -> Iterator[str]:
    for entry in found:
        if isinstance(entry, Address):
            yield _address(entry)
            continue
        name = plain_text(display_name(entry.name)) + ":"
        if not entry.members:
            yield name
        for number, address in enumerate(entry.members):
            yield f"{name} {_address(address)}" if number == 0 else _address(address)


def _address(address: Address) -> str:
    raw_name = address.name or address.comment
    text = display_name(address.addr_spec)
    if raw_name:
        name = display_name(raw_name)
        text = f"{name} <{text}>" if text else name
    return plain_text(text)
