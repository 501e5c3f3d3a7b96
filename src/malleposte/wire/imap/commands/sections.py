"""Section specifications: which octets of a message (RFC 9051 §6.4.5, §9 `section`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, Self

from malleposte.wire.imap.errors import CommandError, TooBig
from malleposte.wire.imap.lexer import Reader

_PART: Final = re.compile(rb"[1-9][0-9]{0,9}(?:\.[1-9][0-9]{0,9})*")
_FIELD_NAME: Final = re.compile(rb"[!-9;-~]+")  # RFC 5322 §2.2
_BARE: Final = re.compile(rb"[!#$&'+,\-./0-9;<=>?@A-Z\[^_`a-z|}~]+")


class SectionText(Enum):
    """Which text of a part; ALL is the part itself without its MIME header."""

    ALL = b""
    HEADER = b"HEADER"
    HEADER_FIELDS = b"HEADER.FIELDS"
    HEADER_FIELDS_NOT = b"HEADER.FIELDS.NOT"
    TEXT = b"TEXT"
    MIME = b"MIME"


_TEXTS: Final = {text.value: text for text in SectionText if text.value}


@dataclass(frozen=True, slots=True)
class Section:
    """`1.2.HEADER.FIELDS (Date From)`; the empty section is the whole message.

    `part` are the part numbers, empty for the message itself. `fields` are header names as the
    client wrote them (compare without case), only with HEADER_FIELDS and HEADER_FIELDS_NOT.
    """

    part: tuple[int, ...] = ()
    text: SectionText = SectionText.ALL
    fields: tuple[bytes, ...] = ()

    @classmethod
    def parse(cls, args: Reader) -> Self:
        """From `[` to `]`."""
        if args.take(b"[]"):
            return cls()
        args.need(b"[", "a section in brackets")
        part = _part(args)
        if part and not args.take(b"."):
            args.need(b"]", "the end of the section")
            return cls(part)
        text = _TEXTS.get(args.keyword("HEADER, HEADER.FIELDS, TEXT or MIME"))
        if text is None or (text is SectionText.MIME and not part):
            raise CommandError("An unknown section, or MIME without a part number")
        fields: tuple[bytes, ...] = ()
        if text in {SectionText.HEADER_FIELDS, SectionText.HEADER_FIELDS_NOT}:
            fields = _header_list(args)
        args.need(b"]", "the end of the section")
        return cls(part, text, fields)

    @classmethod
    def parse_part(cls, args: Reader) -> Self:
        """`[1.2]` or `[]`: a section of part numbers only (RFC 3516 §5 `section-binary`)."""
        args.need(b"[", "a section in brackets")
        part = _part(args)
        args.need(b"]", "the end of the section")
        return cls(part)

    def __bytes__(self) -> bytes:
        """Without the brackets."""
        numbers = b".".join([b"%d" % number for number in self.part])
        if self.text is SectionText.ALL:
            return numbers
        text = self.text.value
        if self.fields:
            names = [name if _BARE.fullmatch(name) else _quoted(name) for name in self.fields]
            text = b"%b (%b)" % (text, b" ".join(names))
        return b"%b.%b" % (numbers, text) if numbers else text


def _quoted(name: bytes) -> bytes:
    return b'"%b"' % name.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def _part(args: Reader) -> tuple[int, ...]:
    match = _PART.match(args.text, args.position)
    if match is None:
        return ()
    numbers = match[0].split(b".")
    if len(numbers) > args.limits.part_depth:
        raise TooBig("Too many levels in a part number")
    args.position = match.end()
    return tuple([int(number) for number in numbers])


def _header_list(args: Reader) -> tuple[bytes, ...]:
    args.space()
    args.need(b"(", "a list of header names in parentheses")
    fields: list[bytes] = []
    while True:
        name = args.astring("the name of a header")
        # It is echoed in the answer, so that nothing but a possible name may pass.
        if not _FIELD_NAME.fullmatch(name):
            raise CommandError("Expected the name of a header")
        fields.append(name)
        if len(fields) > args.limits.header_fields:
            raise TooBig("Too many header names")
        if args.take(b")"):
            return tuple(fields)
        args.space()
