"""Octets in and out, answers, and the end: what a connection is before any command is understood.

Invariants: output is in the order of `_send`; while a command waits for its answer nothing further is read;
after `_close` nothing is read or sent any more, and exactly one ConnectionClosed is queued.
"""

from malleposte.wire.dialogue import (
    CLOSED,
    HANDSHAKE,
    Authenticate,
    CloseCause,
    Dialogue,
    LocalProtocolError,
)
from malleposte.wire.patience import Patience

from .capabilities import capabilities
from .commands import Command, Event, Unauthenticate
from .lexer import CommandReader
from .limits import Limits
from .responses import Code, Response, bye, ok
from .settings import Settings


class Conversation(Dialogue[Event, Command]):
    """The half of the engine that understands no command. See `ManageSieveServer`."""

    limits: Limits

    def __init__(
        self,
        settings: Settings,
        limits: Limits | None = None,
        *,
        tls: bool = False,
        loopback: bool = False,
    ) -> None:
        limits = limits or Limits()
        self._reader = CommandReader(limits)
        super().__init__(self._reader.octets, limits, tls=tls, loopback=loopback)
        self.settings = settings
        self.owner = ""
        """Who is signed in, '' nobody."""
        self._patience = Patience(limits)

    @property
    def signed_in(self) -> bool:
        return bool(self.owner)

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

    @property
    def wants_data(self) -> bool:
        """False: stop reading the socket (back-pressure)."""
        if self._state is CLOSED or self._state is HANDSHAKE or self._eof:
            return False
        return len(self._buffer) < self.limits.buffer or self._reader.wanted > 0

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

    def _end(self, text: str, code: Code = Code.NONE) -> None:
        self._send(bye(text, code))
        self._close(CloseCause.ABUSE)
