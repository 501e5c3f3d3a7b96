"""COMPRESS (RFC 4978)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from malleposte.wire.imap.commands.base import SIGNED_IN, Command
from malleposte.wire.imap.lexer import Reader, Tag


@dataclass(frozen=True, slots=True)
class Compress(Command):
    """RFC 4978 §3. `algorithm` in upper case. All that comes behind the command is compressed if the
    service says OK, so that a client sends nothing before: see `Connection.unread`."""

    NAMES: ClassVar = (b"COMPRESS",)
    STATES: ClassVar = SIGNED_IN

    algorithm: bytes

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        return cls(tag, args.keyword("an algorithm such as DEFLATE"))


COMMANDS = (Compress,)
