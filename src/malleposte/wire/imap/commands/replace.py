"""REPLACE: a message takes the place of another (RFC 8508)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from malleposte.wire.imap.commands.append import StreamingCommand
from malleposte.wire.imap.commands.base import State
from malleposte.wire.imap.lexer import Reader, Tag
from malleposte.wire.imap.sets import MAX_NUMBER, SequenceSet


@dataclass(frozen=True, slots=True)
class Replace(StreamingCommand):
    """RFC 8508 §3.2, UID REPLACE §3.3. `message` is one number, or `*`; a UID where `uid` is true.

    The message that comes follows as with APPEND; a second one is BAD (§4.7).
    """

    NAMES: ClassVar = (b"REPLACE", b"UID REPLACE")
    STATES: ClassVar = State.SELECTED

    uid: bool
    message: SequenceSet

    @classmethod
    def parse_head(cls, tag: Tag, args: Reader) -> Self | None:
        args.space()
        if args.take(b"*"):
            message = SequenceSet((), MAX_NUMBER)
        else:
            number = args.nz_number("the number of one message")
            message = SequenceSet(((number, number),))
        args.space()
        return None if args.at_end() else cls(tag, args.mailbox(), args.uid, message)


COMMANDS = (Replace,)
