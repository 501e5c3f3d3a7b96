"""What a command is, and the states in which it may be given (RFC 9051 §3).

An extension adds a class to the `COMMANDS` of its module and the module to the registry in
`commands/__init__.py`; the engine learns nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Self

from malleposte.wire.imap.errors import TooBig
from malleposte.wire.imap.lexer import Reader, Tag
from malleposte.wire.imap.limits import Limits


class State(IntEnum):
    """The states of RFC 9051 §3 before LOGOUT, as bits: an IntEnum and not a flag, since the
    arithmetic of `enum.Flag` costs 2 µs a command."""

    NOT_AUTHENTICATED = 1
    AUTHENTICATED = 2
    SELECTED = 4


SIGNED_IN: Final[int] = State.AUTHENTICATED | State.SELECTED
ANY_STATE: Final[int] = State.NOT_AUTHENTICATED | SIGNED_IN


@dataclass(frozen=True, slots=True)
class Command:
    """A command a client gave. `NAMES` are its names in upper case; `UID X` is a name of its own,
    and a class that has both tells them apart by a field `uid`. `STATES` are bits of `State`."""

    NAMES: ClassVar[tuple[bytes, ...]] = ()
    STATES: ClassVar[int] = ANY_STATE

    tag: Tag

    @classmethod
    def too_long(cls, limits: Limits) -> TooBig:
        """How a string of more than `Limits.string_bytes` is refused."""
        return TooBig(f"A literal here may hold {limits.string_bytes} octets at most")

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        """Read the arguments; `args` stands behind the name. Raises CommandError.

        The engine checks that nothing is left over. This form is for commands without arguments.
        """
        return cls(tag)
