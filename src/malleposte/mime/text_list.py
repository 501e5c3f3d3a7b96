"""Lists of text separated by commas: Keywords (RFC 5322 §3.6.5) and fields like it."""

from __future__ import annotations

import re
from typing import Final

from .encoded_words import decode_text
from .limits import ADDRESSES, FIELD_BYTES

# A comma inside an encoded word separates nothing.
_ITEM: Final = re.compile(rb"(?:=\?[^?\s]{1,64}\?[bBqQ]\?[^?]*+\?=|[^,])++")


def text_list(value: bytes) -> list[str]:
    """The items of a raw field value, decoded; empty ones left out."""
    items = (decode_text(item) for item in _ITEM.findall(value[:FIELD_BYTES])[:ADDRESSES])
    return [item for item in items if item]
