"""Octets in and out, answers, and the end: what a connection is before any command is understood.

Invariants: output is in the order of `_send`; while a command waits for its answer nothing further is read;
after `_close` nothing is read or sent any more, and exactly one ConnectionClosed is queued.
"""

from collections import deque
from enum import Enum, auto
from typing import Final

from .capabilities import capabilities
from .commands import (
    Authenticate,
    CloseCause,
    Command,
    ConnectionClosed,
    Event,
    Need,
    Unauthenticate,
)
from .lexer import CommandReader
from .limits import Limits
from .patience import Patience
from .responses import Response, bye, ok
from .settings import Settings


class LocalProtocolError(Exception):
    """The calling code broke the rules of the engine: a bug here, not at the peer."""


class State(Enum):
    """What the next octets of the peer are."""

    COMMAND = auto()
    AUTH = auto()  # a string of an authentication exchange
    HANDSHAKE = auto()  # not ours: between OK and tls_started()
    CLOSED = auto()


COMMAND: Final = State.COMMAND
AUTH: Final = State.AUTH
HANDSHAKE: Final = State.HANDSHAKE
CLOSED: Final = State.CLOSED


class Conversation:
    """The half of the engine that understands no command. See `ManageSieveServer`."""

    def __init__(
        self,
        settings: Settings,
        limits: Limits | None = None,
        *,
        tls: bool = False,
        loopback: bool = False,
    ) -> None:
        self.settings = settings
        self.limits = limits or Limits()
        self.tls = tls
        self.loopback = loopback
        self.owner = ""
        """Who is signed in, '' nobody."""
        self._state = COMMAND
        self._reader = CommandReader(self.limits)
        self._buffer = self._reader.octets
        self._out: list[bytes] = []
        self._pending: deque[Event] = deque()
        self._waiting: Command | None = None
        self._eof = False
        self._close_cause = CloseCause.SERVICE
        self._patience = Patience(self.limits)

    @property
    def signed_in(self) -> bool:
        return bool(self.owner)

    @property
    def plaintext_allowed(self) -> bool:
        """Whether a password may be sent."""
        return self.tls or self.loopback

    # --- octets ------------------------------------------------------------------------------

    def greet(self) -> None:
        """Send the greeting (RFC 5804 §1.7)."""
        self._capabilities()
        self._send(ok(f"{self.settings.hostname} ManageSieve ready"))

    def _capabilities(self) -> None:
        self._out.append(
            capabilities(
                self.settings,
                starttls=self.settings.starttls and not self.tls,
                plaintext_allowed=self.plaintext_allowed,
                owner=self.owner,
            )
        )

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
        """What is to be sent now; empties the queue."""
        octets = b"".join(self._out)
        self._out.clear()
        return octets

    @property
    def wants_data(self) -> bool:
        """False: stop reading the socket (back-pressure)."""
        if self._state is CLOSED or self._state is HANDSHAKE or self._eof:
            return False
        return len(self._buffer) < self.limits.buffer or self._reader.wanted > 0

    @property
    def closed(self) -> bool:
        return self._state is CLOSED

    # --- events ------------------------------------------------------------------------------

    def next_event(self) -> Event | Need:
        """The next thing that happened, or why there is none. After the end, the end again."""
        while True:
            if self._pending:
                return self._pending.popleft()
            if self._waiting is not None:
                return Need.ANSWER
            if self._state is CLOSED:
                return ConnectionClosed(self._close_cause)
            if self._state is HANDSHAKE or not (self._buffer or self._eof):
                return Need.DATA
            event = self._next_command()
            if event is not None:
                return event

    def _next_command(self) -> Event | Need | None:
        raise NotImplementedError

    # --- answers -----------------------------------------------------------------------------

    def reply(self, response: Response, data: bytes = b"", *, owner: str = "") -> None:
        """Answer the waiting command; `data` comes before (`responses.listed`, `responses.content`).
        `owner`: who is signed in by it. On a connection that is closed already it does nothing."""
        command, self._waiting = self._waiting, None
        if command is None:
            if self._state is not CLOSED:
                raise LocalProtocolError("no command waits for an answer")
            return
        if isinstance(command, Authenticate) and response.good:
            if not owner:
                raise LocalProtocolError("whoever signs in has a name")
            self.owner = owner
            self._patience.signed_in()
        elif isinstance(command, Unauthenticate) and response.good:
            self.owner = ""
            self._patience.begin()
        if data:
            self._out.append(data)
        self._send(response)
        if isinstance(command, Authenticate) and not response.good and self._patience.auth_failed():
            self._end("Too many failed sign-ins")

    def close(self, response: Response | None = None) -> None:
        """End the connection, with words or without."""
        if self._state is CLOSED:
            return
        if response is not None:
            self._send(response)
        self._close(CloseCause.SERVICE)

    # --- responses of its own, and the end -----------------------------------------------------

    def _send(self, response: Response) -> None:
        self._out.append(response.encode())

    def _refuse(self, response: Response) -> None:
        """Send an error that is the peer's fault."""
        if self._patience.refused():
            self._end("Too many commands that make no sense")
        else:
            self._send(response)

    def _end(self, text: str) -> None:
        self._send(bye(text))
        self._close(CloseCause.ABUSE)

    def _close(self, cause: CloseCause) -> None:
        self._waiting = None
        self._buffer.clear()
        self._state = CLOSED
        self._close_cause = cause
        self._pending.append(ConnectionClosed(cause))
