"""JSON objects of which only some members are known: the others are kept as their octets."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec

MOST_OCTETS: Final = 1024 * 1024
"""Of a form."""

Struct = TypeVar("Struct", bound=msgspec.Struct)
Rest = tuple[tuple[str, bytes], ...]
"""Names and values (JSON) of unknown members, in their order."""


class FormError(ValueError):
    """A form that cannot be kept; the text says why, in words for who filled it in."""


def read(octets: bytes, kind: type[Struct]) -> tuple[Struct, Rest]:
    """An object's known members, and the rest. Raises `FormError`."""
    if len(octets) > MOST_OCTETS:
        raise FormError(f"it has more than {MOST_OCTETS:,} octets")
    try:
        members = msgspec.json.decode(octets, type=dict[str, msgspec.Raw])
        names = set(_names(kind))
        known = {name: raw for name, raw in members.items() if name in names}
        value = msgspec.json.decode(msgspec.json.encode(known), type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise FormError(f"that is no such form: {error}") from None
    rest = tuple((name, bytes(raw)) for name, raw in members.items() if name not in names)
    return value, rest


def write(value: msgspec.Struct, rest: Rest, **raw: bytes) -> bytes:
    """The object again. `raw`: members whose JSON is given, in place of the value's own."""
    members: dict[str, Any] = msgspec.structs.asdict(value)
    parts = [
        _member(shown, raw.get(name) or msgspec.json.encode(members[name]))
        for name, shown in zip(type(value).__struct_fields__, _names(type(value)), strict=True)
    ]
    parts += [_member(name, octets) for name, octets in rest]
    return b"{" + b",".join(parts) + b"}"


def _member(name: str, octets: bytes) -> bytes:
    return msgspec.json.encode(name) + b":" + octets


def _names(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return kind.__struct_encode_fields__
