"""IMAP strings (RFC 9051 §4.3) for rendered columns: quoted where that is legal, else literal.

Invariants: the output holds no NUL and no bare CR or LF outside literals; a quoted string holds
7-bit text, or UTF-8 in the UTF-8 form.
"""

from __future__ import annotations

import re
from typing import Final

from .encoded_words import encode_word

_SAFE: Final = re.compile(rb"[ !#-\[\]-~]*")
_UNSAFE_CONTROLS: Final = bytes(o for o in range(32) if o != 9) + b"\x7f"
_TO_SPACE: Final = bytes(0x20 if o in _UNSAFE_CONTROLS or o == 9 else o for o in range(256))


def quoted(value: bytes) -> bytes:
    """`value`, which is ASCII, as a quoted string; control characters become spaces."""
    if _SAFE.fullmatch(value) is None:
        value = value.translate(_TO_SPACE).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'"' + value + b'"'


def string(value: bytes, utf8: bool = False) -> bytes:
    """`value` as a string: ASCII quoted; UTF-8 quoted or, in the rev1 form, as encoded words
    (RFC 2047) of ASCII; other 8-bit as a literal."""
    if value.isascii():
        return quoted(value)
    try:
        text = value.decode()
    except UnicodeDecodeError:
        value = value.translate(None, b"\0")
        return b"{%d}\r\n%b" % (len(value), value)
    if utf8:
        return quoted(value)
    return quoted(encode_word(text))


def nstring(value: bytes | None, utf8: bool = False) -> bytes:
    """`string`, or NIL for None."""
    if value is None:
        return b"NIL"
    if _SAFE.fullmatch(value) is not None:
        return b'"' + value + b'"'
    return string(value, utf8)
