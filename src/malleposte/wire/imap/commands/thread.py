"""THREAD and UID THREAD (RFC 5256 §3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Self

from malleposte.wire.imap.commands.base import Command, State
from malleposte.wire.imap.commands.search_grammar import criteria
from malleposte.wire.imap.commands.search_keys import SearchKey
from malleposte.wire.imap.errors import CommandError
from malleposte.wire.imap.lexer import Reader, Tag


class ThreadAlgorithm(Enum):
    """How messages are made trees of; each has its capability `THREAD=…`."""

    ORDEREDSUBJECT = b"ORDEREDSUBJECT"
    REFERENCES = b"REFERENCES"


_ALGORITHMS = {algorithm.value: algorithm for algorithm in ThreadAlgorithm}


@dataclass(frozen=True, slots=True)
class Thread(Command):
    """RFC 5256 §3 BASE.6.4.THREAD."""

    NAMES: ClassVar = (b"THREAD", b"UID THREAD")
    STATES: ClassVar = State.SELECTED

    uid: bool
    algorithm: ThreadAlgorithm
    key: SearchKey

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        algorithm = _ALGORITHMS.get(args.keyword("a threading algorithm"))
        if algorithm is None:
            raise CommandError("An unknown threading algorithm")
        args.space()
        charset = args.astring("a charset")
        args.space()
        return cls(tag, args.uid, algorithm, criteria(args, charset))


COMMANDS = (Thread,)
