"""STORE (RFC 9051 §6.4.6) with UNCHANGEDSINCE (RFC 7162 §3.1.3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Self

from malleposte.wire.imap.commands.base import Command, State
from malleposte.wire.imap.errors import CommandError
from malleposte.wire.imap.flags import Flag
from malleposte.wire.imap.lexer import Reader, Tag
from malleposte.wire.imap.sets import MessageSet


class StoreMode(Enum):
    """What happens to the flags named."""

    REPLACE = b"FLAGS"
    ADD = b"+FLAGS"
    REMOVE = b"-FLAGS"


_ITEMS = {
    mode.value + suffix: (mode, bool(suffix)) for mode in StoreMode for suffix in (b"", b".SILENT")
}


@dataclass(frozen=True, slots=True)
class Store(Command):
    """RFC 9051 §6.4.6, UID STORE §6.4.9. `unchanged_since` may be 0: then only messages whose
    metadata never changed are touched (RFC 7162 §3.1.3)."""

    NAMES: ClassVar = (b"STORE", b"UID STORE")
    STATES: ClassVar = State.SELECTED

    uid: bool
    messages: MessageSet
    mode: StoreMode
    silent: bool
    flags: tuple[Flag, ...]
    unchanged_since: int | None = None

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        messages = args.message_set()
        args.space()
        unchanged_since: int | None = None
        if args.take(b"("):
            if args.keyword("UNCHANGEDSINCE") != b"UNCHANGEDSINCE":
                raise CommandError("An unknown modifier of STORE")
            args.space()
            unchanged_since = args.mod_sequence("a mod-sequence")
            args.need(b")", "the end of the modifiers")
            args.space()
        item = _ITEMS.get(args.atom("FLAGS, +FLAGS or -FLAGS").upper())
        if item is None:
            raise CommandError("Expected FLAGS, +FLAGS or -FLAGS, with or without .SILENT")
        args.space()
        # §9 store-att-flags: the parentheses may be left out.
        flags = args.flag_list() if args.at(b"(") else args.flags_until(b"")
        return cls(tag, args.uid, messages, item[0], item[1], flags, unchanged_since)


COMMANDS = (Store,)
