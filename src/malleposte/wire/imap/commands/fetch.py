"""FETCH: which data of which messages (RFC 9051 §6.4.5).

Invariant: `Fetch.items` says all that must be answered, each once: macros are written out, UID is
there for UID FETCH (§6.4.9) and MODSEQ for CHANGEDSINCE (RFC 7162 §3.1.4.1).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import ClassVar, Final, NamedTuple, Self

from malleposte.wire.imap.commands.base import Command, State
from malleposte.wire.imap.commands.sections import Section, SectionText
from malleposte.wire.imap.errors import CommandError, TooBig
from malleposte.wire.imap.lexer import MAX_NUMBER64, Reader, Tag
from malleposte.wire.imap.limits import Limits
from malleposte.wire.imap.sets import MessageSet, PartialRange


class Attribute(Enum):
    """Items without arguments; the value is the name in the answer."""

    UID = b"UID"
    FLAGS = b"FLAGS"
    INTERNALDATE = b"INTERNALDATE"
    RFC822_SIZE = b"RFC822.SIZE"
    ENVELOPE = b"ENVELOPE"
    BODYSTRUCTURE = b"BODYSTRUCTURE"
    BODY = b"BODY"  # the structure without extension data
    MODSEQ = b"MODSEQ"  # RFC 7162 §3.1.4.2
    EMAILID = b"EMAILID"  # RFC 8474 §5.3
    THREADID = b"THREADID"
    SAVEDATE = b"SAVEDATE"  # RFC 8514 §4.3


Partial = tuple[int, int]
"""First octet, and how many at most."""


@dataclass(frozen=True, slots=True)
class Body:
    r"""`BODY[…]<…>` and what RFC 822 items of rev1 stand for.

    `label` is the name in the answer, the origin of a partial included. Without `peek` the answer
    sets `\Seen`.
    """

    section: Section
    partial: Partial | None
    peek: bool
    label: bytes


@dataclass(frozen=True, slots=True)
class Binary:
    """`BINARY[…]<…>`: a part with its transfer encoding undone (RFC 9051 §6.4.5.1, RFC 3516)."""

    part: tuple[int, ...]
    partial: Partial | None
    peek: bool
    label: bytes


@dataclass(frozen=True, slots=True)
class BinarySize:
    """`BINARY.SIZE[…]`."""

    part: tuple[int, ...]
    label: bytes


@dataclass(frozen=True, slots=True)
class Preview:
    """RFC 8970: the first words; with `lazy` only where they are at hand."""

    lazy: bool = False


FetchItem = Attribute | Body | Binary | BinarySize | Preview

_MACROS: Final = {
    b"FAST": (Attribute.FLAGS, Attribute.INTERNALDATE, Attribute.RFC822_SIZE),
    b"ALL": (
        Attribute.FLAGS,
        Attribute.INTERNALDATE,
        Attribute.RFC822_SIZE,
        Attribute.ENVELOPE,
    ),
    b"FULL": (
        Attribute.FLAGS,
        Attribute.INTERNALDATE,
        Attribute.RFC822_SIZE,
        Attribute.ENVELOPE,
        Attribute.BODY,
    ),
}
_ATTRIBUTES: Final = {attribute.value: attribute for attribute in Attribute}
_ITEM_NAME: Final = re.compile(rb"[A-Za-z0-9.]+")


def _partial(args: Reader) -> Partial | None:
    if not args.take(b"<"):
        return None
    first = args.number("the first octet", MAX_NUMBER64)
    args.need(b".", "a dot and the number of octets")
    count = args.number("the number of octets", MAX_NUMBER64)
    if count == 0:
        raise CommandError("Expected a number of octets, which is never 0")
    args.need(b">", "the end of the partial")
    return first, count


def _label(name: bytes, section: bytes, partial: Partial | None) -> bytes:
    # §7.5.2: the answer names the origin, not the length.
    origin = b"" if partial is None else b"<%d>" % partial[0]
    return b"%b[%b]%b" % (name, section, origin)


def _body(args: Reader, peek: bool) -> Body:
    section = Section.parse(args)
    partial = _partial(args)
    return Body(section, partial, peek, _label(b"BODY", bytes(section), partial))


def _binary(args: Reader, peek: bool) -> Binary:
    section = Section.parse_part(args)
    partial = _partial(args)
    return Binary(section.part, partial, peek, _label(b"BINARY", bytes(section), partial))


def _binary_size(args: Reader) -> BinarySize:
    section = Section.parse_part(args)
    return BinarySize(section.part, _label(b"BINARY.SIZE", bytes(section), None))


def _preview(args: Reader) -> Preview:
    if args.text[args.position : args.position + 7].upper() == b" (LAZY)":
        args.position += 7
        return Preview(lazy=True)
    return Preview()


_BRACKETED: Final[dict[bytes, Callable[[Reader], FetchItem]]] = {
    b"BODY": lambda args: _body(args, peek=False),
    b"BODY.PEEK": lambda args: _body(args, peek=True),
    b"BINARY": lambda args: _binary(args, peek=False),
    b"BINARY.PEEK": lambda args: _binary(args, peek=True),
    b"BINARY.SIZE": _binary_size,
}
"""Items with a section in brackets, read from the bracket on."""

_OTHER: Final[dict[bytes, Callable[[Reader], FetchItem]]] = {
    b"PREVIEW": _preview,
    # RFC 3501 §6.4.5: the three old names and what they stand for.
    b"RFC822": lambda _: Body(Section(), None, False, b"RFC822"),
    b"RFC822.HEADER": lambda _: Body(
        Section(text=SectionText.HEADER), None, True, b"RFC822.HEADER"
    ),
    b"RFC822.TEXT": lambda _: Body(Section(text=SectionText.TEXT), None, False, b"RFC822.TEXT"),
}
"""Items that have a parser of their own; an extension adds to it."""


def _item(args: Reader) -> FetchItem:
    match = _ITEM_NAME.match(args.text, args.position)
    if match is None:
        raise CommandError("Expected a FETCH item")
    name = match[0].upper()
    args.position = match.end()
    if args.at(b"["):
        parse = _BRACKETED.get(name)
    elif (attribute := _ATTRIBUTES.get(name)) is not None:
        return attribute
    else:
        parse = _OTHER.get(name)
    if parse is None:
        raise CommandError("An unknown FETCH item")
    return parse(args)


def _items(args: Reader) -> dict[FetchItem, None]:
    if not args.take(b"("):
        match = _ITEM_NAME.match(args.text, args.position)
        macro = _MACROS.get(match[0].upper()) if match else None
        if match and macro:
            args.position = match.end()
            return dict.fromkeys(macro)
        return {_item(args): None}
    items: dict[FetchItem, None] = {}
    args.take(b" ")  # some clients write `( UID FLAGS )`
    for _ in range(args.limits.fetch_items):
        items[_item(args)] = None
        if args.take(b")"):
            return items
        args.space()
        if args.take(b")"):
            return items
    raise TooBig("Too many FETCH items")


def fetch_items(args: Reader) -> tuple[FetchItem, ...]:
    """Items in parentheses, as NOTIFY has them (RFC 5465 §8)."""
    if not args.at(b"("):
        raise CommandError("Expected FETCH items in parentheses")
    return tuple(_items(args))


class _Wanted(NamedTuple):
    """All that follows the messages: items and modifiers."""

    items: tuple[FetchItem, ...]
    changed_since: int | None
    vanished: bool
    page: PartialRange | None


def _wanted(args: Reader) -> _Wanted:
    items = _items(args)
    changed_since: int | None = None
    vanished = False
    page: PartialRange | None = None
    if args.at(b" ("):
        args.position += 2
        while True:
            name = args.keyword("a modifier of FETCH")
            if name == b"CHANGEDSINCE" and changed_since is None:
                args.space()
                changed_since = args.mod_sequence("a mod-sequence")
            elif name == b"VANISHED":
                vanished = True
            elif name == b"PARTIAL" and page is None:
                if not args.uid:
                    raise CommandError("PARTIAL needs UID FETCH")  # RFC 9394 §3.3
                args.space()
                page = args.partial_range()
            else:
                raise CommandError("An unknown or repeated modifier of FETCH")
            if args.take(b")"):
                break
            args.space()
        # RFC 7162 §3.2.6
        if vanished and (not args.uid or changed_since is None):
            raise CommandError("VANISHED needs UID FETCH and CHANGEDSINCE")
    if args.uid and Attribute.UID not in items:
        items = {Attribute.UID: None, **items}
    if changed_since is not None:
        items[Attribute.MODSEQ] = None
    args.end()
    return _Wanted(tuple(items), changed_since, vanished, page)


_REMEMBERED_MAX: Final = 512
"""Longest list of items that is remembered; real ones have up to 300 octets."""


@lru_cache(maxsize=256)
def _remembered(text: bytes, uid: bool, limits: Limits) -> _Wanted:
    """A client asks for the same items all day: they are parsed once for all connections. What
    the text means depends on nothing else, and it names no user's data."""
    return _wanted(Reader(text, limits=limits, uid=uid))


@dataclass(frozen=True, slots=True)
class Fetch(Command):
    """RFC 9051 §6.4.5, UID FETCH §6.4.9; `changed_since` and `vanished` are RFC 7162 §3.1.4.1 and
    §3.2.6, `page` is RFC 9394 §3.3."""

    NAMES: ClassVar = (b"FETCH", b"UID FETCH")
    STATES: ClassVar = State.SELECTED

    uid: bool
    messages: MessageSet
    items: tuple[FetchItem, ...]
    changed_since: int | None = None
    vanished: bool = False
    page: PartialRange | None = None

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        messages = args.message_set()
        args.space()
        wanted = args.text[args.position :]
        if len(wanted) <= _REMEMBERED_MAX:
            found = _remembered(wanted, args.uid, args.limits)
            args.position = len(args.text)
        else:
            found = _wanted(args)
        return cls(tag, args.uid, messages, *found)


COMMANDS = (Fetch,)
