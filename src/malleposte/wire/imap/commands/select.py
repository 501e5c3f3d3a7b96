"""Opening and leaving a mailbox (RFC 9051 §6.3.2, §6.3.3, §6.4.1, §6.4.2; RFC 7162 §3.2.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from malleposte.wire.imap.commands.base import SIGNED_IN, Command, State
from malleposte.wire.imap.errors import CommandError
from malleposte.wire.imap.lexer import Reader, Tag
from malleposte.wire.imap.mailbox_names import MailboxName
from malleposte.wire.imap.sets import NumberSet, UidSet


@dataclass(frozen=True, slots=True)
class QResync:
    """RFC 7162 §3.2.5: what the client knows of the mailbox it selects.

    `known_uids` is None where the client left it out (it then means all). `matching` pairs
    sequence numbers with the UIDs they had, of equal count, to spare the server a long list.
    """

    uidvalidity: int
    modseq: int
    known_uids: UidSet | None = None
    matching: tuple[NumberSet, UidSet] | None = None

    @classmethod
    def parse(cls, args: Reader) -> Self:
        args.need(b"(", "the parameters of QRESYNC in parentheses")
        uidvalidity = args.nz_number("a UIDVALIDITY")
        args.space()
        modseq = args.mod_sequence("a mod-sequence")
        if modseq == 0:
            raise CommandError("Expected a mod-sequence, which is never 0")
        known: UidSet | None = None
        matching: tuple[NumberSet, UidSet] | None = None
        if args.at(b" "):
            args.space()
            if not args.at(b"("):
                known = args.uid_set()
            if known is None or args.at(b" "):
                if known is not None:
                    args.space()
                matching = cls._matching(args)
        args.need(b")", "the end of the parameters of QRESYNC")
        return cls(uidvalidity, modseq, known, matching)

    @staticmethod
    def _matching(args: Reader) -> tuple[NumberSet, UidSet]:
        args.need(b"(", "sequence match data in parentheses")
        numbers = args.uid_set()
        args.space()
        uids = args.uid_set()
        args.need(b")", "the end of the sequence match data")
        if numbers.count() != uids.count():
            raise CommandError("The two sets of the sequence match data differ in length")
        return numbers, uids


@dataclass(frozen=True, slots=True)
class OpenMailbox(Command):
    """What SELECT and EXAMINE have in common; `condstore` is RFC 7162 §3.1.8."""

    STATES: ClassVar = SIGNED_IN

    mailbox: MailboxName
    condstore: bool = False
    qresync: QResync | None = None

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        mailbox = args.mailbox()
        condstore = False
        qresync: QResync | None = None
        if args.at(b" ("):
            args.space()
            args.take(b"(")
            while True:
                name = args.keyword("CONDSTORE or QRESYNC")
                if name == b"CONDSTORE":
                    condstore = True
                elif name == b"QRESYNC" and qresync is None:
                    args.space()
                    qresync = QResync.parse(args)
                else:
                    raise CommandError("An unknown or repeated parameter of SELECT")
                if args.take(b")"):
                    break
                args.space()
        return cls(tag, mailbox, condstore, qresync)


@dataclass(frozen=True, slots=True)
class Select(OpenMailbox):
    """RFC 9051 §6.3.2."""

    NAMES: ClassVar = (b"SELECT",)


@dataclass(frozen=True, slots=True)
class Examine(OpenMailbox):
    """RFC 9051 §6.3.3: SELECT for reading only."""

    NAMES: ClassVar = (b"EXAMINE",)


@dataclass(frozen=True, slots=True)
class Close(Command):
    """RFC 9051 §6.4.1: expunge silently (not after EXAMINE), then leave."""

    NAMES: ClassVar = (b"CLOSE",)
    STATES: ClassVar = State.SELECTED


@dataclass(frozen=True, slots=True)
class Unselect(Command):
    """RFC 9051 §6.4.2: leave without expunging."""

    NAMES: ClassVar = (b"UNSELECT",)
    STATES: ClassVar = State.SELECTED


COMMANDS = (Select, Examine, Close, Unselect)
