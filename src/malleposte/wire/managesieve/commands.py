"""What a peer can want, a class each, and what else happens on a connection."""

from dataclasses import dataclass
from enum import Enum, auto

from malleposte.wire.sasl import Credentials


class Need(Enum):
    """Why there is no event."""

    DATA = auto()
    ANSWER = auto()


class CloseCause(Enum):
    """Who ended the connection."""

    LOGOUT = "LOGOUT"
    PEER = "PEER"
    ABUSE = "ABUSE"
    SERVICE = "SERVICE"


@dataclass(frozen=True, slots=True)
class ConnectionClosed:
    """Nothing comes any more."""

    cause: CloseCause


@dataclass(frozen=True, slots=True)
class StartTls:
    """The handshake is due (RFC 5804 §2.2); then `tls_started`."""


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Check who that is (§2.1)."""

    mechanism: str
    credentials: Credentials


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
