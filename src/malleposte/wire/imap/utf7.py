"""Modified UTF-7, the spelling of mailbox names in IMAP4rev1 (RFC 3501 §5.1.3), both ways.

`encode` takes any text that has a UTF-16 form and gives printable ASCII. `decode` never raises:
what is no modified UTF-7 stands for itself, so that a name from an old server is still reachable
under the bytes it was listed with. For canonical spellings the two are inverse to each other.
"""

from __future__ import annotations

import binascii
import re
from typing import Final

_OUTSIDE: Final = re.compile(r"[^\x20-\x7e]+|&")
_SHIFT: Final = re.compile(r"&([^-]*)-")
_BASE64: Final = re.compile(r"[A-Za-z0-9+,]+")


def _shifted(match: re.Match[str]) -> str:
    run = match[0]
    if run == "&":
        return "&-"
    # A lone surrogate has no meaning but a code unit: it is kept, and comes back as it was.
    units = run.encode("utf-16-be", "surrogatepass")
    return "&" + _base64(units) + "-"


def _base64(units: bytes) -> str:
    text = binascii.b2a_base64(units, newline=False).decode("ascii")
    return text.rstrip("=").replace("/", ",")


def encode(name: str) -> bytes:
    """Text as modified UTF-7."""
    if name.isascii() and name.isprintable() and "&" not in name:
        return name.encode("ascii")
    return _OUTSIDE.sub(_shifted, name).encode("ascii")


def _unshift(base64: str) -> str | None:
    """The text of one shifted run; None where it is not the spelling an encoder gives."""
    if not _BASE64.fullmatch(base64):
        return None
    padded = base64.replace(",", "/") + "=" * (-len(base64) % 4)
    try:
        units = binascii.a2b_base64(padded, strict_mode=True)
        text = units.decode("utf-16-be")
    except (binascii.Error, UnicodeDecodeError):
        return None
    # §5.1.3: printable ASCII must not be shifted (it would give one name two spellings, and hide
    # a separator from whoever looks for it in the encoded form); spare bits must be zero.
    if any("\x20" <= char <= "\x7e" for char in text) or _base64(units) != base64:
        return None
    return text


def decode(name: str) -> str:
    """The text of a mailbox name in modified UTF-7.

    A name with any shift that no encoder would write is taken literally as a whole. Two shifts in
    a row (`&AOQ-&APY-`) are against the rule, but clients write them and they mean one thing.
    """
    if "&" not in name:
        return name
    pieces: list[str] = []
    position = 0
    while (shift := name.find("&", position)) >= 0:
        pieces.append(name[position:shift])
        match = _SHIFT.match(name, shift)
        if not match:
            return name
        if match[1]:
            text = _unshift(match[1])
            if text is None:
                return name
            pieces.append(text)
        else:
            pieces.append("&")
        position = match.end()
    pieces.append(name[position:])
    return "".join(pieces)
