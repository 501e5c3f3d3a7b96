"""The server's side of SMTP, LMTP and submission as a state machine without I/O.

Theory of operation. Octets go in by `receive_data`, events come out of `next_event`, the service
answers those that ask for it by `accept` or `reply`, and what is to be sent is fetched by
`data_to_send`. One rule keeps pipelining right: while an event waits for its answer nothing
further is read from the buffer, so answers cannot change places. The state changes when the
answer is given, and only if that is positive: a recipient refused was never there.

    connection.greet()
    loop:
        while (event := connection.next_event()) is not Need.DATA:
            ... connection.accept() or connection.reply(...) ...
        socket.send(connection.data_to_send())
        if connection.wants_data: connection.receive_data(socket.recv())

What the engine answers by itself: NOOP, HELP, VRFY, EXPN, RSET, QUIT, everything malformed, out of
order or over a limit. What it does not do: clocks (it says how long to wait), addresses (it does
not know who exists), TLS (it says when).

Invariants: nothing a peer sends raises an exception; the buffer is bounded by `Limits`; only CRLF
ends a line; no octet of content is ever read as a command (a conversation that could fall out of
step is closed instead).
"""

from collections.abc import Callable

from malleposte.wire.dialogue import (
    AUTH,
    CLOSED,
    COMMAND,
    HANDSHAKE,
    HTTP,
    NEED_DATA,
    Authenticate,
    CloseCause,
    LocalProtocolError,
    Need,
    StartTls,
)
from malleposte.wire.lines import INCOMPLETE, NoLine

from . import reply as r
from .authentication import Authentication
from .capabilities import capability_lines
from .commands import parse_hello, parse_mail, parse_rcpt
from .conversation import Answerable
from .events import DataEnd, DataStart, Event, Greeting, Hello, MailFrom, RcptTo, ResetCause
from .reply import Disconnect, PeerError, Reply
from .settings import Mode


class SmtpServer(Authentication):
    """One connection.

    `tls`: TLS is active from the start (port 465). `loopback`: the transport never leaves this
    machine, so that passwords may go in the clear; it gives no other right.
    """

    def tls_started(self) -> None:
        """The handshake is done: all that was known of the client is forgotten (RFC 3207 §4.2)."""
        super().tls_started()
        self.hello = None
        self.signed_in = False
        self.step += 1

    # --- answers -----------------------------------------------------------------------------

    def accept(self, text: str = "") -> None:
        """Answer the waiting event positively, with the usual reply or with `text` in its place.

        On a connection that is closed already it does nothing.
        """
        event = self._waiting
        if event is None:
            self._not_asked()
            return
        standard = _STANDARD.get(type(event))
        if standard is not None:
            if text:
                standard = Reply(standard.code, standard.enhanced, text)
            self._answer(event, standard)
        elif isinstance(event, DataStart):
            self._answer_start(event, None)
        elif isinstance(event, Hello):
            self._accept_hello(event)

    def reply(self, reply: Reply) -> None:
        """Answer the waiting event. The class of the code decides; 421 also ends the connection.

        After LMTP content this is one recipient's answer. On a connection that is closed
        already it does nothing. Raises LocalProtocolError for an answer that cannot be.
        """
        event = self._waiting
        if event is None:
            self._not_asked()
        elif reply.code == 421:
            self._end(reply, CloseCause.SERVICE)
        elif 300 <= reply.code < 400 or (reply.positive and type(event) not in _STANDARD):
            raise LocalProtocolError(f"{reply.code} is no answer to {type(event).__name__}")
        else:
            self._answer(event, reply)

    def _answer(self, event: Answerable, reply: Reply) -> None:
        self.step += 1  # the time that the service took is not the peer's
        if isinstance(event, DataEnd):
            self._answer_end(reply)
            return
        if isinstance(event, DataStart):
            self._answer_start(event, reply)
            return
        self._waiting = None
        self._send(reply)
        positive = reply.code < 300
        if isinstance(event, RcptTo):
            if positive:
                self.recipients.append(event)
            elif reply.permanent:
                self._enough(self._patience.recipient_refused())
        elif isinstance(event, MailFrom):
            if positive:
                self.mail = event
                self._utf8 = event.smtputf8
        elif isinstance(event, Authenticate):
            if positive:
                self.signed_in = True
            else:
                self._enough(self._patience.auth_failed())

    def _not_asked(self) -> None:
        if self._state is not CLOSED:
            raise LocalProtocolError("no event waits for an answer")

    def _accept_hello(self, event: Hello) -> None:
        self._waiting = None
        self.step += 1
        self._reset(ResetCause.HELLO)  # RFC 5321 §4.1.4: as if RSET, but only if it succeeds
        self.hello = event
        lines = [self.settings.hostname]
        if event.greeting is not Greeting.HELO:
            lines += capability_lines(
                self.settings,
                self.limits,
                tls=self.tls,
                plaintext_allowed=self.plaintext_allowed,
                signed_in=self.signed_in,
                now=self.now,
            )
        self._send(Reply(250, "", "\n".join(lines)))

    # --- lines -------------------------------------------------------------------------------

    def _next_line(self) -> Event | Need | None:
        answering = self._state is AUTH
        try:
            if self._shutdown:
                self._end(r.SHUTTING_DOWN, CloseCause.SERVICE)
                return None
            if self.hello is None and self._buffer.startswith(b"\x16\x03") and not self.tls:
                raise Disconnect.of(r.NOT_SMTP)  # a TLS handshake on a plain port
            limit = self.limits.line
            if len(self._buffer) > limit and (answering or self._buffer[:5].upper() == b"AUTH "):
                limit = self.limits.auth_line
            line = self._lines.take_line(limit)
            if line is INCOMPLETE:
                if not self._eof:
                    return NEED_DATA
                self._close(CloseCause.PEER)
                return None
            self.step += 1
            self._state = COMMAND
            if line is NoLine.ENDLESS:
                raise Disconnect.of(r.LINE_TOO_LONG)
            if line is NoLine.TOO_LONG:
                raise PeerError.of(r.AUTH_LINE_TOO_LONG if answering else r.LINE_TOO_LONG)
            return self._auth_response(line) if answering else self._command(line)
        except Disconnect as error:
            self._end(error.reply)
        except PeerError as error:
            self._refuse(error.reply)
        return None

    def _command(self, line: bytes) -> Event | None:
        # RFC 5321 §2.3.8: a bare CR or LF ends nothing, and has no place in a command.
        if b"\n" in line or b"\r" in line or b"\0" in line:
            raise _bad_line(line, r.BAD_OCTETS)
        verb, _, argument = line.partition(b" ")
        argument = argument.rstrip(b" \t")  # RFC 5321 §4.1.1: trailing white space is tolerated
        verb = verb.rstrip(b"\t").upper()
        handler = _HANDLERS.get(verb)
        if handler is None:
            raise _bad_line(line, r.NOT_IMPLEMENTED if verb in _OBSOLETE else r.UNKNOWN_COMMAND)
        if self.settings.tls_required and not self.tls and verb not in _BEFORE_TLS:
            if verb == b"BDAT":
                self._swallow_chunk(argument, r.TLS_FIRST)
            elif verb == b"DATA":
                self._refuse_data(r.TLS_FIRST)
            else:
                self._refuse(r.TLS_FIRST)
            return None
        return handler(self, argument)

    # --- commands ----------------------------------------------------------------------------

    def _helo(self, argument: bytes) -> Event | None:
        return self._greeting(Greeting.HELO, argument)

    def _ehlo(self, argument: bytes) -> Event | None:
        return self._greeting(Greeting.EHLO, argument)

    def _lhlo(self, argument: bytes) -> Event | None:
        return self._greeting(Greeting.LHLO, argument)

    def _greeting(self, greeting: Greeting, argument: bytes) -> Event | None:
        # RFC 2033 §4.1: LHLO in LMTP and nowhere else, HELO and EHLO not in LMTP.
        if (greeting is Greeting.LHLO) != (self.settings.mode is Mode.LMTP):
            raise PeerError.of(r.UNKNOWN_COMMAND)
        self._idle()
        return self._ask(Hello(greeting, parse_hello(argument, self.settings, self.limits)))

    def _mail(self, argument: bytes) -> Event | None:
        if self.hello is None:
            raise PeerError.of(r.HELLO_FIRST)
        known = self.signed_in or self.trusted
        if self.settings.mode is Mode.SUBMISSION and not known:  # RFC 6409 §4.3
            raise PeerError.of(r.AUTH_FIRST if self.plaintext_allowed else r.TLS_FIRST)
        if self._in_transaction:
            raise PeerError.of(r.NESTED_MAIL)
        mail = parse_mail(argument, self.settings, self.limits, self.now)
        too_many = self._patience.transaction()
        if too_many is not None:
            self._end(too_many, CloseCause.SERVICE)
            return None
        self._forget_transaction()
        return self._ask(mail)

    def _rcpt(self, argument: bytes) -> Event | None:
        mail = self.mail
        if mail is None or self._failure is not None:
            raise PeerError.of(self._out_of_order)
        if self._incoming is not None:
            raise PeerError.of(r.IN_CHUNKS)  # RFC 3030 §2
        if len(self.recipients) >= self.limits.recipients:
            self._send(r.TOO_MANY_RECIPIENTS)  # the client's right, not its fault: not counted
            return None
        return self._ask(parse_rcpt(argument, self.settings, self.limits, smtputf8=mail.smtputf8))

    def _rset(self, argument: bytes) -> None:
        if argument:
            raise PeerError.of(r.NO_ARGUMENT)
        self._idle()
        self._reset(ResetCause.RSET)
        self._send(r.OK)

    def _noop(self, argument: bytes) -> None:
        self._idle()
        self._send(r.OK)

    def _help(self, argument: bytes) -> None:
        self._idle()
        self._send(r.HELP)

    def _vrfy(self, argument: bytes) -> None:
        if not argument:
            raise PeerError.of(r.ARGUMENT_MISSING)
        self._idle()
        self._send(r.CANNOT_VERIFY)

    def _expn(self, argument: bytes) -> None:
        raise PeerError.of(r.NOT_IMPLEMENTED)

    def _quit(self, argument: bytes) -> None:
        self._send(Reply(221, "2.0.0", f"{self.settings.hostname} closing connection"))
        self._close(CloseCause.QUIT)

    def _starttls(self, argument: bytes) -> Event | None:
        if argument:
            raise PeerError.of(r.NO_ARGUMENT)
        if self.tls:
            raise PeerError.of(r.ALREADY_TLS)
        if not self.settings.starttls:
            raise PeerError.of(r.NOT_IMPLEMENTED)
        if self._buffer:
            # Sent in the clear by whoever; never to be read as if it had come under TLS
            # (CVE-2011-0411).
            raise Disconnect.of(r.PIPELINED_TLS)
        self._reset(ResetCause.TLS)
        self._send(r.READY_FOR_TLS)
        self._state = HANDSHAKE
        self._pending.append(StartTls())
        return None


def _bad_line(line: bytes, reply: Reply) -> PeerError:
    """The error for a line that is no command, fatal where what follows may be no commands."""
    verb = line.partition(b" ")[0].upper()
    if verb in HTTP:
        return Disconnect.of(r.NOT_SMTP)  # a browser made to speak to us
    if verb.startswith(b"BDAT"):
        return Disconnect.of(r.BAD_BDAT)
    return PeerError.of(reply)


_Handler = Callable[[SmtpServer, bytes], Event | None]

_HANDLERS: dict[bytes, _Handler] = {
    b"HELO": SmtpServer._helo,
    b"EHLO": SmtpServer._ehlo,
    b"LHLO": SmtpServer._lhlo,
    b"MAIL": SmtpServer._mail,
    b"RCPT": SmtpServer._rcpt,
    b"DATA": SmtpServer._data,
    b"BDAT": SmtpServer._bdat,
    b"RSET": SmtpServer._rset,
    b"NOOP": SmtpServer._noop,
    b"HELP": SmtpServer._help,
    b"VRFY": SmtpServer._vrfy,
    b"EXPN": SmtpServer._expn,
    b"QUIT": SmtpServer._quit,
    b"STARTTLS": SmtpServer._starttls,
    b"AUTH": SmtpServer._auth,
}
_BEFORE_TLS = frozenset({b"EHLO", b"LHLO", b"HELO", b"NOOP", b"STARTTLS", b"QUIT"})  # RFC 3207 §4
_OBSOLETE = frozenset({b"SEND", b"SOML", b"SAML", b"TURN", b"ETRN", b"ATRN"})
_STANDARD: dict[type[Answerable], Reply] = {
    MailFrom: r.SENDER_OK,
    RcptTo: r.RECIPIENT_OK,
    DataEnd: r.ACCEPTED,
    Authenticate: r.SIGNED_IN,
}
