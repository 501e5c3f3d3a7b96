"""GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208 §4.1, RFC 2087 §4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from malleposte.wire.imap.commands.base import SIGNED_IN, Command
from malleposte.wire.imap.commands.mailbox import MailboxCommand
from malleposte.wire.imap.errors import TooBig
from malleposte.wire.imap.lexer import MAX_NUMBER64, Reader, Tag


def quota_root(args: Reader) -> str:
    """The name of a quota root: any string, often empty (RFC 9208 §3.2)."""
    raw = args.astring("the name of a quota root")
    if len(raw) > args.limits.mailbox_bytes:
        raise TooBig("The name of a quota root is too long")
    return args.text_of(raw, "the name of a quota root")


@dataclass(frozen=True, slots=True)
class GetQuota(Command):
    """RFC 9208 §4.1.1."""

    NAMES: ClassVar = (b"GETQUOTA",)
    STATES: ClassVar = SIGNED_IN

    root: str

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        return cls(tag, quota_root(args))


@dataclass(frozen=True, slots=True)
class GetQuotaRoot(MailboxCommand):
    """RFC 9208 §4.1.2; the mailbox need not exist."""

    NAMES: ClassVar = (b"GETQUOTAROOT",)


@dataclass(frozen=True, slots=True)
class SetQuota(Command):
    """RFC 9208 §4.1.3. `limits` are resource names in upper case with what is asked for, in their
    own units; none asks for no limits at all."""

    NAMES: ClassVar = (b"SETQUOTA",)
    STATES: ClassVar = SIGNED_IN

    root: str
    limits: tuple[tuple[bytes, int], ...] = ()

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        root = quota_root(args)
        args.space()
        args.need(b"(", "a list of limits in parentheses")
        limits: list[tuple[bytes, int]] = []
        while not args.take(b")"):
            if limits:
                args.space()
            name = args.atom("the name of a resource").upper()
            args.space()
            limits.append((name, args.number("a limit", MAX_NUMBER64)))
            if len(limits) > args.limits.quota_resources:
                raise TooBig("Too many limits in one command")
        return cls(tag, root, tuple(limits))


COMMANDS = (GetQuota, GetQuotaRoot, SetQuota)
