"""Thread keys: the ids by which a message finds the thread it belongs to (RFC 8621 §3)."""

from __future__ import annotations

from typing import Final

from .message_id import id_text, raw_ids

THREAD_IDS: Final = 30
"""Ids kept of one message. Of a longer References the first (the root) and the last ones stay,
as RFC 5537 §3.4.4 shortens it."""

ID_OCTETS: Final = 500
"""Longest id kept; a longer one is left out, since a cut one could equal another's."""


def thread_ids(fields: dict[bytes, bytes]) -> tuple[str, ...]:
    """Message-ID, References and In-Reply-To ids without doubles; the own id, if any, first.

    `fields` holds raw values by lower-case name.
    """
    own = _ids(fields, b"message-id")[:1]
    references = _ids(fields, b"references")
    parents = _ids(fields, b"in-reply-to")
    if len(references) > THREAD_IDS:
        references = references[:1] + references[1 - THREAD_IDS :]
    raws = dict.fromkeys(own + references + parents[:THREAD_IDS])
    ids = tuple([id_text(raw) for raw in raws if len(raw) <= ID_OCTETS])
    if len(ids) > THREAD_IDS:
        return ids[:2] + ids[2 - THREAD_IDS :]
    return ids


def _ids(fields: dict[bytes, bytes], name: bytes) -> list[bytes]:
    value = fields.get(name)
    return [] if value is None else raw_ids(value)
