"""SEARCH and UID SEARCH (RFC 9051 §6.4.4), with the result options of ESEARCH."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Self

from malleposte.wire.imap.commands.base import Command, State
from malleposte.wire.imap.commands.search_grammar import SearchReader, program, set_charset
from malleposte.wire.imap.commands.search_keys import SearchKey
from malleposte.wire.imap.errors import CommandError
from malleposte.wire.imap.lexer import Reader, Tag


class SearchReturn(Enum):
    """What of the result is wanted (§6.4.4, RFC 4731, RFC 5182)."""

    MIN = b"MIN"
    MAX = b"MAX"
    ALL = b"ALL"
    COUNT = b"COUNT"
    SAVE = b"SAVE"


_RETURNS = {option.value: option for option in SearchReturn}


def search_returns(args: Reader) -> frozenset[SearchReturn]:
    """`(MIN COUNT)`; an empty list means ALL (§6.4.4)."""
    args.need(b"(", "a list of result options in parentheses")
    found: set[SearchReturn] = set()
    first = True
    while not args.take(b")"):
        if not first:
            args.space()
        first = False
        option = _RETURNS.get(args.keyword("a result option"))
        if option is None:
            raise CommandError("An unknown result option of SEARCH")
        found.add(option)
    return frozenset(found or {SearchReturn.ALL})


@dataclass(frozen=True, slots=True)
class Search(Command):
    """RFC 9051 §6.4.4, UID SEARCH §6.4.9. `returns` is None where no RETURN was given: a rev1
    session is then answered by SEARCH, a rev2 session by ESEARCH ALL."""

    NAMES: ClassVar = (b"SEARCH", b"UID SEARCH")
    STATES: ClassVar = State.SELECTED

    uid: bool
    key: SearchKey
    returns: frozenset[SearchReturn] | None = None

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        returns: frozenset[SearchReturn] | None = None
        if args.text[args.position : args.position + 7].upper() == b"RETURN ":
            args.position += 7
            returns = search_returns(args)
            args.space()
        reader = SearchReader(args)
        if args.text[args.position : args.position + 8].upper() == b"CHARSET ":
            args.position += 8
            set_charset(reader, args.astring("a charset"))
            args.space()
        return cls(tag, args.uid, program(reader), returns)


COMMANDS = (Search,)
