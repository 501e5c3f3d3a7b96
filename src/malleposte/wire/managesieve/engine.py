"""The server's side of ManageSieve (RFC 5804) as a state machine without I/O.

Octets go in by `receive_data`, events come out of `next_event`, the service answers commands by `reply`,
and what is to be sent is fetched by `data_to_send`. While a command waits for its answer nothing further is
read, so that answers to pipelined commands cannot change places.

    connection.greet()
    loop:
        while (event := connection.next_event()) is not Need.DATA:
            ... connection.reply(...) ...
        socket.send(connection.data_to_send())
        if connection.wants_data: connection.receive_data(socket.recv())

What the engine answers by itself: CAPABILITY, NOOP, LOGOUT, everything malformed, out of order or over a
limit. What it does not do: clocks, scripts, TLS (it says when).

Invariants: nothing a peer sends raises an exception; what waits is bounded by `Limits`; only CRLF ends a
line; names and texts that come out are UTF-8.
"""

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
from malleposte.wire.sasl import (
    Mechanism,
    SaslError,
    decode_initial_response,
    decode_response,
    start_mechanism,
)

from .commands import (
    CheckScript,
    DeleteScript,
    Event,
    GetScript,
    HaveSpace,
    ListScripts,
    PutScript,
    RenameScript,
    SetActive,
    Unauthenticate,
)
from .conversation import Conversation
from .lexer import Argument, Malformed, Reading
from .responses import Code, Response, no, ok, string

_NAME: Final = 512
"""Octets of a name (RFC 5804 §1.6)."""
_IN_CLEAR: Final = no(
    "A password may only be sent under TLS: use STARTTLS first", Code.ENCRYPT_NEEDED
)


class PeerError(Exception):
    """The peer did something wrong, or asked for what it cannot have."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.text)
        self.response = response


class Disconnect(Exception):
    """The peer did what the conversation cannot survive: the words, then the end."""


def _error(text: str) -> PeerError:
    return PeerError(no(text))


class ManageSieveServer(Conversation):
    """One connection.

    `tls`: TLS is active from the start. `loopback`: the transport never leaves this machine, so that
    passwords may go in the clear; it gives no other right.
    """

    def tls_started(self) -> None:
        """The handshake is done: all that was known of the client is forgotten, and what can be done is
        told anew (RFC 5804 §2.2)."""
        super().tls_started()
        self._capabilities()
        self._send(ok("TLS is on"))

    # --- commands ----------------------------------------------------------------------------

    def _next_line(self) -> Event | Need | None:
        answering = self._state is AUTH
        try:
            if self._buffer.startswith(b"\x16\x03") and not self.tls:
                raise Disconnect("This is ManageSieve without TLS")
            most = self.limits.script if self.signed_in else self.limits.argument
            if answering:
                most = self.limits.auth_line
            tokens = self._reader.take(answer=answering, script=most)
            if isinstance(tokens, Reading):
                if not self._eof:
                    return NEED_DATA
                self._close(CloseCause.PEER)
                return None
            self._state = COMMAND
            if answering:
                return self._auth_response(tokens.arguments)
            return self._command(tokens.verb, tokens.arguments)
        except Disconnect as error:
            self._end(str(error))
        except Malformed as error:
            self._state, self._mechanism = COMMAND, None
            if error.fatal:
                self._end(error.text, error.code)
            else:
                self._refuse(no(error.text, error.code))
        except PeerError as error:
            self._refuse(error.response)
        return None

    def _command(self, verb: str, arguments: list[Argument]) -> Event | None:
        if verb.encode() in HTTP:
            raise Disconnect("This is ManageSieve")  # a browser made to speak to us
        before, after, always = _BEFORE.get(verb), _AFTER.get(verb), _ALWAYS.get(verb)
        handler = always or (after if self.signed_in else before)
        if handler is None:
            if before is None and after is None:
                raise _error("There is no such command")
            raise _error("You have signed in already" if self.signed_in else "Sign in first")
        if self._patience.command():
            raise Disconnect("Too many commands before sign-in")
        event = handler(self, arguments)
        self._patience.good()
        return event

    # --- any time ----------------------------------------------------------------------------

    def _capability(self, arguments: list[Argument]) -> None:
        _none(arguments)
        self._capabilities()
        self._send(ok("What can be done"))

    def _noop(self, arguments: list[Argument]) -> None:
        if not arguments:
            self._send(ok("Nothing done"))
            return
        (tag,) = _texts(arguments, 1, "NOOP [tag]")
        self._send(ok("Nothing done", tag=tag))

    def _logout(self, arguments: list[Argument]) -> None:
        _none(arguments)
        self._send(ok("Goodbye"))
        self._close(CloseCause.LOGOUT)

    # --- before sign-in ----------------------------------------------------------------------

    def _starttls(self, arguments: list[Argument]) -> Event | None:
        _none(arguments)
        if self.tls:
            raise _error("TLS is on already")
        if not self.settings.starttls:
            raise _error("There is no TLS here")
        if self._buffer:
            # Sent in the clear by whoever; never to be read as if it had come under TLS
            # (CVE-2011-0411).
            raise Disconnect("Nothing may be sent between STARTTLS and TLS")
        self._send(ok("Begin TLS"))
        self._state = HANDSHAKE
        return StartTls()

    def _authenticate(self, arguments: list[Argument]) -> Event | None:
        if not 1 <= len(arguments) <= 2:
            raise _error('Syntax: AUTHENTICATE "mechanism" ["initial response"]')
        if not self.plaintext_allowed:
            raise PeerError(_IN_CLEAR)
        name, *initial = _texts(arguments, len(arguments), 'AUTHENTICATE "mechanism" …')
        mechanism = start_mechanism(name, plaintext_allowed=True)
        if mechanism is None:
            raise _error("This mechanism is not known; CAPABILITY names those that are")
        first = initial[0].encode() if initial else None
        return self._auth_step(mechanism, first, decode_initial_response)

    def _auth_response(self, arguments: list[Argument]) -> Event | None:
        mechanism, self._mechanism = self._mechanism, None
        assert mechanism is not None
        if len(arguments) != 1 or not isinstance(arguments[0], bytes):
            raise _error("A string is needed that answers the challenge")
        if arguments[0] == b"*":
            raise _error("Cancelled")  # RFC 5804 §2.1
        return self._auth_step(mechanism, arguments[0], decode_response)

    def _auth_step(
        self, mechanism: Mechanism, encoded: bytes | None, decode: Callable[[bytes], bytes]
    ) -> Authenticate | None:
        try:
            return super()._auth_step(mechanism, encoded, decode)
        except SaslError as error:
            self._send(no(str(error)))
            if self._patience.auth_failed():
                self._end("Too many failed sign-ins")
            return None

    def _challenge(self, encoded: bytes) -> None:
        self._out.append(string(encoded) + b"\r\n")

    # --- after it ----------------------------------------------------------------------------

    def _unauthenticate(self, arguments: list[Argument]) -> Event:
        _none(arguments)
        return self._ask(Unauthenticate())

    def _havespace(self, arguments: list[Argument]) -> Event:
        if len(arguments) != 2 or not isinstance(arguments[1], int):
            raise _error('Syntax: HAVESPACE "name" octets')
        (name,) = _texts(arguments[:1], 1, "HAVESPACE")
        return self._ask(HaveSpace(_name(name), arguments[1]))

    def _putscript(self, arguments: list[Argument]) -> Event:
        if len(arguments) != 2 or not isinstance(arguments[1], bytes):
            raise _error('Syntax: PUTSCRIPT "name" "script"')
        (name,) = _texts(arguments[:1], 1, "PUTSCRIPT")
        return self._ask(PutScript(_name(name), arguments[1]))

    def _checkscript(self, arguments: list[Argument]) -> Event:
        if len(arguments) != 1 or not isinstance(arguments[0], bytes):
            raise _error('Syntax: CHECKSCRIPT "script"')
        return self._ask(CheckScript(arguments[0]))

    def _listscripts(self, arguments: list[Argument]) -> Event:
        _none(arguments)
        return self._ask(ListScripts())

    def _setactive(self, arguments: list[Argument]) -> Event:
        (name,) = _texts(arguments, 1, 'SETACTIVE "name"')
        return self._ask(SetActive(_name(name) if name else ""))

    def _getscript(self, arguments: list[Argument]) -> Event:
        (name,) = _texts(arguments, 1, 'GETSCRIPT "name"')
        return self._ask(GetScript(_name(name)))

    def _deletescript(self, arguments: list[Argument]) -> Event:
        (name,) = _texts(arguments, 1, 'DELETESCRIPT "name"')
        return self._ask(DeleteScript(_name(name)))

    def _renamescript(self, arguments: list[Argument]) -> Event:
        name, to = _texts(arguments, 2, 'RENAMESCRIPT "name" "new name"')
        return self._ask(RenameScript(_name(name), _name(to)))


def _none(arguments: list[Argument]) -> None:
    if arguments:
        raise _error("This command takes no argument")


def _texts(arguments: list[Argument], count: int, syntax: str) -> list[str]:
    """Arguments that are strings, in UTF-8."""
    texts = [argument for argument in arguments if isinstance(argument, bytes)]
    if len(texts) != count or len(arguments) != count:
        raise _error(f"Syntax: {syntax}")
    try:
        return [text.decode("utf-8") for text in texts]
    except UnicodeDecodeError:
        raise _error("Strings are UTF-8") from None


def _name(name: str) -> str:
    """A script's name, as far as the protocol bounds it."""
    if not name or len(name.encode()) > _NAME:
        raise _error(f"A script's name has 1 to {_NAME} octets")
    return name


_Handler = Callable[[ManageSieveServer, list[Argument]], Event | None]

_ALWAYS: Final[dict[str, _Handler]] = {
    "CAPABILITY": ManageSieveServer._capability,
    "NOOP": ManageSieveServer._noop,
    "LOGOUT": ManageSieveServer._logout,
}
_BEFORE: Final[dict[str, _Handler]] = {
    "AUTHENTICATE": ManageSieveServer._authenticate,
    "STARTTLS": ManageSieveServer._starttls,
}
_AFTER: Final[dict[str, _Handler]] = {
    "UNAUTHENTICATE": ManageSieveServer._unauthenticate,
    "HAVESPACE": ManageSieveServer._havespace,
    "PUTSCRIPT": ManageSieveServer._putscript,
    "CHECKSCRIPT": ManageSieveServer._checkscript,
    "LISTSCRIPTS": ManageSieveServer._listscripts,
    "SETACTIVE": ManageSieveServer._setactive,
    "GETSCRIPT": ManageSieveServer._getscript,
    "DELETESCRIPT": ManageSieveServer._deletescript,
    "RENAMESCRIPT": ManageSieveServer._renamescript,
}
