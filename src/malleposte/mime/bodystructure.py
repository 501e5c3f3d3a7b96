"""BODY and BODYSTRUCTURE (RFC 9051 §7.5.2) from parts, as finished bytes.

Always legal by the formal syntax: a multipart without parts shows one empty text/plain part, a
message/rfc822 that was not looked into shows an empty message. No recursion: parts are rendered
from the last to the first, so that children are ready before their parent.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from .imap_string import nstring, string
from .limits import SLICE_PARTS
from .part import Kind, Part
from .slices import run

SLICE_RENDERED: Final = 256 * 1024
"""Octets rendered in one slice, each part counting `PART_COST` more: some 5 ms."""

PART_COST: Final = 500

EMPTY_ENVELOPE = b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"
_EMPTY_TEXT = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0'
_EMPTY_EXTENSION = b" NIL NIL NIL NIL"


def bodystructure(parts: tuple[Part, ...]) -> tuple[bytes, bytes | None]:
    """BODYSTRUCTURE: the rev1 form, and the UTF-8 form where it differs."""
    return run(bodystructure_slices(parts))


def bodystructure_slices(
    parts: tuple[Part, ...],
) -> Generator[None, None, tuple[bytes, bytes | None]]:
    """`bodystructure` in slices of a few milliseconds: yields between them."""
    rev1 = yield from _render(parts, extended=True, utf8=False)
    if len(parts) > SLICE_PARTS:
        yield
    if not any(map(_eight_bit, parts)):
        return rev1, None
    utf8 = yield from _render(parts, extended=True, utf8=True)
    return rev1, utf8 if utf8 != rev1 else None


def body(parts: tuple[Part, ...], utf8: bool = False) -> bytes:
    """BODY, the non-extensible form."""
    return run(_render(parts, extended=False, utf8=utf8))


def _eight_bit(part: Part) -> bool:
    """Whether the UTF-8 form of a part may differ."""
    if part.envelope_utf8 is not None or part.subtype == "global":
        return True
    if not (part.type + part.subtype + (part.disposition or "")).isascii():
        return True
    for name, value in part.parameters + part.disposition_parameters:
        if not (name.isascii() and value.isascii()):
            return True
    for text in (part.content_id, part.description, part.md5, part.location, *part.language):
        if text is not None and not text.isascii():
            return True
    return False


def _render(parts: tuple[Part, ...], extended: bool, utf8: bool) -> Generator[None, None, bytes]:
    done: dict[int, bytes] = {}
    work = 0
    for index in range(len(parts) - 1, -1, -1):
        part = parts[index]
        if part.kind == Kind.MULTIPART:
            inner = b"".join([done.pop(child) for child in part.children])
            done[index] = _multipart(part, inner, extended, utf8)
        else:
            child = done.pop(part.children[0]) if part.children else None
            done[index] = _single(part, child, extended, utf8)
        work += PART_COST + len(done[index])
        if work > SLICE_RENDERED:
            work = 0
            yield
    return done[0]


def _multipart(part: Part, inner: bytes, extended: bool, utf8: bool) -> bytes:
    if not inner:
        inner = _EMPTY_TEXT + (_EMPTY_EXTENSION + b")" if extended else b")")
    shown = b"(" + inner + b" " + string(part.subtype.encode(), utf8)
    if not extended:
        return shown + b")"
    return shown + b" " + _parameters(part.parameters, utf8) + _extension(part, utf8) + b")"


def _single(part: Part, child: bytes | None, extended: bool, utf8: bool) -> bytes:
    kind = part.type
    subtype = part.subtype
    fields = [
        string(kind.encode(), utf8),
        string(subtype.encode(), utf8),
        _parameters(part.parameters, utf8),
        nstring(part.content_id, utf8),
        nstring(part.description, utf8),
        nstring(part.encoding.encode() or b"7bit"),
        b"%d" % part.size,
    ]
    if kind == "text":
        fields.append(b"%d" % part.lines)
    elif kind == "message" and (subtype == "rfc822" or (utf8 and subtype == "global")):
        envelope = (part.envelope_utf8 if utf8 else None) or part.envelope or EMPTY_ENVELOPE
        if child is None:
            child = _EMPTY_TEXT + (_EMPTY_EXTENSION + b")" if extended else b")")
        fields += (envelope, child, b"%d" % part.lines)
    shown = b"(" + b" ".join(fields)
    if not extended:
        return shown + b")"
    return shown + b" " + nstring(part.md5, utf8) + _extension(part, utf8) + b")"


def _parameters(pairs: tuple[tuple[bytes, bytes], ...], utf8: bool) -> bytes:
    if not pairs:
        return b"NIL"
    return b"(" + b" ".join([nstring(item, utf8) for pair in pairs for item in pair]) + b")"


def _extension(part: Part, utf8: bool) -> bytes:
    """Disposition, language and location: common to all kinds."""
    if part.disposition is None and not part.language and part.location is None:
        return b" NIL NIL NIL"
    shown = b" NIL"
    if part.disposition is not None:
        shown = b" (%b %b)" % (
            string(part.disposition.encode(), utf8),
            _parameters(part.disposition_parameters, utf8),
        )
    if not part.language:
        shown += b" NIL"
    elif len(part.language) == 1:
        shown += b" " + nstring(part.language[0], utf8)
    else:
        shown += b" (" + b" ".join([nstring(tag, utf8) for tag in part.language]) + b")"
    return shown + b" " + nstring(part.location, utf8)
