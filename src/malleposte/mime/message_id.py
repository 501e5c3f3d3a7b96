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
    text = unfold(value[:FIELD_BYTES])
    found = _ID.findall(text)
    if not found:
        bare = text.strip(b"<> \t")
        return [plain_text(guess(bare))] if bare else []
    return [plain_text(guess(raw)) for raw in found]
