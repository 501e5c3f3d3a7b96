"""What a peer can want, a class each, and what else happens on a connection."""

from dataclasses import dataclass

from malleposte.wire.dialogue import Authenticate, ConnectionClosed, StartTls


@dataclass(frozen=True, slots=True)
class Unauthenticate:
    """Forget who that was (§2.14)."""


@dataclass(frozen=True, slots=True)
class HaveSpace:
    """Whether a script of that size could be kept (§2.5)."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class PutScript:
    """Check a script and keep it (§2.6)."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class CheckScript:
    """Check a script (§2.12)."""

    content: bytes


@dataclass(frozen=True, slots=True)
class ListScripts:
    """Name them all (§2.7)."""


@dataclass(frozen=True, slots=True)
class SetActive:
    """Have a script run, '' for none (§2.8)."""

    name: str


@dataclass(frozen=True, slots=True)
class GetScript:
    """Give a script (§2.9)."""

    name: str


@dataclass(frozen=True, slots=True)
class DeleteScript:
    """Remove one that is not active (§2.10)."""

    name: str


@dataclass(frozen=True, slots=True)
class RenameScript:
    """Give one another name (§2.11)."""

    name: str
    to: str


Command = (
    Authenticate
    | Unauthenticate
    | HaveSpace
    | PutScript
    | CheckScript
    | ListScripts
    | SetActive
    | GetScript
    | DeleteScript
    | RenameScript
)
"""What the service answers by `reply`."""

Event = Command | StartTls | ConnectionClosed
