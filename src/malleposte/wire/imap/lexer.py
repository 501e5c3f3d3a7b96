"""The tokens of RFC 9051 §9, read from one complete command.

A command arrives here as one run of bytes: text and, where a literal stood, `{n}`, CRLF and its n
octets, which the engine has counted and collected. Each method of `Reader` takes one token at the
position and leaves the position behind it, or raises `CommandError` with what was expected.
Nothing here recurses, each token is bounded by `Limits`, and each is found by one compiled
expression without backtracking, so that a command costs time linear in its size.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Final, NewType

from malleposte.wire.imap import dates, flags, mailbox_names
from malleposte.wire.imap.errors import CommandError, TooBig
from malleposte.wire.imap.flags import Flag
from malleposte.wire.imap.limits import Limits
from malleposte.wire.imap.mailbox_names import MailboxName
from malleposte.wire.imap.sets import (
    SAVED_RESULT,
    MessageSet,
    PartialRange,
    UidSet,
    parse_partial_range,
    parse_sequence_set,
    parse_uid_set,
)

Tag = NewType("Tag", bytes)
"""The client's mark of a command; only ever echoed."""

UNTAGGED: Final = Tag(b"*")

# atom-specials are ( ) { SP CTL % * " \ ] and 8-bit (RFC 9051 §9).
_ATOM: Final = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+")
_ASTRING: Final = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]+")
_LIST_MAILBOX: Final = re.compile(rb"[!#$%&'*+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]+")
_FLAG: Final = re.compile(rb"\\?[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+")
_PLAIN_QUOTED: Final = re.compile(rb'"([^"\\]*)"')
_QUOTED: Final = re.compile(rb'"((?:[^"\\]|\\["\\])*)"')
_LITERAL: Final = re.compile(rb"(~?)\{([0-9]{1,20})\+?\}\r\n")
_NUMBER: Final = re.compile(rb"[0-9]{1,20}")
_SET: Final = re.compile(rb"[0-9:*,]+|\$")
_PARTIAL: Final = re.compile(rb"[-0-9:*]{1,25}")
_KEYWORD: Final = re.compile(rb"[A-Za-z0-9.\-_=]+")
# The one place where a command begins: tag, name, and for UID the command it modifies.
_HEAD: Final = re.compile(
    rb"([!#$&',\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]+) ((?:[Uu][Ii][Dd] )?[A-Za-z0-9.\-_=]+)"
)
_TAG: Final = re.compile(rb"([!#$&',\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]+)(?: |$)")

MAX_NUMBER64: Final = (1 << 63) - 1


def split_head(text: bytes) -> tuple[Tag, bytes, int] | None:
    """Tag, command name in upper case (`UID FETCH` is one name) and where its arguments begin."""
    match = _HEAD.match(text)
    if match is None:
        return None
    return Tag(match[1]), match[2].upper(), match.end()


def readable_tag(text: bytes, limit: int) -> Tag:
    """The tag of a command that cannot be understood, or `*` where none can be read."""
    match = _TAG.match(text)
    if match is None or len(match[1]) > limit:
        return UNTAGGED
    return Tag(match[1])


class Reader:
    """The arguments of one command.

    `uid` tells a command whether it was prefixed by UID; `utf8` whether the session writes
    mailbox names in UTF-8 (RFC 9051 §6.3.1 ENABLE) or in modified UTF-7.
    """

    __slots__ = ("limits", "position", "text", "uid", "utf8")

    def __init__(
        self,
        text: bytes,
        position: int = 0,
        *,
        limits: Limits,
        utf8: bool = False,
        uid: bool = False,
    ) -> None:
        self.text = text
        self.position = position
        self.limits = limits
        self.utf8 = utf8
        self.uid = uid

    # Punctuation

    def at_end(self) -> bool:
        return self.position >= len(self.text)

    def at(self, token: bytes) -> bool:
        """Whether the text goes on with exactly these bytes."""
        return self.text.startswith(token, self.position)

    def take(self, token: bytes) -> bool:
        """Step over these bytes if they are there."""
        if self.text.startswith(token, self.position):
            self.position += len(token)
            return True
        return False

    def need(self, token: bytes, what: str) -> None:
        if not self.take(token):
            raise CommandError(f"Expected {what}")

    def space(self) -> None:
        """One SP. Several are taken as one: no grammar gives them another meaning."""
        text, position = self.text, self.position
        if not text.startswith(b" ", position):
            if position >= len(text):
                raise CommandError("Missing argument")
            raise CommandError("Expected a space")
        position += 1
        while text.startswith(b" ", position):
            position += 1
        self.position = position

    def end(self) -> None:
        """Nothing but spaces may follow; some clients end a line with one."""
        if self.position < len(self.text):
            if self.text[self.position :].strip(b" "):
                raise CommandError("Too many arguments, or a character that does not belong there")
            self.position = len(self.text)

    # Words and strings

    def keyword(self, what: str) -> bytes:
        """A word of the protocol, in upper case."""
        match = _KEYWORD.match(self.text, self.position)
        if match is None:
            raise CommandError(f"Expected {what}")
        self.position = match.end()
        return match[0].upper()

    def atom(self, what: str) -> bytes:
        return self._word(_ATOM, what)

    def _word(self, pattern: re.Pattern[bytes], what: str) -> bytes:
        match = pattern.match(self.text, self.position)
        if match is None:
            raise CommandError(f"Expected {what}")
        word = match[0]
        if len(word) > self.limits.atom_bytes:
            raise TooBig(f"{what[:1].upper()}{what[1:]} is too long")
        self.position = match.end()
        return word

    def string(self, what: str) -> bytes:
        """Quoted or literal. 8-bit text in quotes is let through whatever was enabled: whoever
        takes the string decides by its own charset (RFC 9051 §4.3 needs it, rev1 forbids it, and
        no other reading of such bytes exists). Where UTF-8 was enabled it must be UTF-8."""
        text, position = self.text, self.position
        if text.startswith(b'"', position):
            match = _PLAIN_QUOTED.match(text, position)
            if match is None:
                match = _QUOTED.match(text, position)
                if match is None:
                    raise CommandError("A quoted string is not closed, or a backslash is astray")
                # Escaped backslashes first: what is left of `\\"` pairs then is quotes.
                pieces = match[1].split(b"\\\\")
                value = b"\\".join([piece.replace(b'\\"', b'"') for piece in pieces])
            else:
                value = match[1]
            if self.utf8 and not value.isascii():
                self.text_of(value, what)  # RFC 9051 §4.3, RFC 9755 §3: anything else is BAD
            self.position = match.end()
        else:
            found = self.literal()
            if found is None:
                raise CommandError(f"Expected {what}")
            value = found
        if len(value) > self.limits.string_bytes:
            raise TooBig(f"{what[:1].upper()}{what[1:]} is too long")
        return value

    def literal(self) -> bytes | None:
        """A literal, or a literal8 (RFC 3516) where the octets hold NUL; None where none stands.

        The engine has checked that all its octets are here."""
        match = _LITERAL.match(self.text, self.position)
        if match is None:
            return None
        start = match.end()
        stop = start + int(match[2])
        if stop > len(self.text):
            raise CommandError("A literal is not where a literal can be")
        value = self.text[start:stop]
        if not match[1] and b"\0" in value:
            raise CommandError("NUL is only allowed in a literal8")  # RFC 9051 §9 CHAR8
        self.position = stop
        return value

    def astring(self, what: str) -> bytes:
        match = _ASTRING.match(self.text, self.position)
        if match is None:
            return self.string(what)
        if match.end() - match.start() > self.limits.atom_bytes:
            raise TooBig(f"{what[:1].upper()}{what[1:]} is too long")
        self.position = match.end()
        return match[0]

    def nstring(self, what: str) -> bytes | None:
        if self.text[self.position : self.position + 3].upper() == b"NIL":
            self.position += 3
            return None
        return self.string(what)

    def text_of(self, raw: bytes, what: str) -> str:
        """A string that must be UTF-8."""
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise CommandError(f"{what[:1].upper()}{what[1:]} is not valid UTF-8") from None

    # Numbers and sets

    def number(self, what: str, maximum: int = 0xFFFFFFFF) -> int:
        match = _NUMBER.match(self.text, self.position)
        if match is None:
            raise CommandError(f"Expected {what}")
        value = int(match[0])
        if value > maximum:
            raise CommandError(f"{what[:1].upper()}{what[1:]} is out of range")
        self.position = match.end()
        return value

    def nz_number(self, what: str) -> int:
        value = self.number(what)
        if value == 0:
            raise CommandError(f"Expected {what}, which is never 0")
        return value

    def mod_sequence(self, what: str) -> int:
        """0 or a `mod-sequence-value`: 63 bits (RFC 7162 §7)."""
        return self.number(what, MAX_NUMBER64)

    def message_set(self) -> MessageSet:
        text = self._set_text()
        if text == b"$":
            return SAVED_RESULT
        parsed = parse_sequence_set(text)
        if parsed is None:
            raise CommandError("Expected a set of message numbers such as 1:3,7,10:*")
        return parsed

    def uid_set(self) -> UidSet:
        parsed = parse_uid_set(self._set_text())
        if parsed is None:
            raise CommandError("Expected a set of UIDs without *")
        return parsed

    def partial_range(self) -> PartialRange:
        """`1:500`, `-1:-100` (RFC 9394 §4)."""
        match = _PARTIAL.match(self.text, self.position)
        found = parse_partial_range(match[0]) if match else None
        if match is None or found is None:
            raise CommandError("Expected a range of results such as 1:500 or -1:-100")
        self.position = match.end()
        return found

    def _set_text(self) -> bytes:
        match = _SET.match(self.text, self.position)
        if match is None:
            raise CommandError("Expected a set of message numbers such as 1:3,7,10:*")
        text = match[0]
        if len(text) > self.limits.set_members and text.count(b",") >= self.limits.set_members:
            raise TooBig(
                f"A set may hold {self.limits.set_members} numbers or ranges: send it in parts"
            )
        self.position = match.end()
        return text

    # Names, flags, dates

    def mailbox(self) -> MailboxName:
        """RFC 9051 §5.1, in the spelling of the session."""
        return mailbox_names.canonical(self._name(self.astring("a mailbox name")))

    def mailbox_pattern(self) -> str:
        """`list-mailbox`: a mailbox name in which % and * are wildcards."""
        match = _LIST_MAILBOX.match(self.text, self.position)
        if match is None:
            return self._name(self.string("a mailbox pattern"))
        self.position = match.end()
        return self._name(match[0])

    def _name(self, raw: bytes) -> str:
        if len(raw) > self.limits.mailbox_bytes:
            raise TooBig("A mailbox name is too long")
        name = mailbox_names.from_wire(raw, self.utf8)
        if name is None:
            raise CommandError("A mailbox name is neither modified UTF-7 nor UTF-8")
        return name

    def flag(self) -> Flag:
        match = _FLAG.match(self.text, self.position)
        if match is None:
            raise CommandError("Expected a flag")
        if match.end() - match.start() > self.limits.flag_bytes:
            raise TooBig(f"A flag has at most {self.limits.flag_bytes} octets")
        flag = flags.parse_flag(match[0])
        if flag is None:
            raise CommandError("This is no flag that a client can set")
        self.position = match.end()
        return flag

    def flag_list(self) -> tuple[Flag, ...]:
        """Flags in parentheses, each once."""
        self.need(b"(", "a list of flags in parentheses")
        return self.flags_until(b")")

    def flags_until(self, close: bytes) -> tuple[Flag, ...]:
        """Flags divided by spaces up to `close`, or up to the end where `close` is empty."""
        found: dict[str, Flag] = {}
        count = 0
        while not (self.take(close) if close else self.at_end()):
            if count:
                self.space()
                if not close and self.at_end():
                    break
            flag = self.flag()
            found.setdefault(flags.fold(flag), flag)
            count += 1
            if count > self.limits.flags:
                raise TooBig(f"At most {self.limits.flags} flags in one command")
        return tuple(found.values())

    def date(self, *, end: bool = False) -> date:
        """`1-Feb-2026`, quoted or not; `end` as in `dates.parse_date`."""
        raw = self.string("a date") if self.at(b'"') else self.atom("a date such as 1-Feb-2026")
        day = dates.parse_date(raw, end=end)
        if day is None:
            raise CommandError("Expected a date such as 1-Feb-2026")
        return day

    def date_time(self) -> datetime:
        raw = self.string("a date and time in quotes")
        moment = dates.parse_date_time(raw)
        if moment is None:
            raise CommandError('Expected a date and time such as "01-Feb-2026 03:04:05 +0100"')
        return moment
