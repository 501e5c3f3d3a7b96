"""SORT and UID SORT (RFC 5256 §3, RFC 5957), with result options (ESORT, RFC 5267 §3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, NamedTuple, Self

from malleposte.wire.imap.commands.base import Command, State
from malleposte.wire.imap.commands.search import Returns, optional_returns
from malleposte.wire.imap.commands.search_grammar import criteria
from malleposte.wire.imap.commands.search_keys import SearchKey
from malleposte.wire.imap.errors import CommandError, TooBig
from malleposte.wire.imap.lexer import Reader, Tag
from malleposte.wire.imap.sets import PartialRange


class SortKey(Enum):
    """By what messages are sorted. Addresses: by the local part of the first, or by what of it is
    displayed."""

    ARRIVAL = b"ARRIVAL"  # INTERNALDATE
    CC = b"CC"
    DATE = b"DATE"  # the Date field, or INTERNALDATE without one (§2.2)
    FROM = b"FROM"
    SIZE = b"SIZE"
    SUBJECT = b"SUBJECT"  # the base subject (§2.1)
    TO = b"TO"
    DISPLAYFROM = b"DISPLAYFROM"  # RFC 5957 §4
    DISPLAYTO = b"DISPLAYTO"


_KEYS = {key.value: key for key in SortKey}


class Criterion(NamedTuple):
    """One of the things messages are sorted by, in falling order with `reverse`."""

    key: SortKey
    reverse: bool = False


def sort_criteria(args: Reader) -> tuple[Criterion, ...]:
    """`(SUBJECT REVERSE DATE)`, the most important first."""
    args.need(b"(", "a list of sort criteria in parentheses")
    found: list[Criterion] = []
    while True:
        word = args.keyword("a sort criterion")
        reverse = word == b"REVERSE"
        if reverse:
            args.space()
            word = args.keyword("a sort criterion behind REVERSE")
        key = _KEYS.get(word)
        if key is None:
            raise CommandError("An unknown sort criterion")
        found.append(Criterion(key, reverse))
        if args.take(b")"):
            return tuple(found)
        if len(found) >= args.limits.sort_criteria:
            raise TooBig("Too many sort criteria")
        args.space()


@dataclass(frozen=True, slots=True)
class Sort(Command):
    """RFC 5256 §3 BASE.6.4.SORT. `returns` is None where no RETURN was given: the answer is SORT
    then, and ESEARCH otherwise."""

    NAMES: ClassVar = (b"SORT", b"UID SORT")
    STATES: ClassVar = State.SELECTED

    uid: bool
    criteria: tuple[Criterion, ...]
    key: SearchKey
    returns: Returns | None = None
    page: PartialRange | None = None

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        returns, page = optional_returns(args)
        wanted = sort_criteria(args)
        args.space()
        charset = args.astring("a charset")
        args.space()
        return cls(tag, args.uid, wanted, criteria(args, charset), returns, page)


COMMANDS = (Sort,)
