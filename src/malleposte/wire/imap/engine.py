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
from typing import Final

from malleposte.wire.imap import responses
from malleposte.wire.imap.commands import identify
from malleposte.wire.imap.commands.append import StreamingCommand
from malleposte.wire.imap.commands.auth import Authenticate, StartTls, decode_base64
from malleposte.wire.imap.commands.base import SIGNED_IN, Command
from malleposte.wire.imap.commands.session import Idle
from malleposte.wire.imap.conversation import Phase
from malleposte.wire.imap.errors import Cause, CommandError, TooBig
from malleposte.wire.imap.events import (
    BUSY,
    NEED_DATA,
    AuthResponse,
    Closed,
    Event,
    IdleDone,
    Signal,
)
from malleposte.wire.imap.literals import Announcement
from malleposte.wire.imap.message_literals import MessageLiterals
from malleposte.wire.imap.streaming import MessageStream

_ID: Final = re.compile(rb"[^ ]+ ID \(", re.IGNORECASE)
_ID_PEEK: Final = 256


class Connection(MessageLiterals):
    """The engine of one connection.

    `state` follows what the service tells by `signed_in`, `selected` and `deselected`; commands
    that it does not allow are answered BAD. `literal_plus` may be set by hand; sign-in turns it
    on. `utf8` says that mailbox names travel as UTF-8, in both directions.
    """

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
        if self._phase is Phase.CLOSED:
            return
        if self._phase not in {Phase.BUSY, Phase.TLS}:
            raise RuntimeError(f"no command is in work: {self._phase.name}")
        self._next_command()

    def challenge(self, octets: bytes) -> None:
        """Send a SASL challenge; an `AuthResponse` follows."""
        if self._phase is not Phase.BUSY or not isinstance(self._current, Authenticate):
            raise RuntimeError("no AUTHENTICATE is in work")
        self._out.append(responses.challenge(octets))
        self._phase = Phase.AUTH

    def start_idle(self) -> None:
        """Tell the client that it idles; `IdleDone` follows."""
        if self._phase is not Phase.BUSY or not isinstance(self._current, Idle):
            raise RuntimeError("no IDLE is in work")
        self._out.append(responses.continuation("idling"))
        self._phase = Phase.IDLE

    def tls_started(self) -> None:
        """TLS is up after STARTTLS; takes the place of `command_done` (RFC 9051 §6.2.1)."""
        if self._phase is Phase.CLOSED:
            return
        if self._phase is not Phase.TLS:
            raise RuntimeError("no STARTTLS is in work")
        self._next_command()

    # Commands

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
        self._phase = Phase.BUSY
        if isinstance(command, StartTls):
            self._phase = Phase.TLS
            if len(self._input):
                return self._plaintext_after_starttls()
        return command

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
        self._phase = Phase.LITERAL
        if literal.waits:
            self._out.append(responses.continuation("OK"))
        return None

    def _read_literal(self) -> Signal | None:
        assert self._literal is not None
        size = self._literal.size
        if len(self._input) < size:
            return NEED_DATA
        self._parts.append(self._input.take(size))
        self._phase = Phase.COMMAND
        return None

    # Dialogues

    def _read_auth(self) -> Event | Signal | None:
        line = self._read_line(self.limits.command_bytes_before_sign_in)
        if line is None:
            return NEED_DATA
        if line == b"*":
            raise CommandError("Cancelled", cause=Cause.CANCELLED)  # RFC 9051 §6.2.2
        data = decode_base64(line)
        self._phase = Phase.BUSY
        return AuthResponse(data)

    def _read_idle(self) -> Event | Signal | None:
        line = self._read_line(self.limits.command_bytes_before_sign_in)
        if line is None:
            return NEED_DATA
        if line.rstrip(b" ").upper() != b"DONE":
            raise CommandError("Expected DONE", cause=Cause.NOT_DONE)
        self._phase = Phase.BUSY
        return IdleDone(self._tag())

    # Nothing to read

    def _wait(self) -> Signal:
        return BUSY

    def _closed(self) -> Closed:
        return Closed(self._reason)


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
"""What reads on in each phase, in the order of `Phase`."""
