"""One IMAP connection, seen from the server, as a state machine without I/O (RFC 9051).

How it is driven:

    conn.receive_data(octets)                 # or receive_eof()
    while True:
        event = conn.next_event()
        write(conn.data_to_send())            # what the engine itself had to say
        if event is NEED_DATA or event is BUSY:
            break
        ...                                   # act on it

A `Command` is handed out alone and in order: the engine reads no further until the service has
written the tagged response and called `command_done`. Meanwhile input waits in a bounded buffer,
and `wants_data` tells when to stop reading. Responses are the service's to write; the engine
produces only what belongs to reading: continuation requests, BAD and NO for commands that never
reach the service, and BYE where the peer went too far.

Decisions that the RFC leaves open:
- Only CRLF ends a line. A bare LF is answered BAD at once and the line is thrown away up to its
  CRLF, so that a client that escapes CRLF alone cannot be made to send a second command.
- Empty lines between commands are passed over; clients send them after literals.
- 8-bit text in quotes is let through whatever was enabled; see `lexer`.

The engine knows no clock: idle and sign-in times are the service's.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Final

from malleposte.wire.imap import responses
from malleposte.wire.imap.commands import identify
from malleposte.wire.imap.commands.append import StreamingCommand
from malleposte.wire.imap.commands.auth import Authenticate, StartTls, decode_base64
from malleposte.wire.imap.commands.base import SIGNED_IN, Command, State
from malleposte.wire.imap.commands.session import Idle
from malleposte.wire.imap.errors import BAD, Cause, CommandError, LineError, TooBig
from malleposte.wire.imap.events import (
    BUSY,
    NEED_DATA,
    AppendAborted,
    AppendData,
    AppendEnd,
    AuthResponse,
    Closed,
    Event,
    IdleDone,
    Rejected,
    Signal,
)
from malleposte.wire.imap.input_buffer import Discard, InputBuffer
from malleposte.wire.imap.lexer import Reader, Tag, readable_tag
from malleposte.wire.imap.limits import Limits
from malleposte.wire.imap.literals import Announcement, announced
from malleposte.wire.imap.patience import Patience
from malleposte.wire.imap.streaming import MessageStream

_DEFAULT_LIMITS: Final = Limits()
_ID: Final = re.compile(rb"[^ ]+ ID \(", re.IGNORECASE)
_ID_PEEK: Final = 256


class _Phase(IntEnum):
    """What the next octets are."""

    COMMAND = 0
    LITERAL = 1  # an argument of a command
    BUSY = 2  # nothing yet: a command is in work
    AUTH = 3  # an answer to a challenge
    IDLE = 4  # DONE
    TLS = 5  # nothing in clear may come
    DECIDE = 6  # nothing yet: a message was announced
    MESSAGE = 7  # octets of a message
    BEHIND = 8  # what stands behind a message
    DISCARD = 9  # the rest of a command that is refused
    CLOSED = 10


class Connection:
    """The engine of one connection.

    `state` follows what the service tells by `signed_in`, `selected` and `deselected`; commands
    that it does not allow are answered BAD. `literal_plus` may be set by hand; sign-in turns it
    on. `utf8` says that mailbox names travel as UTF-8, in both directions.
    """

    def __init__(self, limits: Limits = _DEFAULT_LIMITS) -> None:
        self.limits = limits
        self.state = State.NOT_AUTHENTICATED
        self.literal_plus = False
        self.utf8 = False
        self._enabled: frozenset[bytes] = frozenset()
        self._phase = _Phase.COMMAND
        self._input = InputBuffer()
        self._out: list[bytes] = []
        self._line = b""  # the last one read
        self._literal: Announcement | None = None  # what that line ends in
        self._parts: list[bytes] = []  # of the command being read: line, literal, line, …
        self._size = 0  # of _parts
        self._literals = 0  # octets of it that are literals
        self._current: Command | None = None  # in work
        self._stream: MessageStream | None = None  # being read
        self._discard: Discard | None = None
        self._outcome: bytes | None = None  # the reply due when _discard has run
        self._event: Event | None = None  # and the event
        self._patience = Patience(limits)
        self._eof = False
        self._reason = ""

    # Input and output

    def receive_data(self, data: bytes) -> None:
        """Octets from the peer, in pieces of any size."""
        if self._phase is _Phase.CLOSED:
            return
        self._input.feed(data)
        if self._phase is _Phase.TLS and data:
            self._plaintext_after_starttls()

    def receive_eof(self) -> None:
        """The peer sends no more; what it sent is still worked off."""
        self._eof = True

    @property
    def wants_data(self) -> bool:
        """False while reading on would only fill the buffer."""
        if self._phase in _WAITING:
            return len(self._input) < self.limits.pipeline_bytes
        return self._phase is not _Phase.CLOSED

    @property
    def unread(self) -> int:
        """Octets that have come and were not read: a client's that does not wait."""
        return len(self._input)

    @property
    def resting(self) -> bool:
        """Whether the client is between commands: nothing of the next one has come."""
        return self._phase is _Phase.COMMAND and not self._parts and not len(self._input)

    @property
    def in_message(self) -> bool:
        """Whether a message is being read, up to its `AppendEnd`."""
        return self._phase in _STREAMING

    def data_to_send(self) -> bytes:
        """What the engine has to say since the last call. Ask after every `next_event` and every
        method that sends, and write it before any response of the service."""
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def next_event(self) -> Event | Signal:
        """The next command or event; NEED_DATA or BUSY where there is none."""
        while True:
            try:
                event = _STEPS[self._phase](self)
            except CommandError as error:
                event = self._refuse(error)
            if event is None:
                continue
            if event is NEED_DATA and self._eof:
                return self._end("end of input")
            return event

    # What the service tells

    def command_done(self) -> None:
        """The command last handed out is answered: read on."""
        if self._phase is _Phase.CLOSED:
            return
        if self._phase not in {_Phase.BUSY, _Phase.TLS}:
            raise RuntimeError(f"no command is in work: {self._phase.name}")
        self._next_command()

    def signed_in(self) -> None:
        """LOGIN or AUTHENTICATE succeeded."""
        self.state = State.AUTHENTICATED
        self.literal_plus = True
        self._patience.signed_in()

    def selected(self) -> None:
        """SELECT or EXAMINE succeeded."""
        self.state = State.SELECTED

    def deselected(self) -> None:
        """CLOSE, UNSELECT, a SELECT that failed, or a mailbox that is gone."""
        self.state = State.AUTHENTICATED

    def enable(self, names: frozenset[bytes]) -> None:
        """Extensions that ENABLE turned on, in upper case (RFC 9051 §6.3.1)."""
        self._enabled |= names
        self.utf8 = bool(self._enabled & {b"IMAP4REV2", b"UTF8=ACCEPT"})

    @property
    def enabled(self) -> frozenset[bytes]:
        return self._enabled

    @property
    def rev2(self) -> bool:
        """Whether the client enabled IMAP4rev2: no RECENT, always ESEARCH (RFC 9051 §6.3.1)."""
        return b"IMAP4REV2" in self._enabled

    def challenge(self, octets: bytes) -> None:
        """Send a SASL challenge; an `AuthResponse` follows."""
        if self._phase is not _Phase.BUSY or not isinstance(self._current, Authenticate):
            raise RuntimeError("no AUTHENTICATE is in work")
        self._out.append(responses.challenge(octets))
        self._phase = _Phase.AUTH

    def start_idle(self) -> None:
        """Tell the client that it idles; `IdleDone` follows."""
        if self._phase is not _Phase.BUSY or not isinstance(self._current, Idle):
            raise RuntimeError("no IDLE is in work")
        self._out.append(responses.continuation("idling"))
        self._phase = _Phase.IDLE

    def tls_started(self) -> None:
        """TLS is up after STARTTLS; takes the place of `command_done` (RFC 9051 §6.2.1)."""
        if self._phase is _Phase.CLOSED:
            return
        if self._phase is not _Phase.TLS:
            raise RuntimeError("no STARTTLS is in work")
        self._next_command()

    def accept_append(self) -> None:
        """Let the announced message come; `AppendData` follows."""
        if self._phase is not _Phase.DECIDE or self._stream is None:
            raise RuntimeError("no message is announced")
        if self._stream.waits:
            self._out.append(responses.continuation("OK"))
        self._phase = _Phase.MESSAGE

    def refuse_append(self, reply: bytes) -> None:
        """Break a streaming command off, at any time before its `AppendEnd`; `reply` is its whole
        tagged response. What is on its way is thrown away before `reply` is sent. The
        command is over with that: no `command_done`."""
        stream = self._stream
        if self._phase not in _STREAMING or stream is None:
            raise RuntimeError("no message is announced")
        if self._phase is _Phase.DECIDE and stream.waits:
            self._out.append(reply)
            self._next_command()
        else:
            self._throw_away(Discard(stream.left), reply, None)

    def close(self, reason: str) -> None:
        """Read no more; the service has said why, or will."""
        self._end(reason)

    # Commands

    def _read_line(self, limit: int) -> bytes | None:
        """The next line; None where it has not come. Raises CommandError."""
        line = self._input.line(limit)
        if line is None:
            return None
        self._line = line
        self._literal = announced(line)
        if b"\r" in line or b"\0" in line:
            raise CommandError("A line cannot hold CR or NUL", cause=Cause.LINE_END)
        return line

    def _read_command(self) -> Event | Signal | None:
        limits = self.limits
        if self.state & SIGNED_IN:
            limit = min(limits.command_bytes, limits.line_bytes + self._literals)
        else:
            limit = limits.command_bytes_before_sign_in
            if _ID.match(self._parts[0] if self._parts else self._input.peek(_ID_PEEK)):
                limit = limits.id_bytes_before_sign_in
        line = self._read_line(limit - self._size)
        if line is None:
            return NEED_DATA
        if self._literal is not None:
            return self._read_announcement(line, self._literal, limit)
        if self._parts:
            self._parts.append(line)
            line = b"".join(self._parts)
        elif not line:
            self._input.skip_empty_lines()
            return None
        kind, tag, args = identify(line, self.state, limits, self.utf8)
        command = kind.parse(tag, args)
        args.end()
        return self._hand_out(command)

    def _hand_out(self, command: Command) -> Event:
        enough = self._patience.good_command()
        if enough is not None:
            return self._bye(enough)
        self._current = command
        self._phase = _Phase.BUSY
        if isinstance(command, StartTls):
            self._phase = _Phase.TLS
            if len(self._input):
                return self._plaintext_after_starttls()
        return command

    def _plaintext_after_starttls(self) -> Closed:
        """Octets behind STARTTLS would be taken as if they had come through TLS
        (CVE-2011-0411, CVE-2021-33515)."""
        text = "Nothing may be sent between STARTTLS and TLS"
        self._out.append(responses.bad(self._tag(), text))
        return self._bye(text)

    def _read_announcement(
        self, line: bytes, literal: Announcement, limit: int
    ) -> Event | Signal | None:
        """A line of a command that ends in the announcement of a literal."""
        # A command that will not be run is refused before its client sends the literal.
        first = self._parts[0] if self._parts else line[: literal.start]
        kind, tag, args = identify(first, self.state, self.limits, self.utf8)
        if (
            not literal.waits
            and not self.literal_plus
            and literal.size > self.limits.literal_minus_bytes
        ):
            raise TooBig("Before sign-in a literal this large must wait")  # RFC 7888 §5
        if issubclass(kind, StreamingCommand):
            args.text = b"".join([*self._parts, line[: literal.start]])
            command = kind.parse_head(tag, args)
            if command is not None:
                self._parts = []
                self._size = self._literals = 0
                self._stream = MessageStream(command, self.limits)
                return self._announce(args, literal)
        if literal.size > self.limits.string_bytes:
            raise kind.too_long(self.limits)
        size = self._size + len(line) + 2 + literal.size
        most = self.limits.command_bytes if self.state & SIGNED_IN else limit
        if size > most:
            raise TooBig(f"A command may hold {most} octets at most")
        if len(self._parts) >= 2 * self.limits.literals:
            raise TooBig("Too many literals in one command")
        self._parts.append(line + b"\r\n")
        self._size = size
        self._literals += literal.size
        self._phase = _Phase.LITERAL
        if literal.waits:
            self._out.append(responses.continuation("OK"))
        return None

    def _read_literal(self) -> Signal | None:
        assert self._literal is not None
        size = self._literal.size
        if len(self._input) < size:
            return NEED_DATA
        self._parts.append(self._input.take(size))
        self._phase = _Phase.COMMAND
        return None

    # Messages

    def _announce(self, args: Reader, literal: Announcement) -> Event:
        assert self._stream is not None
        start = self._stream.announce(args, literal)
        self._patience.good_command()
        self._phase = _Phase.DECIDE
        return start

    def _read_message(self) -> Event | Signal | None:
        stream = self._stream
        assert stream is not None
        if not stream.left:
            self._phase = _Phase.BEHIND
            return None
        data = stream.take(self._input)
        return AppendData(data) if data else NEED_DATA

    def _read_behind(self) -> Event | Signal | None:
        """The end of the command, or the next message of a MULTIAPPEND (RFC 3502)."""
        stream = self._stream
        assert stream is not None
        line = self._read_line(self.limits.command_bytes_before_sign_in)
        if line is None:
            return NEED_DATA
        literal = self._literal
        if literal is not None:
            line = line[: literal.start]
        args = Reader(line, limits=self.limits, utf8=self.utf8)
        stream.behind(args)
        if literal is not None:
            return self._announce(args, literal)
        args.end()
        self._stream = None
        self._current = stream.command
        self._phase = _Phase.BUSY
        return AppendEnd(stream.command)

    # Dialogues

    def _read_auth(self) -> Event | Signal | None:
        line = self._read_line(self.limits.command_bytes_before_sign_in)
        if line is None:
            return NEED_DATA
        if line == b"*":
            raise CommandError("Cancelled", cause=Cause.CANCELLED)  # RFC 9051 §6.2.2
        data = decode_base64(line)
        self._phase = _Phase.BUSY
        return AuthResponse(data)

    def _read_idle(self) -> Event | Signal | None:
        line = self._read_line(self.limits.command_bytes_before_sign_in)
        if line is None:
            return NEED_DATA
        if line.rstrip(b" ").upper() != b"DONE":
            raise CommandError("Expected DONE", cause=Cause.NOT_DONE)
        self._phase = _Phase.BUSY
        return IdleDone(self._tag())

    # Refusing

    def _tag(self) -> Tag:
        """The tag of the command that is in work or being read, as far as it can be read."""
        if self._current is not None:
            return self._current.tag
        if self._stream is not None:
            return self._stream.command.tag
        return readable_tag(self._parts[0] if self._parts else self._line, self.limits.tag_bytes)

    def _refuse(self, error: CommandError) -> Event | None:
        """Answer a command that cannot be run, once what is on its way of it has gone by."""
        discard: Discard | None = None
        if isinstance(error, LineError):
            self._line = self._input.peek(self.limits.tag_bytes + 1)
            discard = Discard()
        elif self._literal is not None and not self._literal.waits:
            discard = Discard(self._literal.size)
        tag = self._tag()
        answer = responses.bad if error.condition == BAD else responses.no
        reply = answer(tag, error.text, error.code)
        event: Event = Rejected(tag, error.cause, error.text)
        if self._stream is not None and self._stream.index >= 0:
            event = AppendAborted(self._stream.command, error.cause, error.text)
        enough = self._patience.refused(error)
        if enough is not None:
            self._out.append(reply)
            self._bye(enough)
            return event
        if discard is None:
            self._out.append(reply)
            self._next_command()
            return event
        if isinstance(error, LineError):
            # The end of such a line may never come: a person with a terminal waits for a word.
            self._out.append(reply)
            self._throw_away(discard, None, None)
            return event
        self._throw_away(discard, reply, event)
        return None

    def _throw_away(self, discard: Discard, reply: bytes | None, event: Event | None) -> None:
        """Go on when the rest of a command has gone by, with `reply` and `event`."""
        self._next_command()
        self._discard = discard
        self._outcome = reply
        self._event = event
        self._phase = _Phase.DISCARD

    def _read_discard(self) -> Event | Signal | None:
        discard = self._discard
        assert discard is not None
        done = discard.run(self._input)
        enough = self._patience.wasted(discard.thrown_away, done=done)
        if enough is not None:
            return self._bye(enough, b"TOOBIG")  # RFC 7888 §4
        if not done:
            return NEED_DATA
        event = self._event
        if self._outcome is not None:
            self._out.append(self._outcome)
        self._next_command()
        return event

    # Ending

    def _next_command(self) -> None:
        if self._parts:
            self._parts = []
            self._size = self._literals = 0
        self._line = b""
        self._current = None
        self._stream = None
        self._literal = None
        self._discard = None
        self._outcome = None
        self._event = None
        self._phase = _Phase.COMMAND

    def _bye(self, text: str, code: bytes | None = None) -> Closed:
        self._out.append(responses.bye(text, code))
        return self._end(text)

    def _end(self, reason: str) -> Closed:
        if self._phase is not _Phase.CLOSED:
            self._next_command()
            self._phase = _Phase.CLOSED
            self._reason = reason
            self._input.clear()
        return Closed(self._reason)

    def _wait(self) -> Signal:
        return BUSY

    def _closed(self) -> Closed:
        return Closed(self._reason)


_STREAMING: Final = frozenset({_Phase.DECIDE, _Phase.MESSAGE, _Phase.BEHIND})
_WAITING: Final = frozenset({_Phase.BUSY, _Phase.TLS, _Phase.DECIDE})

_STEPS: Final = (
    Connection._read_command,
    Connection._read_literal,
    Connection._wait,
    Connection._read_auth,
    Connection._read_idle,
    Connection._wait,
    Connection._wait,
    Connection._read_message,
    Connection._read_behind,
    Connection._read_discard,
    Connection._closed,
)
"""What reads on in each phase, in the order of `_Phase`."""
