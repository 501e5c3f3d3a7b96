"""Messages that stream in: the literals of APPEND, MULTIAPPEND and REPLACE.

A message is announced, the service decides, and its octets go by as they come: none is gathered here.
Refused or broken off, what is on its way is thrown away before the tagged response.
"""

from __future__ import annotations

from malleposte.wire.imap import responses
from malleposte.wire.imap.conversation import STREAMING, Conversation, Phase
from malleposte.wire.imap.events import NEED_DATA, AppendData, AppendEnd, Event, Signal
from malleposte.wire.imap.input_buffer import Discard
from malleposte.wire.imap.lexer import Reader
from malleposte.wire.imap.literals import Announcement


class MessageLiterals(Conversation):
    """The part of the engine that takes messages. See `Connection`."""

    def accept_append(self) -> None:
        """Let the announced message come; `AppendData` follows."""
        if self._phase is not Phase.DECIDE or self._stream is None:
            raise RuntimeError("no message is announced")
        if self._stream.waits:
            self._out.append(responses.continuation("OK"))
        self._phase = Phase.MESSAGE

    def refuse_append(self, reply: bytes) -> None:
        """Break a streaming command off, at any time before its `AppendEnd`; `reply` is its whole
        tagged response. What is on its way is thrown away before `reply` is sent. The
        command is over with that: no `command_done`."""
        stream = self._stream
        if self._phase not in STREAMING or stream is None:
            raise RuntimeError("no message is announced")
        if self._phase is Phase.DECIDE and stream.waits:
            self._out.append(reply)
            self._next_command()
        else:
            self._throw_away(Discard(stream.left), reply, None)

    def _announce(self, args: Reader, literal: Announcement) -> Event:
        assert self._stream is not None
        start = self._stream.announce(args, literal)
        self._patience.good_command()
        self._phase = Phase.DECIDE
        return start

    def _read_message(self) -> Event | Signal | None:
        stream = self._stream
        assert stream is not None
        if not stream.left:
            self._phase = Phase.BEHIND
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
        self._phase = Phase.BUSY
        return AppendEnd(stream.command)
