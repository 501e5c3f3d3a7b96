"""APPEND: messages that stream in as literals (RFC 9051 §6.3.12).

A streaming command is read piece by piece, as its message must not be held in memory: the head up
to the first message, the options before each message, and what stands behind each.
MULTIAPPEND (RFC 3502), BINARY (RFC 3516 §4.4) and the UTF8 item are understood here; RFC 9755 has no
such item any more, RFC 6855 §4 had.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from malleposte.wire.imap.commands.base import SIGNED_IN, Command
from malleposte.wire.imap.errors import CommandError
from malleposte.wire.imap.flags import Flag
from malleposte.wire.imap.lexer import Reader, Tag
from malleposte.wire.imap.mailbox_names import MailboxName


@dataclass(frozen=True, slots=True)
class StreamingCommand(Command):
    """A command with message literals. `SEVERAL`: it may have more than one (RFC 3502)."""

    SEVERAL: ClassVar[bool] = False

    mailbox: MailboxName

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        raise CommandError("Expected a message as a literal")

    @classmethod
    def parse_head(cls, tag: Tag, args: Reader) -> Self | None:
        """Read the arguments before the options of the first message. None where they end too
        early: the literal announced at the end of `args` is then such an argument itself."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Append(StreamingCommand):
    """RFC 9051 §6.3.12. Its messages follow as `AppendStart`, `AppendData`, `AppendEnd`."""

    NAMES: ClassVar = (b"APPEND",)
    STATES: ClassVar = SIGNED_IN
    SEVERAL: ClassVar = True

    @classmethod
    def parse_head(cls, tag: Tag, args: Reader) -> Self | None:
        args.space()
        return None if args.at_end() else cls(tag, args.mailbox())


@dataclass(frozen=True, slots=True)
class AppendOptions:
    """What stands before a message literal. `utf8` means it is wrapped in `UTF8 (` … `)` (RFC 6855
    §4)."""

    flags: tuple[Flag, ...] = ()
    date: datetime | None = None
    utf8: bool = False

    @classmethod
    def parse(cls, args: Reader) -> Self:
        """From behind the mailbox (or the last message) to the literal, which is at the end."""
        flags: tuple[Flag, ...] = ()
        date: datetime | None = None
        utf8 = False
        args.space()
        if args.at(b"("):
            flags = args.flag_list()
            args.space()
        if args.at(b'"'):
            date = args.date_time()
            args.space()
        if args.text[args.position : args.position + 6].upper() == b"UTF8 (":
            args.position += 6
            utf8 = True
        return cls(flags, date, utf8)


COMMANDS = (Append,)
