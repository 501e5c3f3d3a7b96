"""The messages of one streaming command: announced, passed through in pieces, never held."""

from __future__ import annotations

from malleposte.wire.imap.commands.append import AppendOptions, StreamingCommand
from malleposte.wire.imap.errors import NO, CommandError, TooBig
from malleposte.wire.imap.events import AppendStart
from malleposte.wire.imap.input_buffer import InputBuffer
from malleposte.wire.imap.lexer import Reader
from malleposte.wire.imap.limits import Limits
from malleposte.wire.imap.literals import Announcement


class MessageStream:
    """Where a streaming command stands. `index` is -1 until a message was announced, then counts
    from 0; `left` are the octets of the current message that have not come."""

    __slots__ = ("_limits", "_utf8", "command", "index", "left", "waits")

    def __init__(self, command: StreamingCommand, limits: Limits) -> None:
        self.command = command
        self.index = -1
        self.left = 0
        self.waits = False
        self._utf8 = False
        self._limits = limits

    def announce(self, args: Reader, literal: Announcement) -> AppendStart:
        """The options before a literal, and the literal, which is the next message. Raises
        CommandError."""
        if self.index >= 0 and not self.command.SEVERAL:
            raise CommandError("This command takes one message")
        options = AppendOptions.parse(args)
        args.end()
        if options.utf8 and not literal.binary:
            raise CommandError("UTF8 takes a literal8 such as ~{12}")
        if literal.size > self._limits.append_bytes:
            raise TooBig(f"A message may hold {self._limits.append_bytes} octets at most", NO)
        if self.index + 1 >= self._limits.append_messages:
            most = self._limits.append_messages
            raise TooBig(f"A command takes at most {most} messages", NO, b"LIMIT")
        self.index += 1
        self.left = literal.size
        self.waits = literal.waits
        self._utf8 = options.utf8
        return AppendStart(
            self.command,
            self.index,
            literal.size,
            options.flags,
            options.date,
            literal.binary,
            options.utf8,
            literal.waits,
        )

    def take(self, source: InputBuffer) -> bytes:
        """The next octets of the message; b"" where none have come."""
        data = source.take(min(self.left, self._limits.append_chunk_bytes))
        self.left -= len(data)
        return data

    def behind(self, args: Reader) -> None:
        """Step over what closes the message that has come."""
        if self._utf8:
            args.need(b")", "the closing parenthesis of UTF8")
