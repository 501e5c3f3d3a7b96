"""Commands before sign-in (RFC 9051 §6.2). Secrets never show in a repr."""

from __future__ import annotations

import binascii
from dataclasses import dataclass, field
from typing import ClassVar, Self

from malleposte.wire.imap.commands.base import Command, State
from malleposte.wire.imap.errors import CommandError
from malleposte.wire.imap.lexer import Reader, Tag


def decode_base64(text: bytes) -> bytes:
    """Base64 of a SASL exchange; raises CommandError (RFC 9051 §6.2.2: BAD)."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        raise CommandError("Expected base64") from None


@dataclass(frozen=True, slots=True)
class StartTls(Command):
    """RFC 9051 §6.2.1. The service answers OK, starts TLS and calls `Connection.tls_started`."""

    NAMES: ClassVar = (b"STARTTLS",)
    STATES: ClassVar = State.NOT_AUTHENTICATED


@dataclass(frozen=True, slots=True)
class Authenticate(Command):
    """RFC 9051 §6.2.2. `mechanism` in upper case; `initial` is the decoded initial response
    (RFC 4959), b"" for `=`, None where none was sent. The service drives the mechanism: it sends
    challenges by `Connection.challenge` and reads `AuthResponse` events."""

    NAMES: ClassVar = (b"AUTHENTICATE",)
    STATES: ClassVar = State.NOT_AUTHENTICATED

    mechanism: str
    initial: bytes | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        mechanism = args.keyword("a SASL mechanism").decode("ascii")
        if len(mechanism) > 20:  # RFC 4422 §3.1
            raise CommandError("Expected a SASL mechanism")
        if args.at_end():
            return cls(tag, mechanism)
        args.space()
        if args.at_end():
            return cls(tag, mechanism)
        if args.take(b"="):
            return cls(tag, mechanism, b"")
        initial = args.text[args.position :].rstrip(b" ")
        args.position = len(args.text)
        return cls(tag, mechanism, decode_base64(initial))


@dataclass(frozen=True, slots=True)
class Login(Command):
    """RFC 9051 §6.2.3. User and password as UTF-8; the password may be empty."""

    NAMES: ClassVar = (b"LOGIN",)
    STATES: ClassVar = State.NOT_AUTHENTICATED

    user: str
    password: str = field(repr=False)

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        user = args.text_of(args.astring("a user name"), "the user name")
        args.space()
        password = args.text_of(args.astring("a password"), "the password")
        return cls(tag, user, password)


COMMANDS = (StartTls, Authenticate, Login)
