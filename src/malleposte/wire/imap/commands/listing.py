"""LIST with all of its extended syntax, LSUB, NAMESPACE and STATUS (RFC 9051 §6.3.9 to §6.3.11)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Self

from malleposte.wire.imap.commands.base import SIGNED_IN, Command
from malleposte.wire.imap.commands.metadata import entries
from malleposte.wire.imap.errors import CommandError, TooBig
from malleposte.wire.imap.lexer import Reader, Tag
from malleposte.wire.imap.mailbox_names import MailboxName, canonical


class StatusItem(Enum):
    """What STATUS can tell (RFC 9051 §6.3.11); the value is the name on the wire."""

    MESSAGES = b"MESSAGES"
    UIDNEXT = b"UIDNEXT"
    UIDVALIDITY = b"UIDVALIDITY"
    UNSEEN = b"UNSEEN"
    DELETED = b"DELETED"
    SIZE = b"SIZE"
    RECENT = b"RECENT"  # RFC 3501 §6.3.10
    HIGHESTMODSEQ = b"HIGHESTMODSEQ"  # RFC 7162 §3.1.7
    APPENDLIMIT = b"APPENDLIMIT"  # RFC 7889 §4
    MAILBOXID = b"MAILBOXID"  # RFC 8474 §4.3
    DELETED_STORAGE = b"DELETED-STORAGE"  # RFC 9208 §4.1.3


class ListSelection(Enum):
    """Which mailboxes LIST names (RFC 5258 §3.1, RFC 6154 §5.2)."""

    SUBSCRIBED = b"SUBSCRIBED"
    REMOTE = b"REMOTE"
    RECURSIVEMATCH = b"RECURSIVEMATCH"
    SPECIAL_USE = b"SPECIAL-USE"


class ListReturn(Enum):
    """What LIST says of each mailbox besides its name (RFC 5258 §3.2, RFC 6154, RFC 8440)."""

    SUBSCRIBED = b"SUBSCRIBED"
    CHILDREN = b"CHILDREN"
    SPECIAL_USE = b"SPECIAL-USE"
    MYRIGHTS = b"MYRIGHTS"


_STATUS_ITEMS = {item.value: item for item in StatusItem}
_SELECTIONS = {item.value: item for item in ListSelection}
_RETURNS = {item.value: item for item in ListReturn}


def status_items(args: Reader) -> tuple[StatusItem, ...]:
    """`(MESSAGES UNSEEN)`, each once, in the order asked."""
    args.need(b"(", "a list of status items in parentheses")
    items: dict[StatusItem, None] = {}
    while True:
        item = _STATUS_ITEMS.get(args.keyword("a status item"))
        if item is None:
            raise CommandError("An unknown status item")
        items[item] = None
        if args.take(b")"):
            return tuple(items)
        args.space()
        if args.take(b")"):
            return tuple(items)


@dataclass(frozen=True, slots=True)
class List(Command):
    """RFC 9051 §6.3.9; RFC 5258, RFC 5819 (STATUS), RFC 6154 (SPECIAL-USE), RFC 8440 (MYRIGHTS),
    RFC 9590 (METADATA).

    `extended` is true where any part of the extended syntax was used: then an empty pattern
    names nothing, while the basic `LIST "" ""` asks for the separator. `status` is empty unless
    RETURN (STATUS …) was given, `metadata` (names of entries) unless RETURN (METADATA …) was. Names
    are text; % and * in `patterns` are wildcards.
    """

    NAMES: ClassVar = (b"LIST",)
    STATES: ClassVar = SIGNED_IN

    reference: str
    patterns: tuple[str, ...]
    selection: frozenset[ListSelection] = frozenset()
    returns: frozenset[ListReturn] = frozenset()
    status: tuple[StatusItem, ...] = ()
    extended: bool = False
    metadata: tuple[str, ...] = ()

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        extended = False
        selection: frozenset[ListSelection] = frozenset()
        if args.take(b"("):
            extended = True
            selection = cls._selection(args)
            args.space()
        reference = canonical(args.mailbox_pattern())
        args.space()
        patterns: tuple[str, ...]
        if args.take(b"("):
            extended = True
            patterns = cls._patterns(args)
        else:
            patterns = (args.mailbox_pattern(),)
        returns: frozenset[ListReturn] = frozenset()
        status: tuple[StatusItem, ...] = ()
        metadata: tuple[str, ...] = ()
        if args.at(b" ") and args.text[args.position :].strip(b" "):
            extended = True
            args.space()
            if args.keyword("RETURN") != b"RETURN":
                raise CommandError("Expected RETURN")
            args.space()
            returns, status, metadata = cls._returns(args)
        return cls(tag, reference, patterns, selection, returns, status, extended, metadata)

    @staticmethod
    def _selection(args: Reader) -> frozenset[ListSelection]:
        found: set[ListSelection] = set()
        while not args.take(b")"):
            if found:
                args.space()
            option = _SELECTIONS.get(args.keyword("a selection option"))
            if option is None:
                raise CommandError("An unknown selection option of LIST")
            found.add(option)
        # RFC 5258 §3.1: RECURSIVEMATCH needs another option that selects; REMOTE does not.
        if ListSelection.RECURSIVEMATCH in found and not found & {
            ListSelection.SUBSCRIBED,
            ListSelection.SPECIAL_USE,
        }:
            raise CommandError("RECURSIVEMATCH needs another selection option")
        return frozenset(found)

    @staticmethod
    def _patterns(args: Reader) -> tuple[str, ...]:
        patterns = [args.mailbox_pattern()]
        while not args.take(b")"):
            args.space()
            patterns.append(args.mailbox_pattern())
            if len(patterns) > args.limits.list_patterns:
                raise TooBig("Too many patterns in one LIST")
        return tuple(patterns)

    @staticmethod
    def _returns(
        args: Reader,
    ) -> tuple[frozenset[ListReturn], tuple[StatusItem, ...], tuple[str, ...]]:
        args.need(b"(", "a list of return options in parentheses")
        found: set[ListReturn] = set()
        status: tuple[StatusItem, ...] = ()
        metadata: tuple[str, ...] = ()
        first = True
        while not args.take(b")"):
            if not first:
                args.space()
            first = False
            name = args.keyword("a return option")
            if name == b"STATUS":
                args.space()
                status = status_items(args)
                continue
            if name == b"METADATA":
                args.space()
                metadata = entries(args)
                continue
            option = _RETURNS.get(name)
            if option is None:
                raise CommandError("An unknown return option of LIST")
            found.add(option)
        return frozenset(found), status, metadata


@dataclass(frozen=True, slots=True)
class Lsub(Command):
    """RFC 3501 §6.3.9."""

    NAMES: ClassVar = (b"LSUB",)
    STATES: ClassVar = SIGNED_IN

    reference: str
    pattern: str

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        reference = canonical(args.mailbox_pattern())
        args.space()
        return cls(tag, reference, args.mailbox_pattern())


@dataclass(frozen=True, slots=True)
class Namespace(Command):
    """RFC 9051 §6.3.10."""

    NAMES: ClassVar = (b"NAMESPACE",)
    STATES: ClassVar = SIGNED_IN


@dataclass(frozen=True, slots=True)
class Status(Command):
    """RFC 9051 §6.3.11."""

    NAMES: ClassVar = (b"STATUS",)
    STATES: ClassVar = SIGNED_IN

    mailbox: MailboxName
    items: tuple[StatusItem, ...]

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        mailbox = args.mailbox()
        args.space()
        return cls(tag, mailbox, status_items(args))


COMMANDS = (List, Lsub, Namespace, Status)
