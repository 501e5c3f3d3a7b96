"""The preview of a message: the beginning of its text on one line (RFC 8621 §4.1.4)."""

from __future__ import annotations

from typing import Final

from .body import decode_transfer
from .body_lists import BodyLists
from .charset import TextDecoder, decode, plain_text
from .html_text import html_text
from .part import Part
from .scanner import Buffer

PREVIEW_CHARACTERS: Final = 256
"""RFC 8621 §4.1.4 allows no more."""

PLAIN_BYTES: Final = 4 * 1024
"""Octets of a plain text part that are read for it: also after base64 and a long quotation."""

HTML_BYTES: Final = 24 * 1024
"""The same for HTML, whose style sheets come first."""


def preview(buffer: Buffer, lists: BodyLists) -> str:
    """At most 256 characters of the best text part, white space collapsed.

    Plain text goes before HTML; quoted lines (`>`) are left out unless there is nothing else.
    """
    for part in lists.text[:3]:
        if part.type == "text":
            text = _beginning(buffer, part)
            if text:
                return text
    return ""


def _beginning(buffer: Buffer, part: Part) -> str:
    html = part.subtype == "html"
    end = min(part.body_end, part.body_start + (HTML_BYTES if html else PLAIN_BYTES))
    raw = bytes(buffer[part.body_start : end])
    if part.encoding:
        raw = decode_transfer(raw, part.encoding)
    # A last character that is cut makes no other charset likely.
    text = TextDecoder(part.charset).feed(raw) if end < part.body_end else decode(raw, part.charset)
    if html:
        text = html_text(text, enough=2 * PREVIEW_CHARACTERS)
    elif "\n>" in text or text.startswith(">"):
        own = [line for line in text.split("\n") if not line.startswith(">")]
        text = " ".join(own).strip() or text
    shown = " ".join(text[: 2 * PREVIEW_CHARACTERS].split())  # enough of most texts
    if len(shown) < PREVIEW_CHARACTERS:
        shown = " ".join(text.split())
    return plain_text(shown[:PREVIEW_CHARACTERS]).rstrip()
