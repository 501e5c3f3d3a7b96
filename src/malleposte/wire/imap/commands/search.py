"""SEARCH and UID SEARCH (RFC 9051 §6.4.4), with the result options of ESEARCH and PARTIAL.

What SORT and THREAD share with it stands here too: result options and where charsets stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Self

from malleposte.wire.imap.commands.base import Command, State
from malleposte.wire.imap.commands.search_grammar import criteria
from malleposte.wire.imap.commands.search_keys import SearchKey
from malleposte.wire.imap.errors import CommandError
from malleposte.wire.imap.lexer import Reader, Tag
from malleposte.wire.imap.sets import PartialRange


class SearchReturn(Enum):
    """What of the result is wanted (§6.4.4, RFC 4731, RFC 5182, RFC 9394)."""

    MIN = b"MIN"
    MAX = b"MAX"
    ALL = b"ALL"
    COUNT = b"COUNT"
    SAVE = b"SAVE"
    PARTIAL = b"PARTIAL"


_RETURNS = {option.value: option for option in SearchReturn}

Returns = frozenset[SearchReturn]


def search_returns(args: Reader) -> tuple[Returns, PartialRange | None]:
    """`(MIN PARTIAL 1:50)`; an empty list means ALL (§6.4.4). The range is PARTIAL's."""
    args.need(b"(", "a list of result options in parentheses")
    found: set[SearchReturn] = set()
    page: PartialRange | None = None
    first = True
    while not args.take(b")"):
        if not first:
            args.space()
        first = False
        option = _RETURNS.get(args.keyword("a result option"))
        if option is None:
            raise CommandError("An unknown result option of SEARCH")
        if option is SearchReturn.PARTIAL:
            if page is not None:
                raise CommandError("PARTIAL may be given once")
            args.space()
            page = args.partial_range()
        found.add(option)
    if {SearchReturn.ALL, SearchReturn.PARTIAL} <= found:
        raise CommandError("ALL and PARTIAL exclude each other")  # RFC 9394 §3.1
    return frozenset(found or {SearchReturn.ALL}), page


def optional_returns(args: Reader) -> tuple[Returns | None, PartialRange | None]:
    """`RETURN (…) ` if it stands here; None where it does not."""
    if args.text[args.position : args.position + 7].upper() != b"RETURN ":
        return None, None
    args.position += 7
    returns, page = search_returns(args)
    args.space()
    return returns, page


@dataclass(frozen=True, slots=True)
class Search(Command):
    """RFC 9051 §6.4.4, UID SEARCH §6.4.9. `returns` is None where no RETURN was given: a rev1
    session is then answered by SEARCH, a rev2 session by ESEARCH ALL. `page` is there where
    `returns` has PARTIAL."""

    NAMES: ClassVar = (b"SEARCH", b"UID SEARCH")
    STATES: ClassVar = State.SELECTED

    uid: bool
    key: SearchKey
    returns: Returns | None = None
    page: PartialRange | None = None

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        returns, page = optional_returns(args)
        charset: bytes | None = None
        if args.text[args.position : args.position + 8].upper() == b"CHARSET ":
            args.position += 8
            charset = args.astring("a charset")
            args.space()
        return cls(tag, args.uid, criteria(args, charset), returns, page)


COMMANDS = (Search,)
