"""Thread keys: the ids by which a message finds the thread it belongs to (RFC 8621 §3)."""

from __future__ import annotations

from typing import Final

from .message_id import message_ids

THREAD_IDS: Final = 30
"""Ids kept of one message. Of a longer References the first (the root) and the last ones stay,
as RFC 5537 §3.4.4 shortens it."""

ID_CHARACTERS: Final = 500
"""Longest id kept; a longer one is left out, since a cut one could equal another's."""


def thread_ids(fields: dict[bytes, bytes]) -> tuple[str, ...]:
    """Message-ID, References and In-Reply-To ids without doubles; the own id, if any, first.

    `fields` holds raw values by lower-case name.
    """
    found: dict[str, None] = {}
    for name in (b"message-id", b"references", b"in-reply-to"):
        value = fields.get(name)
        if value is not None:
            for identifier in message_ids(value)[: 1 if name == b"message-id" else None]:
                if len(identifier) <= ID_CHARACTERS:
                    found[identifier] = None
    ids = tuple(found)
    if len(ids) > THREAD_IDS:
        return ids[:2] + ids[2 - THREAD_IDS :]
    return ids
