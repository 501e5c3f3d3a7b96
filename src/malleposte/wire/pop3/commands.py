"""What the engine tells the service: one frozen object an event, most of them commands.

Those that are `Command` hold the conversation until the service answered; the others need no answer.
Message numbers are as the client gave them: whether there is such a message is the service's to know.
Secrets never show in `repr`.
"""

from dataclasses import dataclass, field
from enum import Enum

from malleposte.wire.sasl import Credentials


@dataclass(frozen=True, slots=True)
class Authenticate:
    """USER and PASS (`mechanism` is "USER"), or AUTH (RFC 5034). `Ok` signs the connection in."""

    mechanism: str
    credentials: Credentials = field(repr=False)


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


@dataclass(frozen=True, slots=True)
class StartTls:
    """The +OK stands in `data_to_send()`: send it, do the handshake, call `tls_started()`. Until then
    the engine takes no data. If the handshake fails, close the socket."""


class CloseCause(Enum):
    """Why a conversation is over."""

    QUIT = "QUIT"
    PEER = "PEER"
    """The peer closed its side, without QUIT."""
    ABUSE = "ABUSE"
    """A limit of errors, commands or octets; HTTP or TLS on a plain port; injection."""
    SERVICE = "SERVICE"
    """We."""


@dataclass(frozen=True, slots=True)
class ConnectionClosed:
    """The conversation is over: send what `data_to_send()` holds, then close the socket."""

    cause: CloseCause


class Need(Enum):
    """Not an event: why there is none."""

    DATA = "DATA"
    """More octets from the peer."""
    ANSWER = "ANSWER"
    """The service's answer to the last event."""


Command = Authenticate | Stat | List | Uidl | Retrieve | Top | Delete | Reset | Quit
Event = Command | StartTls | ConnectionClosed
