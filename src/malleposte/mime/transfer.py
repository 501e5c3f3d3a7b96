"""Transfer encodings undone piece by piece, for parts too large to hold (RFC 2045 §6).

Small parts are decoded at once by ``mime``; these give the same for what is well formed.
"""

import binascii
from typing import Final, Protocol

from malleposte.mime.body import decode_quoted_printable

IDENTITIES: Final = frozenset(("", "7bit", "8bit", "binary"))
KNOWN: Final = IDENTITIES | {"base64", "quoted-printable"}
"""Encodings that can be undone; of others BINARY says UNKNOWN-CTE."""

_LINE_MAX: Final = 64 * 1024
"""A line of quoted-printable is not held longer than this; RFC 2045 §6.7 allows 76."""
_NOT_BASE64: Final = bytes(
    o for o in range(256) if not (chr(o).isascii() and (chr(o).isalnum() or chr(o) in "+/="))
)


class Decoder(Protocol):
    """One part's decoding."""

    def feed(self, octets: bytes) -> bytes:
        """What is decoded by now."""
        ...

    def end(self) -> bytes:
        """The rest."""
        ...


class _Identity:
    def feed(self, octets: bytes) -> bytes:
        return octets

    def end(self) -> bytes:
        return b""


class _Base64:
    def __init__(self) -> None:
        self._rest = b""
        self._over = False

    def feed(self, octets: bytes) -> bytes:
        if self._over:
            return b""
        clean = self._rest + octets.translate(None, _NOT_BASE64)
        clean, padding, _ = clean.partition(b"=")
        if padding:
            # The first `=` ends it: what follows is a footer that a list appended.
            self._over = True
            self._rest = b""
            return _padded(clean)
        whole = len(clean) & ~3
        self._rest = clean[whole:]
        return binascii.a2b_base64(clean[:whole])

    def end(self) -> bytes:
        rest, self._rest = self._rest, b""
        return _padded(rest)


def _padded(clean: bytes) -> bytes:
    extra = len(clean) % 4
    if extra:
        clean = clean[:-1] if extra == 1 else clean + b"=" * (4 - extra)
    return binascii.a2b_base64(clean)


class _QuotedPrintable:
    def __init__(self) -> None:
        self._rest = b""

    def feed(self, octets: bytes) -> bytes:
        text = self._rest + octets
        cut = text.rfind(b"\n") + 1
        if not cut and len(text) > _LINE_MAX:
            # Not inside `=XX`, nor before white space that may be followed by a line end.
            at = text.rfind(b"=", len(text) - 3)
            cut = at if at >= 0 else len(text.rstrip(b" \t")) or len(text)
        self._rest = text[cut:]
        return decode_quoted_printable(text[:cut], final=False)

    def end(self) -> bytes:
        rest, self._rest = self._rest, b""
        return decode_quoted_printable(rest)


def decoder(encoding: str) -> Decoder:
    """A decoder for an encoding; one that is not known leaves the octets as they are."""
    if encoding == "base64":
        return _Base64()
    return _QuotedPrintable() if encoding == "quoted-printable" else _Identity()
