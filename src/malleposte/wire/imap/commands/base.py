"""What a command is, and the states in which it may be given (RFC 9051 §3).

An extension adds a class to the `COMMANDS` of its module and the module to the registry in
`commands/__init__.py`; the engine learns nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import ClassVar, Self

from malleposte.wire.imap.lexer import Reader, Tag


class State(IntFlag):
    """The states of RFC 9051 §3; a command names those in which it is allowed as a union."""

    NOT_AUTHENTICATED = 1
    AUTHENTICATED = 2
    SELECTED = 4
    LOGOUT = 8

    ANY = 7
    SIGNED_IN = 6


@dataclass(frozen=True, slots=True)
class Command:
    """A command a client gave. `NAMES` are its names in upper case; `UID X` is a name of its own,
    and a class that has both tells them apart by a field `uid`."""

    NAMES: ClassVar[tuple[bytes, ...]] = ()
    STATES: ClassVar[State] = State.ANY

    tag: Tag

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        """Read the arguments; `args` stands behind the name. Raises CommandError.

        The engine checks that nothing is left over. This form is for commands without arguments.
        """
        return cls(tag)
