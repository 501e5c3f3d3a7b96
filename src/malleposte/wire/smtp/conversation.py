"""Octets in and out, time, and the end: what a connection is before any command is understood.

Invariants: what waits unread is bounded by `Limits`; output is in the order of `_send`; after
`_close` nothing is read or sent any more, and exactly one ConnectionClosed is queued. Commands,
answers and content are the engine's, which builds on this.
"""

from malleposte.wire.dialogue import (
    AUTH,
    CLOSED,
    COMMAND,
    CONTENT,
    HANDSHAKE,
    NEED_ANSWER,
    NEED_DATA,
    Authenticate,
    CloseCause,
    ConnectionClosed,
    Dialogue,
    LocalProtocolError,
    Need,
)
from malleposte.wire.lines import LineBuffer

from . import reply as r
from .capabilities import with_word
from .events import DataEnd, DataStart, Event, Greeting, Hello, MailFrom, RcptTo
from .incoming import Incoming
from .limits import Limits
from .patience import Patience
from .reply import Reply
from .settings import Mode, Settings

Answerable = Hello | MailFrom | RcptTo | DataStart | DataEnd | Authenticate


class Conversation(Dialogue[Event, Answerable]):
    """The public half of the engine that does not depend on commands. See `SmtpServer`."""

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
        self.hello: Hello | None = None
        """The greeting in force."""
        self.signed_in = False
        self.now = 0.0
        """Unix seconds, kept by the service: what EHLO and HOLDFOR count from (RFC 4865)."""
        self.trusted = False
        """The service knows who it is without AUTH, by its network: submission need not sign in."""
        self.spoke_early = False
        """The client did not wait for our greeting (RFC 5321 §3.1 wants it to)."""
        self.step = 0
        """Changes when a new thing is awaited: `time_bound` counts from then."""

        self._greeted = False
        self._shutdown = False
        self._patience = Patience(self.limits)
        self._incoming: Incoming | None = None
        self._utf8 = False  # the client asked for UTF-8 in this transaction

    # --- octets ------------------------------------------------------------------------------

    def greet(self, refusal: Reply | None = None) -> None:
        """Send the banner, or turn the client away with a 421 or 554 (RFC 5321 §3.1)."""
        if self._greeted:
            raise LocalProtocolError("greeted already")
        self._greeted = True
        if refusal is not None:
            self._end(refusal, CloseCause.SERVICE)
            return
        kind = "LMTP" if self.settings.mode is Mode.LMTP else "ESMTP"
        self._send(Reply(220, "", f"{self.settings.hostname} {kind} {self.settings.banner}"))

    def receive_data(self, octets: bytes) -> None:
        """Take octets from the peer. Look at `wants_data` first.

        Octets after the end are dropped. Raises LocalProtocolError if the caller reads on although
        nothing is wanted, or hands in what belongs to the TLS handshake.
        """
        if self._state is CLOSED:
            return
        if self._state is HANDSHAKE:
            raise LocalProtocolError("the TLS handshake comes first")
        if self._buffer and len(self._buffer) + len(octets) > self.limits.buffer_hard:
            raise LocalProtocolError("data was handed in although it was not wanted")
        if not self._greeted:
            self.spoke_early = True
        self._buffer += octets

    def connection_lost(self) -> None:
        """The socket is gone. A DataEnd that waits stays the service's; its answer goes nowhere."""
        if self._state is not CLOSED:
            self._close(CloseCause.PEER)

    @property
    def with_word(self) -> str:
        """The protocol for the Received field of the message under way (RFC 3848, RFC 6531)."""
        return with_word(
            self.settings.mode,
            self.hello.greeting if self.hello else Greeting.HELO,
            tls=self.tls,
            signed_in=self.signed_in,
            smtputf8=self._utf8,
        )

    # --- time --------------------------------------------------------------------------------

    @property
    def timeout(self) -> float | None:
        """Seconds without a single octet from the peer after which to call `timed_out()`.

        None while it is we who keep the peer waiting.
        """
        if self._waiting is not None or self._state is CLOSED:
            return None
        if self._state is CONTENT:
            return self.limits.content_idle_seconds
        if self._state is AUTH:
            return self.limits.auth_seconds
        return self.limits.command_seconds

    @property
    def time_bound(self) -> float | None:
        """Seconds since `step` last changed after which to call `timed_out()`, octets or not.

        For content it grows with what has come: a minimum rate. None as for `timeout`.
        """
        if self._state is CONTENT and self._waiting is None and self._incoming is not None:
            return self.limits.content_seconds + self._incoming.taken / self.limits.content_rate
        return self.timeout

    def timed_out(self) -> None:
        """The peer was too slow: 421 4.4.2 and the end. Without effect while an answer is due."""
        if self._waiting is None and self._state is not CLOSED:
            self._end(r.TIMED_OUT, CloseCause.SERVICE)

    def close_for_shutdown(self) -> None:
        """End with 421 4.3.2 as soon as no content is under way and no answer is due.

        Call `next_event` afterwards; it is ConnectionClosed at once if the client was idle.
        """
        self._shutdown = True

    # --- events ------------------------------------------------------------------------------

    def next_event(self) -> Event | Need:
        """The next thing that happened, or why there is none. After the end, the end again."""
        while True:
            if self._pending:
                return self._pending.popleft()
            if self._waiting is not None:
                return NEED_ANSWER
            state = self._state
            if state is CONTENT:
                event = self._next_content()
            elif state is COMMAND or state is AUTH:
                if not self._buffer and not self._eof and not self._shutdown:
                    return NEED_DATA
                event = self._next_line()
            elif state is HANDSHAKE:
                return NEED_DATA
            else:
                return ConnectionClosed(self._close_cause)
            if event is not None:
                return event

    def _next_content(self) -> Event | Need | None:
        raise NotImplementedError

    def _abandon(self) -> None:
        """The connection ends; a transaction under way with it."""
        raise NotImplementedError

    # --- replies and the end -----------------------------------------------------------------

    def _send(self, reply: Reply) -> None:
        # RFC 6531 §3.7.4.2: UTF-8 in replies only where the client asked for it.
        self._out.append(reply.encode(utf8=self._utf8))

    def _refuse(self, reply: Reply) -> None:
        """Send an error that is the peer's fault."""
        self._send(reply)
        self._enough(self._patience.error())

    def _enough(self, too_many: Reply | None) -> bool:
        """End the connection if patience has run out."""
        if too_many is None:
            return False
        self._end(too_many)
        return True

    def _end(self, reply: Reply, cause: CloseCause = CloseCause.ABUSE) -> None:
        self._send(reply)
        self._close(cause)

    def _close(self, cause: CloseCause) -> None:
        self._abandon()
        super()._close(cause)
