"""GETMETADATA and SETMETADATA (RFC 5464 §4.2, §4.3), and the names of entries.

A name is a path below `/private` or `/shared`. It is written in any case and means the same
(§3.1); commands hold names as the client wrote them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from malleposte.wire.imap import codes
from malleposte.wire.imap.commands.base import SIGNED_IN, Command
from malleposte.wire.imap.errors import NO, CommandError, TooBig
from malleposte.wire.imap.lexer import Reader, Tag
from malleposte.wire.imap.limits import Limits
from malleposte.wire.imap.mailbox_names import MailboxName

PRIVATE: Final = "/private"
SHARED: Final = "/shared"

# §3.1: no empty component, none of * and %, no 8-bit, no control characters.
_ENTRY: Final = re.compile(rb"/(?:private|shared)(?:/[ !-$&-)+-.0-~]+)*", re.IGNORECASE | re.ASCII)
# In the examples of §4.2.1 options stand behind the mailbox, in the grammar (§5) before it.
_OPTIONS: Final = re.compile(rb"\((?:DEPTH|MAXSIZE) ", re.IGNORECASE)

INFINITE: Final = -1
"""DEPTH infinity."""


def entry(args: Reader) -> str:
    """The name of an entry, as the client wrote it; of a tree of entries too (`/private`)."""
    raw = args.astring("the name of an entry")
    if len(raw) > args.limits.entry_bytes:
        raise TooBig("The name of an entry is too long")
    if _ENTRY.fullmatch(raw) is None:
        raise CommandError(
            "The name of an entry begins with /private/ or /shared/, has no empty part, no wildcard"
            " and nothing but ASCII"
        )
    return raw.decode("ascii")


def entries(args: Reader) -> tuple[str, ...]:
    """One entry or several in parentheses, each once, in the order asked (RFC 5464 §5)."""
    if not args.take(b"("):
        return (entry(args),)
    found: dict[str, str] = {}
    while True:
        name = entry(args)
        found.setdefault(name.lower(), name)
        if len(found) > args.limits.entries:
            raise TooBig("Too many entries in one command")
        if args.take(b")"):
            return tuple(found.values())
        args.space()


@dataclass(frozen=True, slots=True)
class GetMetadata(Command):
    """RFC 5464 §4.2. `mailbox` is empty for the server itself. `depth`: levels below each entry that
    are asked for too, 0, 1 or `INFINITE`. `max_size`: octets; larger values are not to be sent."""

    NAMES: ClassVar = (b"GETMETADATA",)
    STATES: ClassVar = SIGNED_IN

    mailbox: MailboxName
    entries: tuple[str, ...]
    depth: int = 0
    max_size: int | None = None

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        options: tuple[int, int | None] | None = None
        if args.at(b"("):
            options = cls._options(args)
            args.space()
        mailbox = args.mailbox()
        args.space()
        if options is None and _OPTIONS.match(args.text, args.position):
            options = cls._options(args)
            args.space()
        depth, max_size = options or (0, None)
        return cls(tag, mailbox, entries(args), depth, max_size)

    @staticmethod
    def _options(args: Reader) -> tuple[int, int | None]:
        args.need(b"(", "a list of options in parentheses")
        depth, max_size = 0, None
        while True:
            name = args.keyword("an option of GETMETADATA")
            args.space()
            if name == b"DEPTH":
                depth = _depth(args)
            elif name == b"MAXSIZE":
                max_size = args.number("a size")
            else:
                raise CommandError("An unknown option of GETMETADATA")
            if args.take(b")"):
                return depth, max_size
            args.space()


def _depth(args: Reader) -> int:
    depth = {b"0": 0, b"1": 1, b"INFINITY": INFINITE}.get(args.keyword("a depth"))
    if depth is None:
        raise CommandError("DEPTH is 0, 1 or infinity")
    return depth


@dataclass(frozen=True, slots=True)
class SetMetadata(Command):
    """RFC 5464 §4.3. `mailbox` is empty for the server itself. `values`: names, each once, with what
    they are to hold; None removes an entry."""

    NAMES: ClassVar = (b"SETMETADATA",)
    STATES: ClassVar = SIGNED_IN

    mailbox: MailboxName
    values: tuple[tuple[str, bytes | None], ...]

    @classmethod
    def too_long(cls, limits: Limits) -> TooBig:
        """§4.3: how large a value may be."""
        words = f"A value may hold {limits.string_bytes} octets at most"
        return TooBig(words, NO, codes.metadata_max_size(limits.string_bytes))

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        mailbox = args.mailbox()
        args.space()
        args.need(b"(", "a list of entries and values in parentheses")
        found: dict[str, tuple[str, bytes | None]] = {}
        while True:
            name = entry(args)
            if name.count("/") < 2:
                raise CommandError("An entry stands below /private or /shared")
            args.space()
            found[name.lower()] = (name, cls._value(args))
            if len(found) > args.limits.entries:
                raise TooBig("Too many entries in one command")
            if args.take(b")"):
                return cls(tag, mailbox, tuple(found.values()))
            args.space()

    @classmethod
    def _value(cls, args: Reader) -> bytes | None:
        try:
            return args.nstring("a value, or NIL")
        except TooBig:
            raise cls.too_long(args.limits) from None


COMMANDS = (GetMetadata, SetMetadata)
