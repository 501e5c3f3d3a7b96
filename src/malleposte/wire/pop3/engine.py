"""The server's side of POP3 as a state machine without I/O.

Octets go in by `receive_data`, events come out of `next_event`, the service answers commands by `reply`
or by `begin`, `piece` and `end`, and what is to be sent is fetched by `data_to_send`. While a command
waits for its answer nothing further is read, so that answers to pipelined commands cannot change places.

    connection.greet()
    loop:
        while (event := connection.next_event()) is not Need.DATA:
            ... connection.reply(...) ...
        socket.send(connection.data_to_send())
        if connection.wants_data: connection.receive_data(socket.recv())

What the engine answers by itself: CAPA, USER, UTF8, NOOP, QUIT before sign-in, everything malformed, out
of order or over a limit. What it does not do: clocks, maildrops, TLS (it says when).

Invariants: nothing a peer sends raises an exception; the buffer is bounded by `Limits`; only CRLF ends a
line; a connection that closes without an answered `Quit` was not told to delete anything.
"""

import re
from collections.abc import Callable
from typing import Final

from malleposte.wire.dialogue import (
    AUTH,
    COMMAND,
    HANDSHAKE,
    HTTP,
    NEED_DATA,
    Authenticate,
    CloseCause,
    Need,
    StartTls,
)
from malleposte.wire.lines import NoLine
from malleposte.wire.sasl import (
    Credentials,
    Mechanism,
    SaslError,
    decode_initial_response,
    decode_response,
    mechanism_names,
    prepare_password,
    start_mechanism,
)

from .capabilities import capabilities
from .commands import Delete, Event, List, Quit, Reset, Retrieve, Stat, Top, Uidl
from .conversation import Conversation
from .responses import Code, Err, Ok

_NUMBER: Final = re.compile(rb"[0-9]{1,10}\Z")
_IN_CLEAR: Final = Err("A password may only be sent under TLS: use STLS first")
_WRONG: Final = Err("The name or the password is wrong", Code.AUTH)


class PeerError(Exception):
    """The peer did something wrong, or asked for what it cannot have."""

    def __init__(self, response: Err) -> None:
        super().__init__(response.text)
        self.response = response


class Disconnect(PeerError):
    """The peer did what the conversation cannot survive: the response, then the end."""


def _error(text: str) -> PeerError:
    return PeerError(Err(text))


class Pop3Server(Conversation):
    """One connection.

    `tls`: TLS is active from the start (port 995). `loopback`: the transport never leaves this machine,
    so that passwords may go in the clear; it gives no other right.
    """

    _name: bytes | None = None  # of USER, until PASS

    def tls_started(self) -> None:
        """The handshake is done: all that was known of the client is forgotten (RFC 2595 §4)."""
        super().tls_started()
        self.utf8 = False
        self._name = None

    # --- lines -------------------------------------------------------------------------------

    def _next_line(self) -> Event | Need | None:
        answering = self._state is AUTH
        try:
            if self._buffer.startswith(b"\x16\x03") and not self.tls:
                raise Disconnect(Err("This is POP3 without TLS"))
            limit = self.limits.line
            if len(self._buffer) > limit and (answering or self._buffer[:5].upper() == b"AUTH "):
                limit = self.limits.auth_line
            line = self._lines.take_line(limit)
            if line is NoLine.INCOMPLETE:
                if not self._eof:
                    return NEED_DATA
                self._close(CloseCause.PEER)
                return None
            self._state = COMMAND
            if line is NoLine.ENDLESS:
                raise Disconnect(Err("The line is too long"))
            if line is NoLine.TOO_LONG:
                self._mechanism = None
                raise _error("The line is too long")
            return self._auth_response(line) if answering else self._command(line)
        except Disconnect as error:
            self._end(error.response)
        except PeerError as error:
            self._refuse(error.response)
        return None

    def _command(self, line: bytes) -> Event | None:
        verb, _, argument = line.partition(b" ")
        verb = verb.upper()
        # A bare CR or LF ends nothing, and has no place in a command.
        if b"\n" in line or b"\r" in line or b"\0" in line:
            raise _error("Lines end with CRLF, and hold neither CR, LF nor NUL")
        if verb in HTTP:
            raise Disconnect(Err("This is POP3"))  # a browser made to speak to us
        before, after = _BEFORE.get(verb), _AFTER.get(verb)
        handler = after if self.signed_in else before
        if handler is None:
            if before is None and after is None:
                raise _error("There is no such command")
            raise _error("You have signed in already" if self.signed_in else "Sign in first")
        if self._patience.command():
            raise Disconnect(Err("Too many commands before sign-in"))
        event = handler(self, argument)
        self._patience.good()
        return event

    # --- AUTHORIZATION -----------------------------------------------------------------------

    def _user(self, argument: bytes) -> None:
        if not self.plaintext_allowed:
            raise PeerError(_IN_CLEAR)
        name = argument.strip()
        if not name:
            raise _error("Syntax: USER name")
        self._name = name
        # Said to everybody, whether there is such an account or not.
        self._send(Ok("Now the password"))

    def _pass(self, argument: bytes) -> Event | None:
        name, self._name = self._name, None
        if not self.plaintext_allowed:
            raise PeerError(_IN_CLEAR)
        if name is None:
            raise _error("USER first")
        try:
            # RFC 1939 §7: spaces may be part of the password.
            password = prepare_password(argument.decode("utf-8"))
            credentials = Credentials(name.decode("utf-8"), password)
        except (SaslError, UnicodeDecodeError):
            self._failed(_WRONG)
            return None
        return self._ask(Authenticate("USER", credentials))

    def _failed(self, response: Err) -> None:
        """A sign-in that cannot be right, without asking anybody."""
        self._send(response)
        if self._patience.auth_failed():
            self._close(CloseCause.ABUSE)

    def _auth(self, argument: bytes) -> Event | None:
        name, _, initial = argument.strip().partition(b" ")
        if not name:
            # Not in RFC 5034, but older programs ask so for what there is.
            names = mechanism_names(plaintext_allowed=self.plaintext_allowed)
            self._send_lines(Ok("Mechanisms"), list(names))
            return None
        if not self.plaintext_allowed:
            raise PeerError(_IN_CLEAR)
        if b" " in initial:
            raise _error("Syntax: AUTH mechanism [initial-response]")
        mechanism = start_mechanism(name.decode("ascii", "replace"), plaintext_allowed=True)
        if mechanism is None:
            raise _error("This mechanism is not known; CAPA names those that are")
        return self._auth_step(mechanism, initial or None, decode_initial_response)

    def _auth_response(self, line: bytes) -> Event | None:
        mechanism, self._mechanism = self._mechanism, None
        assert mechanism is not None
        if line == b"*":
            raise _error("Cancelled")  # RFC 5034 §4
        return self._auth_step(mechanism, line, decode_response)

    def _auth_step(
        self, mechanism: Mechanism, encoded: bytes | None, decode: Callable[[bytes], bytes]
    ) -> Authenticate | None:
        try:
            return super()._auth_step(mechanism, encoded, decode)
        except SaslError as error:
            self._failed(Err(str(error), Code.AUTH))
            return None

    def _challenge(self, encoded: bytes) -> None:
        self._out.append(b"+ " + encoded + b"\r\n")

    def _stls(self, argument: bytes) -> Event | None:
        _none(argument)
        if self.tls:
            raise _error("TLS is on already")
        if not self.settings.stls:
            raise _error("There is no TLS here")
        if self._buffer:
            # Sent in the clear by whoever; never to be read as if it had come under TLS
            # (CVE-2011-0411).
            raise Disconnect(Err("Nothing may be sent between STLS and TLS"))
        self._send(Ok("Begin TLS"))
        self._state = HANDSHAKE
        return StartTls()

    def _utf8(self, argument: bytes) -> None:
        _none(argument)
        self.utf8 = True
        self._send(Ok("UTF-8"))

    def _leave(self, argument: bytes) -> None:
        _none(argument)
        self._send(Ok("Goodbye"))
        self._close(CloseCause.QUIT)

    # --- any state ---------------------------------------------------------------------------

    def _capa(self, argument: bytes) -> None:
        _none(argument)
        stls = self.settings.stls and not self.tls
        lines = capabilities(stls=stls, plaintext_allowed=self.plaintext_allowed)
        self._send_lines(Ok("What can be done"), lines)

    # --- TRANSACTION -------------------------------------------------------------------------

    def _stat(self, argument: bytes) -> Event:
        _none(argument)
        return self._ask(Stat())

    def _list(self, argument: bytes) -> Event:
        return self._ask(List(_optional(argument)))

    def _uidl(self, argument: bytes) -> Event:
        return self._ask(Uidl(_optional(argument)))

    def _retr(self, argument: bytes) -> Event:
        return self._ask(Retrieve(_message(argument)))

    def _dele(self, argument: bytes) -> Event:
        return self._ask(Delete(_message(argument)))

    def _top(self, argument: bytes) -> Event:
        message, _, lines = argument.strip().partition(b" ")
        return self._ask(Top(_message(message), _number(lines)))

    def _noop(self, argument: bytes) -> None:
        _none(argument)
        self._send(Ok())

    def _rset(self, argument: bytes) -> Event:
        _none(argument)
        return self._ask(Reset())

    def _quit(self, argument: bytes) -> Event:
        _none(argument)
        return self._ask(Quit())


def _none(argument: bytes) -> None:
    if argument.strip():
        raise _error("This command takes no argument")


def _number(argument: bytes) -> int:
    text = argument.strip()
    if not _NUMBER.match(text):
        raise _error("A number is needed")
    return int(text)


def _message(argument: bytes) -> int:
    number = _number(argument)
    if not number:
        raise _error("Messages are numbered from 1")
    return number


def _optional(argument: bytes) -> int | None:
    return _message(argument) if argument.strip() else None


_Handler = Callable[[Pop3Server, bytes], Event | None]

_BEFORE: Final[dict[bytes, _Handler]] = {
    b"USER": Pop3Server._user,
    b"PASS": Pop3Server._pass,
    b"AUTH": Pop3Server._auth,
    b"STLS": Pop3Server._stls,
    b"UTF8": Pop3Server._utf8,
    b"CAPA": Pop3Server._capa,
    b"QUIT": Pop3Server._leave,
}
_AFTER: Final[dict[bytes, _Handler]] = {
    b"STAT": Pop3Server._stat,
    b"LIST": Pop3Server._list,
    b"UIDL": Pop3Server._uidl,
    b"RETR": Pop3Server._retr,
    b"DELE": Pop3Server._dele,
    b"TOP": Pop3Server._top,
    b"NOOP": Pop3Server._noop,
    b"RSET": Pop3Server._rset,
    b"QUIT": Pop3Server._quit,
    b"CAPA": Pop3Server._capa,
}
