"""Commands on messages of the selected mailbox that are neither SEARCH, FETCH nor STORE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from malleposte.wire.imap.commands.base import Command, State
from malleposte.wire.imap.lexer import Reader, Tag
from malleposte.wire.imap.mailbox_names import MailboxName
from malleposte.wire.imap.sets import MessageSet


@dataclass(frozen=True, slots=True)
class Check(Command):
    """RFC 3501 §6.4.1; gone from rev2, still sent by clients. A NOOP."""

    NAMES: ClassVar = (b"CHECK",)
    STATES: ClassVar = State.SELECTED


@dataclass(frozen=True, slots=True)
class Expunge(Command):
    """RFC 9051 §6.4.3; with `uids` UID EXPUNGE, §6.4.9: only those of them marked \\Deleted."""

    NAMES: ClassVar = (b"EXPUNGE", b"UID EXPUNGE")
    STATES: ClassVar = State.SELECTED

    uids: MessageSet | None = None

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        if not args.uid:
            return cls(tag)
        args.space()
        return cls(tag, args.message_set())


@dataclass(frozen=True, slots=True)
class Transfer(Command):
    """What COPY and MOVE have in common. `messages` are UIDs where `uid` is true."""

    STATES: ClassVar = State.SELECTED

    uid: bool
    messages: MessageSet
    mailbox: MailboxName

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        messages = args.message_set()
        args.space()
        return cls(tag, args.uid, messages, args.mailbox())


@dataclass(frozen=True, slots=True)
class Copy(Transfer):
    """RFC 9051 §6.4.7, UID COPY §6.4.9."""

    NAMES: ClassVar = (b"COPY", b"UID COPY")


@dataclass(frozen=True, slots=True)
class Move(Transfer):
    """RFC 9051 §6.4.8, UID MOVE §6.4.9."""

    NAMES: ClassVar = (b"MOVE", b"UID MOVE")


COMMANDS = (Check, Expunge, Copy, Move)
