"""What the server's side of a conversation is before any command is understood, in SMTP, POP3 and
ManageSieve: octets in and out, the next event, a SASL exchange, and the end.

Invariants: output is in the order of `_out`; while an event waits for its answer nothing further is read;
after `_close` nothing is read or sent any more, and exactly one ConnectionClosed is queued.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, Generic, Protocol, TypeVar

from malleposte.wire.sasl import Challenge, Credentials, Mechanism, encode_challenge

HTTP: Final = frozenset(
    {b"GET", b"POST", b"PUT", b"HEAD", b"CONNECT", b"OPTIONS", b"DELETE", b"PATCH", b"PRI"}
)
"""The first words of a browser that was made to speak to us."""


class LocalProtocolError(Exception):
    """The calling code broke the rules of the engine: a bug here, not at the peer."""


# Events: one frozen object each. Secrets never show in `repr`.


@dataclass(frozen=True, slots=True)
class Authenticate:
    """*Answer.* The client's part of a sign-in is complete; a good answer signs the connection in."""

    mechanism: str
    credentials: Credentials = field(repr=False)


@dataclass(frozen=True, slots=True)
class StartTls:
    """The reply stands in `data_to_send()`: send it, do the handshake, call `tls_started()`. Until
    then the engine takes no data. If the handshake fails, close the socket."""


class CloseCause(Enum):
    """Why a conversation is over."""

    QUIT = "QUIT"
    LOGOUT = "LOGOUT"
    """What QUIT is called in ManageSieve."""
    PEER = "PEER"
    """The peer closed its side, without QUIT."""
    ABUSE = "ABUSE"
    """A limit of errors, commands or octets; HTTP or TLS on a plain port; injection."""
    SERVICE = "SERVICE"
    """We: shutdown, timeout, an answer that ends the connection."""


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


class State(Enum):
    """What the next octets of the peer are."""

    COMMAND = auto()
    AUTH = auto()  # a line of an authentication exchange
    CONTENT = auto()  # of a message, in SMTP
    HANDSHAKE = auto()  # not ours: between the reply and tls_started()
    CLOSED = auto()


# Looked up as names on every step: an Enum's attribute costs three times as much.
COMMAND: Final = State.COMMAND
AUTH: Final = State.AUTH
CONTENT: Final = State.CONTENT
HANDSHAKE: Final = State.HANDSHAKE
CLOSED: Final = State.CLOSED
NEED_DATA: Final = Need.DATA
NEED_ANSWER: Final = Need.ANSWER

Event = TypeVar("Event")
Asked = TypeVar("Asked")


class Bounds(Protocol):
    """What `Limits` of every protocol have."""

    @property
    def buffer(self) -> int:
        """Octets that wait unread; past it the client waits in TCP."""
        ...


class Dialogue(Generic[Event, Asked]):
    """See the module. `Event` is all that a protocol tells, `Asked` what of it waits for an answer."""

    limits: Bounds
    _mechanism: Mechanism | None = None  # of the exchange under way

    # CPython shares the names of at most 30 attributes between objects of a class, and is a tenth slower
    # where there are more: the SMTP engine has as many.
    def __init__(self, buffer: bytearray, limits: Bounds, *, tls: bool, loopback: bool) -> None:
        """`buffer`: where received octets wait."""
        self.limits = limits
        self.tls = tls
        self.loopback = loopback
        self._state = COMMAND
        self._buffer = buffer
        self._out: list[bytes] = []
        self._pending: deque[Event | ConnectionClosed] = deque()
        self._waiting: Asked | Authenticate | None = None
        self._eof = False
        self._close_cause = CloseCause.SERVICE

    @property
    def plaintext_allowed(self) -> bool:
        """Whether a password may be sent."""
        return self.tls or self.loopback

    # --- octets ------------------------------------------------------------------------------

    def receive_data(self, octets: bytes) -> None:
        """Take octets from the peer. Look at `wants_data` first. Those after the end are dropped.

        Raises LocalProtocolError for what belongs to the TLS handshake.
        """
        if self._state is HANDSHAKE:
            raise LocalProtocolError("the TLS handshake comes first")
        if self._state is not CLOSED:
            self._buffer += octets

    def receive_eof(self) -> None:
        """The peer will send no more. What it sent before is still answered."""
        self._eof = True

    def data_to_send(self) -> bytes:
        """What is to be sent now; empties the queue. Answers to pipelined commands come in one."""
        out = self._out
        if not out:
            return b""
        octets = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        return octets

    @property
    def wants_data(self) -> bool:
        """False: stop reading the socket (back-pressure)."""
        if self._state is CLOSED or self._state is HANDSHAKE or self._eof:
            return False
        return len(self._buffer) < self.limits.buffer

    @property
    def closed(self) -> bool:
        return self._state is CLOSED

    def tls_started(self) -> None:
        """The handshake is done: all that was known of the client is forgotten."""
        if self._state is not HANDSHAKE:
            raise LocalProtocolError("no TLS handshake is due")
        self.tls = True
        self._state = COMMAND

    # --- events ------------------------------------------------------------------------------

    def next_event(self) -> Event | Authenticate | ConnectionClosed | Need:
        """The next thing that happened, or why there is none. After the end, the end again."""
        while True:
            if self._pending:
                return self._pending.popleft()
            if self._waiting is not None:
                return NEED_ANSWER
            if self._state is CLOSED:
                return ConnectionClosed(self._close_cause)
            if self._state is HANDSHAKE or not (self._buffer or self._eof):
                return NEED_DATA
            event = self._next_line()
            if event is not None:
                return event

    def _next_line(self) -> Event | Authenticate | Need | None:
        """What the next line says, with the literals in it; None where the engine answered it."""
        raise NotImplementedError

    def _ask(self, event: Asked) -> Asked:
        self._waiting = event
        return event

    def _auth_step(
        self, mechanism: Mechanism, encoded: bytes | None, decode: Callable[[bytes], bytes]
    ) -> Authenticate | None:
        """Go on with an exchange, by what the client sent. Raises SaslError."""
        result = mechanism.step(None if encoded is None else decode(encoded))
        if isinstance(result, Challenge):
            self._mechanism = mechanism
            self._state = AUTH
            self._challenge(encode_challenge(result.octets))
            return None
        event = Authenticate(mechanism.name, result)
        self._waiting = event
        return event

    def _challenge(self, encoded: bytes) -> None:
        raise NotImplementedError

    # --- the end -----------------------------------------------------------------------------

    def _close(self, cause: CloseCause) -> None:
        self._waiting = None
        self._buffer.clear()
        self._state = CLOSED
        self._close_cause = cause
        self._pending.append(ConnectionClosed(cause))
