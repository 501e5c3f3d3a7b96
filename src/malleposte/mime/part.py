"""One part of a message, and the stored form of all of them.

A message is a flat tuple of parts in preorder: part 0 is the message itself, a part's children
come after it. Offsets count octets from the start of the message. For every part
`header_start <= body_start <= body_end`, children lie inside their parent's body, siblings do
not overlap.
"""

from __future__ import annotations

from collections.abc import Generator
from enum import IntEnum
from typing import Final

import msgspec


class Kind(IntEnum):
    """What is inside a part's body."""

    LEAF = 0
    MULTIPART = 1  # children are the body parts
    MESSAGE = 2  # the one child is the embedded message


class Part(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An entity of RFC 2045: a header block and a body.

    `section` is the IMAP part number (RFC 9051 §6.4.5): `"1.2"`, `""` for the message itself;
    the message embedded in part `2` has the section `2` as its container has if it is a
    multipart, else `2.1`. `level` counts the containers around it, `parent` and `children` are
    indexes into the tuple. `lines` counts the line ends of the body.

    `type`, `subtype`, `encoding` and `disposition` are lower case. `parameters` and
    `disposition_parameters` are as IMAP shows them (RFC 2231 continuations joined, not decoded);
    `charset` and `name` (of the file, RFC 2183 before RFC 2045) are decoded. For a MESSAGE,
    `envelope` is the finished ENVELOPE of the embedded message, `envelope_utf8` its other form
    where it differs.
    """

    section: str
    kind: int
    level: int
    parent: int
    header_start: int
    body_start: int
    body_end: int
    lines: int
    type: str = "text"
    subtype: str = "plain"
    children: tuple[int, ...] = ()
    parameters: tuple[tuple[bytes, bytes], ...] = ()
    charset: str | None = None
    encoding: str = ""
    disposition: str | None = None
    disposition_parameters: tuple[tuple[bytes, bytes], ...] = ()
    name: str | None = None
    content_id: bytes | None = None
    description: bytes | None = None
    md5: bytes | None = None
    language: tuple[bytes, ...] = ()
    location: bytes | None = None
    envelope: bytes | None = None
    envelope_utf8: bytes | None = None

    @property
    def size(self) -> int:
        """Octets of the body as transferred (still encoded)."""
        return self.body_end - self.body_start

    @property
    def media(self) -> str:
        """`type/subtype`, lower case."""
        return f"{self.type}/{self.subtype}"


_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(tuple[Part, ...]).decode
_DECODE_RAW: Final = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_DECODE_ONE: Final = msgspec.msgpack.Decoder(Part).decode

SLICE_LOADED: Final = 250
"""Parts read from a stored structure in one slice: under 1 ms."""


def dump_structure(parts: tuple[Part, ...]) -> bytes:
    """The stored form: msgpack of an array of arrays in the order of the fields of `Part`.

    Fields may be added at the end with a default; none may be moved or removed.
    """
    return _ENCODE(parts)


def load_structure(structure: bytes) -> tuple[Part, ...]:
    """The parts of a stored structure; msgspec.DecodeError if it is not one of ours."""
    return _DECODE(structure)


def load_structure_slices(structure: bytes) -> Generator[None, None, tuple[Part, ...]]:
    """`load_structure` in slices, for structures of thousands of parts."""
    raws = _DECODE_RAW(structure)
    parts: list[Part] = []
    for start in range(0, len(raws), SLICE_LOADED):
        parts += [_DECODE_ONE(raw) for raw in raws[start : start + SLICE_LOADED]]
        yield
    return tuple(parts)
