"""The mail transaction under way, and its content from DATA or the first BDAT to the last answer.

Invariants: whatever becomes of a message, all octets that belong to it are taken off the wire, and
nothing else; a Reset is queued exactly once for a transaction that was accepted at MAIL and ends
otherwise than by an answered DataEnd.
"""

from malleposte.wire.dialogue import (
    CLOSED,
    COMMAND,
    CONTENT,
    NEED_DATA,
    CloseCause,
    LocalProtocolError,
    Need,
)

from . import reply as r
from .commands import parse_bdat
from .conversation import Conversation
from .events import DataChunk, DataEnd, DataStart, Event, MailFrom, RcptTo, Reset, ResetCause
from .incoming import Incoming
from .limits import Limits
from .reply import Disconnect, Reply
from .settings import Mode, Settings


class Transaction(Conversation):
    """The part of the engine that holds a message. See `SmtpServer`."""

    def __init__(
        self,
        settings: Settings,
        limits: Limits | None = None,
        *,
        tls: bool = False,
        loopback: bool = False,
    ) -> None:
        super().__init__(settings, limits, tls=tls, loopback=loopback)
        self.mail: MailFrom | None = None
        """The sender of the transaction under way."""
        self.recipients: list[RcptTo] = []
        """Those accepted, in order. A new list for each transaction."""
        # Why the transaction is dead. Sender and recipients stay: more BDAT may come, and LMTP
        # wants a reply for each recipient.
        self._failure: Reply | None = None
        self._last = True  # no chunk follows the one that comes; DATA is one last chunk
        self._content_done = False
        self._answers_due = 0  # to DataEnd; more than one in LMTP only

    def refuse_content(self, reply: Reply) -> None:
        """Refuse the message while its content flows: the rest is dropped, the reply comes after.

        Between DataStart and DataEnd, between two BDAT as well. A Reset event follows. Raises
        LocalProtocolError if no content is under way; does nothing once the message is refused
        or the connection closed.
        """
        if self._state is CLOSED or self._failure is not None:
            return
        if self._incoming is None or self._waiting is not None:
            raise LocalProtocolError("no content is under way")
        self._incoming.refuse(reply, ResetCause.REFUSED)
        self._fail(self._incoming)

    # --- DATA and BDAT -----------------------------------------------------------------------

    def _data(self, argument: bytes) -> Event | None:
        reply = self._no_content_now
        if self._incoming is not None and reply is None:
            reply = r.IN_CHUNKS  # RFC 3030 §2
        if argument:
            reply = r.NO_ARGUMENT
        if reply is not None:
            self._refuse_data(reply)
            return None
        self._incoming = Incoming(self.limits, self.settings.bare_newlines)
        self._incoming.start_dots()
        self._last = True
        return self._ask(DataStart(chunked=False))

    def _bdat(self, argument: bytes) -> Event | None:
        reply = self._failure or self._no_content_now
        if reply is not None:
            self._swallow_chunk(argument, reply)
            return None
        octets, self._last = parse_bdat(argument)
        if not octets and not self._last:
            self._idle()
        first = self._incoming is None
        if self._incoming is None:
            self._incoming = Incoming(self.limits, self.settings.bare_newlines)
        self._incoming.start_chunk(octets)
        if self._incoming.refusal is not None:
            self._fail(self._incoming)
        elif first:
            return self._ask(DataStart(chunked=True))
        self._enter_content()
        return None

    def _swallow_chunk(self, argument: bytes, reply: Reply) -> None:
        """Refuse a BDAT; its octets come all the same (RFC 3030 §2)."""
        octets, self._last = parse_bdat(argument)
        self._incoming = Incoming(self.limits, self.settings.bare_newlines)
        self._incoming.refuse(reply, ResetCause.REFUSED)
        self._incoming.start_chunk(octets)
        self._enter_content()

    def _refuse_data(self, reply: Reply) -> None:
        """Refuse DATA. What was sent after it without waiting may be content, and content must
        never be read as commands (RFC 2920 §3.1: DATA is the last of a group)."""
        if self._buffer:
            self._end(reply)
        else:
            self._refuse(reply)

    def _answer_start(self, event: DataStart, refusal: Reply | None) -> None:
        self._waiting = None
        incoming = self._incoming
        assert incoming is not None
        if refusal is None:
            self._enter_content()
            if not event.chunked:
                self._send(r.START_INPUT)
        elif event.chunked:
            incoming.refuse(refusal, ResetCause.REFUSED)
            self._fail(incoming)
            self._enter_content()
        else:
            self._incoming = None
            self._refuse_data(refusal)

    def _answer_end(self, reply: Reply) -> None:
        self._send(reply)
        self._answers_due -= 1
        if reply.positive:
            self._patience.message_accepted()
        if self._answers_due == 0:
            self._waiting = None
            self._forget_transaction()

    # --- content -----------------------------------------------------------------------------

    def _enter_content(self) -> None:
        self._content_done = False
        self._state = CONTENT
        self.step += 1

    def _next_content(self) -> Event | Need | None:
        incoming = self._incoming
        assert incoming is not None
        if self._content_done:
            return self._content_end(incoming)
        if incoming.overdrawn:
            self._end(incoming.refusal or r.TOO_LARGE)
            return None
        if not self._buffer and incoming.unfinished and not self._eof:
            return NEED_DATA
        refused_before = incoming.refusal is not None
        content, self._content_done = incoming.take(self._buffer)
        if self._content_done and self._last:
            incoming.finish()
        if incoming.refusal is not None and not refused_before:
            self._fail(incoming)
        elif content:
            return DataChunk(content)
        elif not self._content_done and not incoming.overdrawn:
            if not self._eof:
                return NEED_DATA
            self._close(CloseCause.PEER)
        return None

    def _content_end(self, incoming: Incoming) -> Event | None:
        self._state = COMMAND
        self.step += 1
        lmtp = self.settings.mode is Mode.LMTP
        refusal = incoming.refusal
        if refusal is None:
            if self._last:
                self._answers_due = len(self.recipients) if lmtp else 1
                return self._ask(DataEnd(incoming.size))
            self._send(Reply(250, "2.0.0", f"{incoming.size} octets received so far"))
            return None
        self._incoming = None
        if self._last:
            if lmtp:  # RFC 2033 §4.2: one reply for each accepted recipient
                for _ in self.recipients[1:]:
                    self._send(refusal)
            self._reset(ResetCause.REFUSED)
        self._refuse(refusal)
        return None

    # --- state -------------------------------------------------------------------------------

    @property
    def _in_transaction(self) -> bool:
        return self.mail is not None and self._failure is None

    @property
    def _out_of_order(self) -> Reply:
        if self.hello is None:
            return r.HELLO_FIRST
        return r.MAIL_FIRST if self._failure is None else r.TRANSACTION_FAILED

    @property
    def _no_content_now(self) -> Reply | None:
        if not self._in_transaction:
            return self._out_of_order
        if self.recipients:
            return None
        # RFC 2033 §4.2 wants 503 here, RFC 5321 §3.3 allows 503 or 554.
        return r.NO_RECIPIENTS_LMTP if self.settings.mode is Mode.LMTP else r.NO_RECIPIENTS

    def _idle(self) -> None:
        too_many = self._patience.idle_command()
        if too_many is not None:
            raise Disconnect.of(too_many)

    def _fail(self, incoming: Incoming) -> None:
        self._failure = incoming.refusal
        self._pending.append(Reset(incoming.cause))

    def _reset(self, cause: ResetCause) -> None:
        """End the transaction, if there is one that the service does not know to be dead."""
        if self._in_transaction:
            self._pending.append(Reset(cause))
        self._forget_transaction()

    def _forget_transaction(self) -> None:
        self.mail = None
        self.recipients = []
        self._utf8 = False
        self._incoming = None
        self._failure = None

    def _abandon(self) -> None:
        if isinstance(self._waiting, DataEnd):
            self._forget_transaction()  # the service has the message in its hands
        else:
            self._reset(ResetCause.CLOSED)
