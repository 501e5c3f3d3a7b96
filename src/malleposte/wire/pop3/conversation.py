"""Octets in and out, answers, and the end: what a connection is before any command is understood.

Invariants: what waits unread is bounded by `Limits`; output is in the order of `_send`; after `_close`
nothing is read or sent any more, and exactly one ConnectionClosed is queued.
"""

from malleposte.wire.dialogue import (
    CLOSED,
    Authenticate,
    CloseCause,
    Dialogue,
    LocalProtocolError,
)
from malleposte.wire.lines import LineBuffer
from malleposte.wire.patience import Patience

from .commands import Command, Event, List, Quit, Retrieve, Top, Uidl
from .content import DotWriter, TopCutter
from .limits import Limits
from .responses import Err, Ok
from .settings import Settings


class Conversation(Dialogue[Event, Command]):
    """The half of the engine that understands no command. See `Pop3Server`."""

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
        self._lines = LineBuffer(limits.buffer)
        super().__init__(self._lines.octets, limits, tls=tls, loopback=loopback)
        self.settings = settings
        self.signed_in = False
        """In TRANSACTION state (RFC 1939 §5), no more in AUTHORIZATION."""
        self.utf8 = False
        """The client asked for it (RFC 6856 §2)."""

        self._writer: DotWriter | None = None  # of the answer under way
        self._cutter: TopCutter | None = None
        self._patience = Patience(limits)

    # --- octets ------------------------------------------------------------------------------

    def greet(self) -> None:
        """Send the greeting (RFC 1939 §4). There is no APOP, and so no timestamp in it."""
        self._send(Ok(f"{self.settings.hostname} Malleposte ready"))

    # --- answers -----------------------------------------------------------------------------

    def reply(self, response: Ok | Err) -> None:
        """Answer the waiting command in one line. On a connection that is closed already it does
        nothing. Raises LocalProtocolError for an answer that cannot be."""
        command = self._waiting
        if command is None or self._writer is not None:
            self._not_asked()
            return
        good = isinstance(response, Ok)
        if good and _is_long(command):
            raise LocalProtocolError(f"{type(command).__name__} is answered by begin()")
        self._waiting = None
        self._send(response)
        if isinstance(command, Quit):
            self._close(CloseCause.QUIT)
        elif isinstance(command, Authenticate):
            if good:
                self.signed_in = True
                self._patience.signed_in()
            elif self._patience.auth_failed():
                self._close(CloseCause.ABUSE)

    def begin(self, response: Ok) -> None:
        """Begin an answer of many lines: of a message, or of LIST and UIDL for all."""
        command = self._waiting
        if command is None or self._writer is not None:
            self._not_asked()
            return
        if not _is_long(command):
            raise LocalProtocolError(f"{type(command).__name__} is answered by reply()")
        self._send(response)
        self._writer = DotWriter()
        self._cutter = TopCutter(command.lines) if isinstance(command, Top) else None

    def piece(self, octets: bytes) -> bool:
        """The next slice, with CRLF where lines end; False: no more of it is wanted."""
        if self._writer is None:
            self._not_asked()
            return False
        if self._cutter is not None:
            octets = self._cutter.feed(octets)
        if octets:
            self._out.append(self._writer.feed(octets))
        return self._cutter is None or not self._cutter.done

    def end(self) -> None:
        """That was all."""
        if self._writer is None:
            self._not_asked()
            return
        self._out.append(self._writer.end())
        self._writer = self._cutter = self._waiting = None

    def close(self, response: Err | None = None) -> None:
        """End the connection, with words or without; nothing is deleted then (RFC 1939 §3).

        In the middle of an answer there is no place for words: the service cuts the connection off.
        """
        if self._state is CLOSED:
            return
        if response is not None and self._writer is None:
            self._send(response)
        self._close(CloseCause.SERVICE)

    def _not_asked(self) -> None:
        if self._state is not CLOSED:
            raise LocalProtocolError("no command waits for such an answer")

    # --- responses of its own, and the end -----------------------------------------------------

    def _send(self, response: Ok | Err) -> None:
        self._out.append(response.encode())

    def _send_lines(self, response: Ok, lines: list[str]) -> None:
        self._send(response)
        self._out.append("".join(f"{line}\r\n" for line in [*lines, "."]).encode("ascii"))

    def _refuse(self, response: Err) -> None:
        """Send an error that is the peer's fault."""
        if self._patience.refused():
            self._end(Err("Too many commands that make no sense", response.code))
        else:
            self._send(response)

    def _end(self, response: Err) -> None:
        self._send(response)
        self._close(CloseCause.ABUSE)

    def _close(self, cause: CloseCause) -> None:
        self._writer = self._cutter = None
        super()._close(cause)


def _is_long(command: Command) -> bool:
    """Whether a good answer has many lines."""
    if isinstance(command, List | Uidl):
        return command.message is None
    return isinstance(command, Retrieve | Top)
