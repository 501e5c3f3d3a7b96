"""The keys of the schema, as data: what a value may be, how it is read and how it is written.

Invariant: whatever `config` defines is found here without a second list; a field of a kind unknown
here is an error when this module is first used, so that no key can be read but not documented."""

import functools
import types
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from malleposte.node import config_units
from malleposte.node.config import Configuration
from malleposte.node.config_listeners import Listener
from malleposte.secrets.redaction import Secret

ENVIRONMENT_PREFIX: Final = "MALLEPOSTE_"
LISTENERS: Final = "listeners"

Kind = Literal["text", "number", "size", "duration", "path", "choice", "secret", "switch"]


class NotAcceptedError(Exception):
    """A value that its key does not take; the text says what was expected and what was found."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `least` and `most` bound numbers, sizes (bytes) and durations (seconds); `choices`
    is for kind `choice`; `default` is `msgspec.NODEFAULT` where the key must be given."""

    section: str
    name: str
    kind: Kind
    description: str
    default: Any
    least: int = 0
    most: int = 0
    choices: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        return f"{self.section}.{self.name}"

    @property
    def environment(self) -> str | None:
        """Name of its environment variable; a list of tables has none."""
        if self.section == LISTENERS:
            return None
        return f"{ENVIRONMENT_PREFIX}{self.section}_{self.name}".upper()

    @property
    def required(self) -> bool:
        return self.default is msgspec.NODEFAULT

    @property
    def expected(self) -> str:
        """What it takes, in words, bounds included."""
        match self.kind:
            case "number":
                return f"a whole number from {self.least} to {self.most}"
            case "size":
                low, high = (
                    config_units.format_size(self.least),
                    config_units.format_size(self.most),
                )
                return f'a size from {low} to {high}, such as "50 MB"'
            case "duration":
                low = config_units.format_duration(self.least)
                high = config_units.format_duration(self.most)
                return f'a duration from {low} to {high}, such as "30s", "14d" or "1h30m"'
            case "choice":
                return "one of " + ", ".join(self.choices)
            case "switch":
                return "true or false"
            case "path":
                return "a path in quotes"
            case "text" | "secret":
                return "a text in quotes"

    def read(self, value: object, base: Path) -> object:
        """The value as the schema has it; relative paths are taken from `base`.

        Raises NotAcceptedError."""
        try:
            return self._read(value, base)
        except ValueError:
            raise NotAcceptedError(
                f"expected {self.expected}; found {self._shown(value)}"
            ) from None

    def _read(self, value: object, base: Path) -> object:
        match self.kind, value:
            case "number" | "size", int() if not isinstance(value, bool):
                return self._bounded(value)
            case "size", str():
                return self._bounded(config_units.parse_size(value))
            case "duration", str():
                return self._bounded(config_units.parse_duration(value))
            case "switch", bool():
                return value
            case "choice", str() if value in self.choices:
                return value
            case "text", str() if _is_plain(value):
                return value
            case "path", str() if value and _is_plain(value):
                return base / value
            case "secret", str() if value:
                return Secret(value)
        raise ValueError

    def read_environment(self, text: str, base: Path) -> object:
        """The same from an environment variable, where everything is text."""
        if self.kind == "number" and text.strip().isascii() and text.strip().isdigit():
            return self.read(int(text.strip()[:20]), base)
        if self.kind == "switch" and text.strip().lower() in ("true", "false"):
            return text.strip().lower() == "true"
        return self.read(text, base)

    def written(self, value: object) -> str:
        """A value in TOML; "" for none."""
        match self.kind, value:
            case _, None | msgspec.NODEFAULT:
                return ""
            case "size", int():
                return f'"{config_units.format_size(value)}"'
            case "duration", int():
                return f'"{config_units.format_duration(value)}"'
            case "number", int():
                return str(value)
            case "switch", bool():
                return "true" if value else "false"
        # Keys are plain text without control characters: JSON's escapes are TOML's.
        return msgspec.json.encode(str(value)).decode()

    def _bounded(self, value: int) -> int:
        if not self.least <= value <= self.most:
            raise ValueError
        return value

    def _shown(self, value: object) -> str:
        if self.kind == "secret":
            return f"a value that is not shown ({type(value).__name__})"
        if isinstance(value, dict | list):
            return "a table" if isinstance(value, dict) else "a list"
        text = msgspec.json.encode(value).decode()  # as TOML writes it, dates nearly so
        return text if len(text) <= 80 else text[:77] + "..."


def _is_plain(text: str) -> bool:
    return text.isprintable()


@functools.cache
def sections() -> Mapping[str, type[msgspec.Struct]]:
    """Section name → its struct, in the schema's order; `listeners` is a list of its struct."""
    hints = get_type_hints(Configuration)
    return types.MappingProxyType(
        {name: Listener if name == LISTENERS else hint for name, hint in hints.items()}
    )


@functools.cache
def keys_of(section: str) -> Mapping[str, Key]:
    """Key name → key, in the order of the schema."""
    struct = sections()[section]
    hints = get_type_hints(struct, include_extras=True)
    return types.MappingProxyType(
        {
            field.name: _key(section, field, hints[field.name])
            for field in msgspec.structs.fields(struct)
        }
    )


def all_keys() -> list[Key]:
    return [key for section in sections() for key in keys_of(section).values()]


def _key(section: str, field: msgspec.structs.FieldInfo, hint: Any) -> Key:
    metas = [meta for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]
    if get_origin(hint) is not Annotated or len(metas) != 1 or not metas[0].description:
        raise TypeError(f"{section}.{field.name} is not documented")
    meta = metas[0]
    bare = get_args(hint)[0]
    choices = _choices(bare)
    return Key(
        section,
        field.name,
        "choice" if choices else (meta.extra or {}).get("kind") or _kind(bare, section, field.name),
        meta.description or "",
        field.default,
        int(meta.ge or 0),
        int(meta.le or 0),
        choices,
    )


def _choices(hint: Any) -> tuple[str, ...]:
    if get_origin(hint) is Literal:
        return get_args(hint)
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(choice for part in get_args(hint) for choice in _choices(part))
    return ()


def _kind(hint: Any, section: str, name: str) -> Kind:
    kinds: dict[Any, Kind] = {
        bool: "switch",
        str: "text",
        Path: "path",
        Path | None: "path",
        Secret[str] | None: "secret",
    }
    if hint not in kinds:
        raise TypeError(f"{section}.{name}: no kind of key is known for {hint}")
    return kinds[hint]
