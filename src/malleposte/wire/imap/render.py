"""Strings and names as they go on the wire (RFC 9051 §4.3, §9).

Invariant: whatever text is handed in, the result is one token that ends where it should: no CR,
LF or NUL gets outside a literal, so that no name or header of a stranger can pose as a response.
"""

from __future__ import annotations

import re
from typing import Final

from malleposte.wire.imap import mailbox_names

NIL: Final = b"NIL"

_QUOTABLE: Final = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x7f]*")
_QUOTABLE_UTF8: Final = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\xff]*")
_ATOM: Final = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+")
_UNSAFE_TEXT: Final = re.compile(rb"[^\x20-\x7e]+")

_QUOTED_MAX: Final = 1024
"""Longer strings go as literals: some clients read quoted strings into small buffers."""


def quoted(text: bytes) -> bytes:
    """In quotes. For text known to hold neither CR, LF nor NUL."""
    if b"\\" in text or b'"' in text:
        text = text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'"%b"' % text


def literal(octets: bytes) -> bytes:
    """`{n}`, CRLF, octets. NUL cannot be in a literal and is shown as 0x80, size unchanged."""
    if b"\0" in octets:
        octets = octets.replace(b"\0", b"\x80")
    return b"{%d}\r\n%b" % (len(octets), octets)


def literal8(octets: bytes) -> bytes:
    """A literal that may hold NUL (RFC 3516 §4.2), only in answer to BINARY."""
    return b"~{%d}\r\n%b" % (len(octets), octets)


def string(text: bytes, utf8: bool = False) -> bytes:
    """Quoted where that is allowed, else a literal. 8-bit text is quoted only for sessions that
    speak UTF-8, and only where it is UTF-8 (§4.3)."""
    if len(text) <= _QUOTED_MAX:
        if _QUOTABLE.fullmatch(text):
            return quoted(text)
        if utf8 and _QUOTABLE_UTF8.fullmatch(text) and _is_utf8(text):
            return quoted(text)
    return literal(text)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def nstring(text: bytes | None, utf8: bool = False) -> bytes:
    """NIL for None."""
    return NIL if text is None else string(text, utf8)


def astring(text: bytes, utf8: bool = False) -> bytes:
    """As an atom where it is one. NIL is quoted: bare it would be no string."""
    if _ATOM.fullmatch(text) and text.upper() != NIL:
        return text
    return string(text, utf8)


def quoted_mailbox(name: str, utf8: bool) -> bytes:
    """A mailbox name in the spelling of the session: `utf8` after ENABLE IMAP4rev2 or
    UTF8=ACCEPT, else modified UTF-7. Always as a string: LIST of a name such as `work` in quotes
    is what most clients have met."""
    return string(mailbox_names.to_wire(name, utf8), utf8)


def text(words: str) -> bytes:
    """Text for people behind OK, NO, BAD, BYE: printable ASCII, never empty (§9 `text`), never
    opening with `[`, which would read as a response code."""
    line = _UNSAFE_TEXT.sub(b"?", words.encode("utf-8", "replace")).strip()
    if line[:1] == b"[":
        line = b"(" + line[1:]
    return line or b"-"
