"""What the engine tells the service: one frozen object an event, most of them commands.

Those that are `Command` hold the conversation until the service answered; the others need no answer.
Message numbers are as the client gave them: whether there is such a message is the service's to know.
"""

from dataclasses import dataclass

from malleposte.wire.dialogue import Authenticate, ConnectionClosed, StartTls


@dataclass(frozen=True, slots=True)
class Stat:
    """How many messages, and their octets (RFC 1939 §5)."""


@dataclass(frozen=True, slots=True)
class List:
    """The size of a message, or of each."""

    message: int | None = None


@dataclass(frozen=True, slots=True)
class Uidl:
    """What names a message for good, or each (RFC 1939 §7)."""

    message: int | None = None


@dataclass(frozen=True, slots=True)
class Retrieve:
    """A message whole. Answered by `begin`, `piece` and `end`."""

    message: int


@dataclass(frozen=True, slots=True)
class Top:
    """A message's header and the first `lines` lines of its body (RFC 1939 §7). As `Retrieve`; the
    engine cuts."""

    message: int
    lines: int


@dataclass(frozen=True, slots=True)
class Delete:
    """Mark a message as deleted."""

    message: int


@dataclass(frozen=True, slots=True)
class Reset:
    """Unmark all that are marked."""


@dataclass(frozen=True, slots=True)
class Quit:
    """The client is done: what is marked shall go now (RFC 1939 §6). Any answer ends the
    connection. Before sign-in the engine answers by itself."""


Command = Authenticate | Stat | List | Uidl | Retrieve | Top | Delete | Reset | Quit
Event = Command | StartTls | ConnectionClosed
