"""RFC 2047 encoded words, as they should be and as they come.

Invariants: linear in the bytes given, bounded by `FIELD_BYTES`, never raises. Adjacent words of
one charset are joined before the charset is read, since senders cut in the middle of a
multi-octet character (forbidden by §5, usual in the wild). Text around words that is raw 8-bit
is UTF-8 (RFC 6532) or, if it cannot be, windows-1252.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, a2b_qp, b2a_base64
from typing import Final

from .charset import decode, guess
from .headers import collapse
from .limits import FIELD_BYTES

# Charset (with the RFC 2231 §5 language), encoding, text. Spaces inside the text are forbidden
# and usual; a `?` cannot be in it, so that no pattern part overlaps the next.
WORD: Final = re.compile(rb"=\?([^?\s*]{1,64})(?:\*[^?\s]{0,64})?\?([bBqQ])\?([^?]*)\?=")


def decode_text(value: bytes) -> str:
    """An unstructured field value (Subject, Comments …), folded or not, as text."""
    value = value[:FIELD_BYTES]
    if b"=?" not in value:
        return _plain(collapse(value))
    if b"\n" in value:
        # A fold inside a word (forbidden, usual) is told from a space by its line end.
        value = b"\n".join([line.strip(b" \t\r") for line in value.split(b"\n")])
    return decode_words(value.translate(None, b"\r\0").strip())


def decode_words(value: bytes) -> str:
    """Text with its encoded words decoded; a line end in `value` stands for a fold."""
    out: list[str] = []
    end = 0
    charset = kind = b""
    run: list[bytes] = []
    for match in WORD.finditer(value):
        between = value[end : match.start()]
        name, encoding, text = match[1].lower(), match[2].lower(), match[3]
        if b"\n" in text:
            text = text.replace(b"\n", b"")
        # White space between two words is no text (§6.2).
        if run and (between and not between.isspace()):
            out.append(_run(charset, kind, run))
            run = []
            out.append(_before_word(between))
        elif not run and between:
            out.append(_before_word(between))
        elif run and (name != charset or encoding != kind):
            out.append(_run(charset, kind, run))
            run = []
        charset, kind = name, encoding
        run.append(text)
        end = match.end()
    if run:
        out.append(_run(charset, kind, run))
    if end < len(value):
        out.append(_plain(value[end:]))
    return "".join(out)


def encode_word(text: str) -> bytes:
    """`text` as encoded words in UTF-8 and base64, each at most 75 octets (§2), spaces between.

    Never cut inside a character (§5).
    """
    raw = text.encode("utf-8", "replace")
    words: list[bytes] = []
    at, size = 0, len(raw)
    while at < size:
        end = min(at + _WORD_OCTETS, size)
        while end < size and raw[end] & 0xC0 == 0x80:
            end -= 1
        words.append(b"=?utf-8?B?" + b2a_base64(raw[at:end], newline=False) + b"?=")
        at = end
    return b" ".join(words)


_WORD_OCTETS: Final = 39  # 64 characters with what is around them: room for a field's name


def _plain(text: bytes) -> str:
    if b"\n" in text:
        text = text.replace(b"\n", b" ")
    return text.decode("ascii") if text.isascii() else guess(text)


def _before_word(text: bytes) -> str:
    """Text that a word follows. Gateways put `[tags]` before a subject without a space."""
    return _plain(text) + " " if text.endswith(b"]") else _plain(text)


def _run(charset: bytes, kind: bytes, texts: list[bytes]) -> str:
    """The text of adjacent words of one charset and encoding."""
    if kind == b"q":
        data = b"".join([decode_q(text) for text in texts])
    else:
        data = b"".join(_base64_runs(texts))
    return decode(data, charset.decode("latin-1"))


def decode_q(text: bytes) -> bytes:
    """The Q encoding (§4.2): quoted-printable with `_` for a space."""
    # a2b_qp drops white space at the end of a line; none is left in the middle of one.
    stripped = text.rstrip(b" \t")
    return a2b_qp(stripped, header=True) + text[len(stripped) :]


def _base64_runs(texts: list[bytes]) -> list[bytes]:
    """Each padded piece apart; unpadded ones joined, as base64 cut anywhere needs it."""
    done: list[bytes] = []
    pending = b""
    for text in texts:
        pending += text
        if text.rstrip().endswith(b"=") or len(pending) % 4 == 0:
            done.append(decode_base64(pending))
            pending = b""
    if pending:
        done.append(decode_base64(pending))
    return done


NOT_BASE64: Final = bytes(
    o for o in range(256) if not (chr(o).isascii() and (chr(o).isalnum() or chr(o) in "+/"))
)


def decode_base64(text: bytes) -> bytes:
    """Base64 in any state: foreign octets passed over, missing padding supplied.

    The first `=` ends it (RFC 2045 §6.8); footers that lists append are not decoded.
    """
    clean = text.partition(b"=")[0].translate(None, NOT_BASE64)
    extra = len(clean) % 4
    if extra:
        # One left-over character carries 6 bits: no octet.
        clean = clean[:-1] if extra == 1 else clean + b"=" * (4 - extra)
    return a2b_base64(clean)
