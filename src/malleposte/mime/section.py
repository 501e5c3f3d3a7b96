"""IMAP body sections (RFC 9051 §6.4.5.1) as offsets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from .part import Kind, Part

SectionKind = Literal["", "HEADER", "TEXT", "MIME"]


def section(
    parts: Sequence[Part], numbers: Sequence[int], kind: SectionKind = ""
) -> tuple[int, int] | None:
    """Where a section lies, `(start, end)` from the message's start; None if there is none.

    `numbers` is the part specifier (`[1, 2]` for `1.2`), `kind` what follows it. HEADER.FIELDS
    is HEADER, filtered by `header_fields`. Every message has a part 1; `1` of one that is no
    multipart is its body.
    """
    if not numbers:
        root = parts[0]
        if kind == "":
            return root.header_start, root.body_end
        return _message_section(root, kind)
    found = _find(parts, numbers)
    if found is None:
        return None
    if kind == "":
        return found.body_start, found.body_end
    if kind == "MIME":
        return found.header_start, found.body_start
    if found.kind != Kind.MESSAGE:
        return None  # HEADER and TEXT are of messages only
    return _message_section(parts[found.children[0]], kind)


def _message_section(message: Part, kind: str) -> tuple[int, int] | None:
    if kind == "HEADER":
        return message.header_start, message.body_start
    if kind == "TEXT":
        return message.body_start, message.body_end
    return None


def find_part(parts: Sequence[Part], numbers: Sequence[int]) -> Part | None:
    """The part that a part specifier names; None for an empty one or if there is none."""
    return _find(parts, numbers) if numbers else None


def _find(parts: Sequence[Part], numbers: Sequence[int]) -> Part | None:
    part = parts[0]
    message = True  # the number counts inside a message: a body that is no multipart is its 1
    for number in numbers:
        if not message and part.kind == Kind.MESSAGE:
            part = parts[part.children[0]]
            message = True
        if part.kind == Kind.MULTIPART:
            if not 1 <= number <= len(part.children):
                return None
            part = parts[part.children[number - 1]]
        elif not message or number != 1:
            return None
        message = False
    return part
