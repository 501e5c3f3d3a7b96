"""Who may do what in a mailbox: SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS (RFC 4314 §3).

Whom an identifier means is the service's to find out; here it is text.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import ClassVar, Self

from malleposte.wire.imap import rights
from malleposte.wire.imap.commands.base import SIGNED_IN, Command
from malleposte.wire.imap.commands.mailbox import MailboxCommand
from malleposte.wire.imap.errors import CommandError, TooBig
from malleposte.wire.imap.lexer import Reader, Tag
from malleposte.wire.imap.mailbox_names import MailboxName


def _identifier(args: Reader) -> str:
    """§3: what cannot be prepared is BAD. What SASLprep maps besides, the directory does."""
    what = "an identifier"
    raw = args.astring(what)
    if len(raw) > args.limits.atom_bytes:
        raise TooBig("An identifier is too long")
    name = args.text_of(raw, what)
    if not name.strip() or any(unicodedata.category(char) in {"Cc", "Cs"} for char in name):
        raise CommandError("An identifier cannot be empty, nor hold control characters")
    return name


def _change(args: Reader) -> tuple[str, str]:
    """Mode and letters of `+lrs`."""
    what = "rights such as lrs"
    text = args.text_of(args.astring(what), what)
    mode = text[:1] if text[:1] in {"+", "-"} else "="
    text = text.removeprefix(mode)
    if any("A" <= letter <= "Z" for letter in text):
        raise CommandError("Rights are written in lower case")  # §2
    letters = rights.expanded(text)
    if letters is None:
        raise CommandError(f"Rights are the letters {rights.LETTERS}, and c and d")  # §3.1
    return mode, letters


@dataclass(frozen=True, slots=True)
class SetAcl(Command):
    """RFC 4314 §3.1. `mode` is `=`, `+` or `-`; `letters` are standard ones, `c` and `d` expanded."""

    NAMES: ClassVar = (b"SETACL",)
    STATES: ClassVar = SIGNED_IN

    mailbox: MailboxName
    identifier: str
    mode: str
    letters: str

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        mailbox = args.mailbox()
        args.space()
        identifier = _identifier(args)
        args.space()
        return cls(tag, mailbox, identifier, *_change(args))


@dataclass(frozen=True, slots=True)
class _OfIdentifier(Command):
    """A command whose arguments are a mailbox and an identifier."""

    STATES: ClassVar = SIGNED_IN

    mailbox: MailboxName
    identifier: str

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        mailbox = args.mailbox()
        args.space()
        return cls(tag, mailbox, _identifier(args))


@dataclass(frozen=True, slots=True)
class DeleteAcl(_OfIdentifier):
    """RFC 4314 §3.2."""

    NAMES: ClassVar = (b"DELETEACL",)


@dataclass(frozen=True, slots=True)
class ListRights(_OfIdentifier):
    """RFC 4314 §3.4. The answer repeats `identifier` as it was written."""

    NAMES: ClassVar = (b"LISTRIGHTS",)


@dataclass(frozen=True, slots=True)
class GetAcl(MailboxCommand):
    """RFC 4314 §3.3."""

    NAMES: ClassVar = (b"GETACL",)


@dataclass(frozen=True, slots=True)
class MyRights(MailboxCommand):
    """RFC 4314 §3.5."""

    NAMES: ClassVar = (b"MYRIGHTS",)


COMMANDS = (SetAcl, DeleteAcl, GetAcl, ListRights, MyRights)
