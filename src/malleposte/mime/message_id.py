"""Message identifiers (RFC 5322 §3.6.4): Message-ID, References, In-Reply-To, Content-ID.

Bounded by `FIELD_BYTES`; never raises. Ids come without their angle brackets, otherwise as they
stand.
"""

from __future__ import annotations

import re
from typing import Final

from .charset import guess, plain_text
from .headers import unfold
from .limits import FIELD_BYTES

_ID: Final = re.compile(rb"<([^<>]++)>")


def message_ids(value: bytes) -> list[str]:
    """All ids of a raw field value in order; one without brackets is taken as it is."""
    return [id_text(raw) for raw in raw_ids(value)]


def bracketed_ids(value: bytes) -> list[bytes]:
    """Ids in angle brackets alone, undecoded: those that a reader may trust to be ids."""
    found: list[bytes] = _ID.findall(unfold(value[:FIELD_BYTES]))
    return found


def raw_ids(value: bytes) -> list[bytes]:
    """All ids, undecoded."""
    found = bracketed_ids(value)
    if not found:
        bare = unfold(value[:FIELD_BYTES]).strip(b"<> \t")
        return [bare] if bare else []
    return found


def id_text(raw: bytes) -> str:
    """An id as text; 8-bit ones (RFC 6532 §3.3) as they can be read."""
    return plain_text(guess(raw))
