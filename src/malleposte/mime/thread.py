"""Thread keys: the ids by which a message finds the thread it belongs to (RFC 8621 §3), and those by
which IMAP makes trees of threads (RFC 5256 §3)."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final, NamedTuple

from .collation import casemap
from .message_id import bracketed_ids, id_text, raw_ids

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


class ThreadKey(NamedTuple):
    """What IMAP's THREAD needs of a message; numbers are hashes of 64 bits.

    `own`: Message-ID, 0 for none. `subject`: the base subject as i;unicode-casemap compares it, 0
    for an empty one. `again`: the subject says that it is a reply or a forward. `references`: the
    message's ancestors, oldest first.
    """

    own: int
    subject: int
    again: bool
    references: tuple[int, ...]


def thread_key(fields: dict[bytes, bytes], base_subject: str, again: bool) -> bytes:
    """The key of a message as the store keeps it; `read_thread_key` reads it.

    `fields` holds raw values by lower-case name. The ancestors are the ids of References, or the
    first one of In-Reply-To where there are none (RFC 5256 §3, REFERENCES step 1).
    """
    own = _ids(fields, b"message-id")[:1]
    references = bracketed_ids(fields.get(b"references", b""))
    if len(references) > THREAD_IDS:
        references = references[:1] + references[1 - THREAD_IDS :]
    if not references:
        references = bracketed_ids(fields.get(b"in-reply-to", b""))[:1]
    subject = casemap(base_subject).encode("utf-8", "replace")
    return b"".join(
        (
            b"\1" if again else b"\0",
            _hash(_normal(own[0])) if own else _NONE,
            _hash(subject) if subject else _NONE,
            *[_hash(_normal(raw)) for raw in references],
        )
    )


def read_thread_key(key: bytes) -> ThreadKey:
    """A stored key."""
    numbers = [int.from_bytes(key[at : at + 8], "big") for at in range(1, len(key), 8)]
    return ThreadKey(numbers[0], numbers[1], key[0] == 1, tuple(numbers[2:]))


_NONE: Final = bytes(8)


def _hash(octets: bytes) -> bytes:
    return blake2b(octets, digest_size=8).digest()


def _normal(raw: bytes) -> bytes:
    """An id without the quotes it may or may not have around its left side (RFC 5256 §3)."""
    if not raw.startswith(b'"'):
        return raw
    local, at, domain = raw.rpartition(b"@")
    if len(local) < 2 or not local.endswith(b'"'):
        return raw
    return local[1:-1].replace(b"\\", b"") + at + domain
