"""Creating, deleting, renaming and subscribing mailboxes (RFC 9051 §6.3.4 to §6.3.8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from malleposte.wire.imap.commands.base import SIGNED_IN, Command
from malleposte.wire.imap.errors import CommandError, TooBig
from malleposte.wire.imap.lexer import Reader, Tag
from malleposte.wire.imap.mailbox_names import MailboxName


@dataclass(frozen=True, slots=True)
class MailboxCommand(Command):
    """A command whose one argument is a mailbox."""

    STATES: ClassVar = SIGNED_IN

    mailbox: MailboxName

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        return cls(tag, args.mailbox())


@dataclass(frozen=True, slots=True)
class Create(Command):
    r"""RFC 9051 §6.3.4. A separator at the end of `mailbox` only announces children.

    `special_uses` are those asked for by `USE` (RFC 6154 §3), such as `\Sent`, as written; an
    unknown one is answered NO [USEATTR] by the service.
    """

    NAMES: ClassVar = (b"CREATE",)
    STATES: ClassVar = SIGNED_IN

    mailbox: MailboxName
    special_uses: tuple[str, ...] = ()

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        mailbox = args.mailbox()
        uses: tuple[str, ...] = ()
        if args.at(b" ("):
            args.space()
            args.take(b"(")
            while True:
                # RFC 4466 §2.2: further parameters would stand here.
                if args.keyword("USE") != b"USE":
                    raise CommandError("An unknown parameter of CREATE")
                args.space()
                uses += cls._uses(args)
                if args.take(b")"):
                    break
                args.space()
        return cls(tag, mailbox, uses)

    @staticmethod
    def _uses(args: Reader) -> tuple[str, ...]:
        args.need(b"(", "a list of special uses in parentheses")
        uses: list[str] = []
        while not args.take(b")"):
            if uses:
                args.space()
            args.need(b"\\", "a special use such as \\Sent")
            uses.append("\\" + args.atom("a special use").decode("ascii"))
            if len(uses) > args.limits.flags:
                raise TooBig("Too many special uses")
        return tuple(uses)


@dataclass(frozen=True, slots=True)
class Delete(MailboxCommand):
    """RFC 9051 §6.3.5."""

    NAMES: ClassVar = (b"DELETE",)


@dataclass(frozen=True, slots=True)
class Rename(Command):
    """RFC 9051 §6.3.6; renaming INBOX moves its messages away and leaves it empty."""

    NAMES: ClassVar = (b"RENAME",)
    STATES: ClassVar = SIGNED_IN

    mailbox: MailboxName
    new_name: MailboxName

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        mailbox = args.mailbox()
        args.space()
        return cls(tag, mailbox, args.mailbox())


@dataclass(frozen=True, slots=True)
class Subscribe(MailboxCommand):
    """RFC 9051 §6.3.7."""

    NAMES: ClassVar = (b"SUBSCRIBE",)


@dataclass(frozen=True, slots=True)
class Unsubscribe(MailboxCommand):
    """RFC 9051 §6.3.8."""

    NAMES: ClassVar = (b"UNSUBSCRIBE",)


COMMANDS = (Create, Delete, Rename, Subscribe, Unsubscribe)
