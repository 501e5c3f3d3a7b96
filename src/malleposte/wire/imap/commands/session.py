"""Commands for any state, and those that change what the session speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from malleposte.wire.imap.commands.base import SIGNED_IN, Command
from malleposte.wire.imap.errors import CommandError, TooBig
from malleposte.wire.imap.lexer import Reader, Tag


@dataclass(frozen=True, slots=True)
class Capability(Command):
    """RFC 9051 §6.1.1."""

    NAMES: ClassVar = (b"CAPABILITY",)


@dataclass(frozen=True, slots=True)
class Noop(Command):
    """RFC 9051 §6.1.2."""

    NAMES: ClassVar = (b"NOOP",)


@dataclass(frozen=True, slots=True)
class Logout(Command):
    """RFC 9051 §6.1.3. The service answers BYE and OK and closes."""

    NAMES: ClassVar = (b"LOGOUT",)


@dataclass(frozen=True, slots=True)
class Id(Command):
    """RFC 2971 §3.1. `fields` are what the client says of itself, names in lower case; empty for
    NIL. Never to be trusted, only logged."""

    NAMES: ClassVar = (b"ID",)

    fields: tuple[tuple[str, str | None], ...]

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        limits = args.limits
        pairs: list[tuple[str, str | None]] = []
        if args.take(b"("):
            while not args.take(b")"):
                if pairs:
                    args.space()
                if len(pairs) >= limits.id_pairs:
                    raise CommandError("ID takes at most 30 pairs")  # RFC 2971 §3.3
                name = args.string("a field name in quotes")
                args.space()
                value = args.nstring("a value in quotes or NIL")
                if len(name) > limits.id_key_bytes or len(value or b"") > limits.id_value_bytes:
                    raise TooBig("A field of ID is too long")
                pairs.append(
                    (
                        name.decode("utf-8", "replace").lower(),
                        None if value is None else value.decode("utf-8", "replace"),
                    )
                )
        elif args.nstring("a list in parentheses or NIL") is not None:
            raise CommandError("Expected a list in parentheses or NIL")
        return cls(tag, tuple(pairs))


@dataclass(frozen=True, slots=True)
class Enable(Command):
    """RFC 9051 §6.3.1. `names` in upper case; unknown ones are ignored by the service. ENABLE is
    for the authenticated state only (RFC 5161 §3.1), but clients that reselect send it later, and
    CONDSTORE and QRESYNC may be enabled there (RFC 7162 §3.2.3)."""

    NAMES: ClassVar = (b"ENABLE",)
    STATES: ClassVar = SIGNED_IN

    names: tuple[bytes, ...]

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        names: dict[bytes, None] = {}
        args.space()
        while True:
            names[args.keyword("the name of a capability")] = None
            if len(names) > args.limits.enable_names:
                raise TooBig("Too many capabilities in one ENABLE")
            if args.at_end():
                return cls(tag, tuple(names))
            args.space()
            if args.at_end():
                return cls(tag, tuple(names))


@dataclass(frozen=True, slots=True)
class Idle(Command):
    """RFC 9051 §6.3.13. The service calls `Connection.start_idle`, sends what happens, and ends
    with OK after the `IdleDone` event."""

    NAMES: ClassVar = (b"IDLE",)
    STATES: ClassVar = SIGNED_IN


COMMANDS = (Capability, Noop, Logout, Id, Enable, Idle)
