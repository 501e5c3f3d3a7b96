"""How much of a message is looked at, and why no more.

A message is hostile until it has been parsed. Every bound below is far above what real mail
reaches; what lies beyond a bound is never refused or lost: it stays as opaque bytes of the
part around it. Dovecot's limits (100 levels, 10,000 parts) are the precedent for the first two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one parse; the defaults are what the server runs with.

    `levels`: nested multiparts and messages; real mail stays below 10, Dovecot stops at 100.
    `parts`: entities in all; a digest of a year's list mail has some 2,000.
    `header_bytes`: octets of one header block whose fields are read; the block itself may be
    longer, its end is found all the same. Postfix refuses headers over 100 KB by default.
    `header_fields`: fields of one block that are read; traces of long relays have about 100.
    `delimiter_lookups`: how often a line beginning with `--` is compared with the boundaries in
    force, in vain; past it the rest of the message belongs to the parts then open. A log of
    300,000 dashed lines inside three multiparts stays below; 0.2 s at most.
    `described_bytes`: octets of all part headers together from which names, ids, parameters and
    embedded envelopes are kept; 10,000 parts of a usual 250 each stay below. It keeps the
    rendered columns small.
    """

    levels: int = 100
    parts: int = 10_000
    header_bytes: int = 1 << 20
    header_fields: int = 5_000
    delimiter_lookups: int = 1_000_000
    described_bytes: int = 4 << 20


DEFAULT_LIMITS: Final = Limits()

SLICE_BYTES: Final = 256 * 1024
"""Octets of body that one slice of work scans: C primitives do 1 GB/s and more, so under 1 ms."""

SLICE_PARTS: Final = 200
"""Parts that one slice of work opens: some 20 µs each, so about 5 ms."""

SLICE_HEADERS: Final = 32 * 1024
"""Octets of part headers that one slice reads."""

SLICE_LOOKUPS: Final = 5_000
"""Comparisons of dashed lines in one slice: up to a microsecond each."""

BOUNDARY_BYTES: Final = 250
"""Longest boundary told apart; RFC 2046 §5.1.1 allows 70, some generators make 100."""

FIELD_BYTES: Final = 64 * 1024
"""Octets of one header field that are decoded: a To of 1,500 recipients fits."""

TEXT_BYTES: Final = 8 * 1024
"""Octets of a text field (Subject, Message-ID …) shown in ENVELOPE; cut at a space."""

CONTENT_BYTES: Final = 2 * 1024
"""Octets of Content-ID, -Description, -Location … that are kept; URLs end at about 2,000."""

CHARSET_CHARACTERS: Final = 64
"""Longest charset name kept; RFC 2978 §2.3 registers names up to 40."""

ADDRESSES: Final = 1_000
"""Addresses of one field that are parsed and shown in ENVELOPE."""

ADDRESS_TOKENS: Final = 6_000
"""Words, spaces, commas … of an address field that is not well-formed: 1,000 addresses have some
5,000. With this the worst field takes about 15 ms."""

NAME_BYTES: Final = 1_000
"""Octets of a display name or a comment; a line has 998 (RFC 5322 §2.1.1)."""

EMBEDDED_FIELD_BYTES: Final = 4 * 1024
"""The same as `FIELD_BYTES` for an embedded message, of which there can be thousands."""

COMMENT_MARKS: Final = 1_000
"""Parentheses and escapes inside one comment."""

PARAMETERS: Final = 64
"""Parameters of one Content-Type or Content-Disposition; real ones have at most 10."""

PARAMETER_BYTES: Final = 8 * 1024
"""Octets of one Content-Type or Content-Disposition field that are parsed."""

PARAMETER_SECTIONS: Final = 200
"""RFC 2231 continuations of one field: file names of 255 octets come in at most 20."""

REPORT_BYTES: Final = 1 << 20
"""Octets of the machine's part of a report that are read: some 3,000 recipients."""

REPORT_BLOCKS: Final = 1_001
"""Blocks of fields in it: one for the message, one for each recipient."""

REPORT_PARTS: Final = 20
"""Parts of a message among which a report's is looked for; it is the second."""
