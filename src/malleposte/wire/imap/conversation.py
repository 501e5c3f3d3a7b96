"""Octets in and out, lines, refusals and the end: what a connection is before its commands.

Invariants: a refused command is answered once, when what is on its way of it has gone by; after
`_end` nothing is read and nothing said. Messages (`message_literals`) and commands (`engine`) build
on this.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from malleposte.wire.imap import responses
from malleposte.wire.imap.commands.base import Command, State
from malleposte.wire.imap.errors import BAD, Cause, CommandError, LineError
from malleposte.wire.imap.events import (
    NEED_DATA,
    AppendAborted,
    Closed,
    Event,
    Rejected,
    Signal,
)
from malleposte.wire.imap.input_buffer import Discard, InputBuffer
from malleposte.wire.imap.lexer import Tag, readable_tag
from malleposte.wire.imap.limits import Limits
from malleposte.wire.imap.literals import Announcement, announced
from malleposte.wire.imap.patience import Patience
from malleposte.wire.imap.streaming import MessageStream

_DEFAULT_LIMITS: Final = Limits()


class Phase(IntEnum):
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


STREAMING: Final = frozenset({Phase.DECIDE, Phase.MESSAGE, Phase.BEHIND})
_WAITING: Final = frozenset({Phase.BUSY, Phase.TLS, Phase.DECIDE})


class Conversation:
    """The half of the engine that knows no command. See `Connection`."""

    def __init__(self, limits: Limits = _DEFAULT_LIMITS) -> None:
        self.limits = limits
        self.state = State.NOT_AUTHENTICATED
        self.literal_plus = False
        self.utf8 = False
        self._enabled: frozenset[bytes] = frozenset()
        self._phase = Phase.COMMAND
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
        if self._phase is Phase.CLOSED:
            return
        self._input.feed(data)
        if self._phase is Phase.TLS and data:
            self._plaintext_after_starttls()

    def receive_eof(self) -> None:
        """The peer sends no more; what it sent is still worked off."""
        self._eof = True

    @property
    def wants_data(self) -> bool:
        """False while reading on would only fill the buffer."""
        if self._phase in _WAITING:
            return len(self._input) < self.limits.pipeline_bytes
        return self._phase is not Phase.CLOSED

    @property
    def unread(self) -> int:
        """Octets that have come and were not read: a client's that does not wait."""
        return len(self._input)

    @property
    def resting(self) -> bool:
        """Whether the client is between commands: nothing of the next one has come."""
        return self._phase is Phase.COMMAND and not self._parts and not len(self._input)

    @property
    def in_message(self) -> bool:
        """Whether a message is being read, up to its `AppendEnd`."""
        return self._phase in STREAMING

    def data_to_send(self) -> bytes:
        """What the engine has to say since the last call. Ask after every `next_event` and every
        method that sends, and write it before any response of the service."""
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        return data

    # What the service tells

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

    def close(self, reason: str) -> None:
        """Read no more; the service has said why, or will."""
        self._end(reason)

    # Lines

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

    def _plaintext_after_starttls(self) -> Closed:
        """Octets behind STARTTLS would be taken as if they had come through TLS
        (CVE-2011-0411, CVE-2021-33515)."""
        text = "Nothing may be sent between STARTTLS and TLS"
        self._out.append(responses.bad(self._tag(), text))
        return self._bye(text)

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
        self._phase = Phase.DISCARD

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
        self._phase = Phase.COMMAND

    def _bye(self, text: str, code: bytes | None = None) -> Closed:
        self._out.append(responses.bye(text, code))
        return self._end(text)

    def _end(self, reason: str) -> Closed:
        if self._phase is not Phase.CLOSED:
            self._next_command()
            self._phase = Phase.CLOSED
            self._reason = reason
            self._input.clear()
        return Closed(self._reason)
