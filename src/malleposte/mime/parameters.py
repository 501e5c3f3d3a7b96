"""Structured fields of the form `value; name=value; …`, with RFC 2231.

Reads Content-Type and Content-Disposition: comments, quoted strings, values without the quotes
they need, missing semicolons at folds, encoded words inside values (forbidden, usual), RFC 2231
continuations in any order with gaps and duplicates, charsets and percent-encoding.

Invariants: linear, bounded by `PARAMETER_BYTES`, `PARAMETERS` and `PARAMETER_SECTIONS`; never
raises. Names are lower case. Two forms come out: `raw`, for IMAP (continuations joined, still
encoded, name ending in `*` if so), and text (decoded).
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from .charset import decode, guess
from .encoded_words import decode_words
from .limits import COMMENT_MARKS, PARAMETER_BYTES, PARAMETER_SECTIONS, PARAMETERS


class Parameter(NamedTuple):
    """One parameter: `raw_name` and `raw` for IMAP, `name` and `text` decoded."""

    name: str
    text: str
    raw_name: bytes
    raw: bytes
    language: str = ""


# The well-formed bulk: token or quoted string without escapes, nothing that needs decoding.
_SIMPLE: Final = re.compile(
    rb"[ \t]*;\s*([^\x00-\x20\x7f-\xff()<>@,;:\\\"/\[\]?=*%']+)="
    rb"(?:\"([^\"\\\r\n\x80-\xff]*)\"|([^\x00-\x20\x7f-\xff()<>@,;\\\"\[\]?]+))[ \t]*(?=;|\r?(?:\n|\Z))"
)
_END: Final = re.compile(rb"[\s;]*\Z")


def parameters(value: bytes, start: int = 0) -> list[Parameter]:
    """The parameters of a raw field value from offset `start`, just past the main value."""
    value = value[:PARAMETER_BYTES]
    found: list[Parameter] = []
    at = start
    while (match := _SIMPLE.match(value, at)) is not None and len(found) < PARAMETERS:
        raw = match[2] if match[3] is None else match[3]
        name = match[1].lower()
        if b"=?" in raw or any(name == known.raw_name for known in found):
            break
        found.append(Parameter(name.decode("ascii"), raw.decode("ascii"), name, raw))
        at = match.end()
    if _END.match(value, at) is not None:
        return found
    return _join(_loose(value, start))


def _loose(value: bytes, at: int) -> list[tuple[bytes, bytes, bool]]:
    """(name, value, quoted) of every parameter, however it is written."""
    found: list[tuple[bytes, bytes, bool]] = []
    size = len(value)
    while at < size and len(found) < PARAMETER_SECTIONS:
        at = _skip(value, at)
        match = _NAME.match(value, at)
        if match is None:
            at = _next(value, at)
            continue
        at = _skip_white(value, match.end())
        quoted = value.startswith(b'"', at)
        if quoted:
            quote = _QUOTED.match(value, at)
            if quote is None:  # pragma: no cover - the pattern always matches after a quote
                break
            text = unfold_quoted(quote[1])
            at = quote.end()
        else:
            text, at = _bare(value, at)
        name = match[1].strip().lower()
        if name and (text or quoted):
            found.append((name, text, quoted))
    return found


_NAME: Final = re.compile(rb"([^\s;=\"(]*+(?:[ \t]++[^\s;=\"(]++)*+)\s*+=")
_QUOTED: Final = re.compile(rb"\"((?:[^\"\\]|\\.)*+)(?:\"|\\?\Z)", re.DOTALL)
_BARE: Final = re.compile(rb"[^;(\n]*+")
_FOLD_NAME: Final = re.compile(rb"\n\s*[^\s;=\"(?]+=")


def _skip_white(value: bytes, at: int) -> int:
    size = len(value)
    while at < size and value[at] in b" \t\r\n":
        at += 1
    return at


def _skip(value: bytes, at: int) -> int:
    """Past white space, semicolons and comments."""
    size = len(value)
    while at < size:
        octet = value[at]
        if octet in b" \t\r\n;":
            at += 1
        elif octet == 0x28:
            at = skip_comment(value, at)
        else:
            break
    return at


def _next(value: bytes, at: int) -> int:
    """The next place where a parameter can begin."""
    semicolon = value.find(b";", at)
    return len(value) if semicolon < 0 else semicolon + 1


def _bare(value: bytes, at: int) -> tuple[bytes, int]:
    """A value without quotes: up to a semicolon, a comment, or a fold with the next name."""
    pieces: list[bytes] = []
    size = len(value)
    while at < size:
        match = _BARE.match(value, at)
        if match is not None:
            pieces.append(match[0])
            at = match.end()
        if at >= size or value[at] == 0x3B:
            break
        if value[at] == 0x28:
            at = skip_comment(value, at)
        elif _FOLD_NAME.match(value, at) is not None:
            break
        else:
            at += 1
    return b"".join(pieces).translate(None, b"\r\0").strip(), at


def skip_comment(value: bytes, at: int) -> int:
    """The offset after the comment that opens at `at`; nesting and escapes count.

    One that is not closed, or not after `COMMENT_MARKS` parentheses, takes all that follows.
    """
    depth = 0
    for match in islice(_COMMENT_MARK.finditer(value, at), COMMENT_MARKS):
        mark = match[0]
        if mark == b"(":
            depth += 1
        elif mark == b")":
            depth -= 1
            if depth == 0:
                return match.end()
    return len(value)


_COMMENT_MARK: Final = re.compile(rb"\\.|[()]", re.DOTALL)
_ESCAPE: Final = re.compile(rb"\\(.)", re.DOTALL)


def unfold_quoted(text: bytes) -> bytes:
    """The content of a quoted string: folds and NUL removed, escapes resolved."""
    if b"\r" in text or b"\n" in text or b"\0" in text:
        text = text.translate(None, b"\r\n\0")
    if b"\\" in text:
        text = _ESCAPE.sub(rb"\1", text)
    return text


def _section(full: bytes) -> tuple[bytes, int, bool]:
    """Name, number and whether it is encoded, of a name with stars (RFC 2231 §3, §4)."""
    pieces = [piece.strip() for piece in full.split(b"*")]
    encoded = not pieces[-1]
    words = [piece for piece in pieces if piece]
    number = words[1] if len(words) > 1 else b""
    # Numbers beyond any real section are taken for none.
    known = number.isdigit() and len(number) <= 6
    return words[0] if words else b"", int(number) if known else 0, encoded


def _join(pieces: list[tuple[bytes, bytes, bool]]) -> list[Parameter]:
    """Continuations put together (RFC 2231 §3, §4.1), in the order of first appearance."""
    plain: dict[bytes, bytes] = {}
    sections: dict[bytes, dict[int, tuple[bytes, bool]]] = {}
    order: dict[bytes, None] = {}
    for full, text, _ in pieces:
        if b"*" not in full:
            if not plain.get(full):  # a duplicate is forbidden (RFC 2045 §5.1): the first holds
                plain[full] = text
                order[full] = None
            continue
        name, number, encoded = _section(full)
        held = sections.setdefault(name, {})
        if number not in held:
            held[number] = (text, encoded)
            order[name] = None
    found: list[Parameter] = []
    for name in order:
        if not name:
            continue
        if name in sections:
            found.append(_extended(name, sections[name]))
        else:
            raw = plain[name]
            found.append(Parameter(guess(name), _text(raw), name, raw))
        if len(found) >= PARAMETERS:
            break
    return found


def _text(raw: bytes) -> str:
    """An ordinary value; encoded words in it are forbidden (RFC 2047 §5) and usual."""
    if b"=?" in raw:
        return decode_words(raw)
    return raw.decode("ascii") if raw.isascii() else guess(raw)


def _extended(name: bytes, held: dict[int, tuple[bytes, bool]]) -> Parameter:
    """One parameter of numbered sections; numbers that are missing are passed over."""
    numbers = sorted(held)
    first, encoded = held[numbers[0]]
    charset = language = b""
    if encoded and first.count(b"'") >= 2:
        charset, language, first = first.split(b"'", 2)
    data = unquote_to_bytes(first) if encoded else first
    any_encoded = encoded
    for number in numbers[1:]:
        text, encoded = held[number]
        any_encoded |= encoded
        if encoded and charset and text[: len(charset) + 1].lower() == charset.lower() + b"'":
            # Some senders name the charset in every section.
            text = text[len(charset) + 1 :].removeprefix(language + b"'")
        data += unquote_to_bytes(text) if encoded else text
    text_value = decode(data, charset.decode("latin-1") or None)
    if any_encoded:
        raw_name = name + b"*"
        raw = charset + b"'" + language + b"'" + percent(data)
    else:
        raw_name, raw = name, data
    return Parameter(guess(name), text_value, raw_name, raw, guess(language))


_PERCENT: Final = tuple(
    bytes([o])
    if chr(o).isascii() and (chr(o).isalnum() or chr(o) in "!#$&+-.^_`{|}~")
    else b"%%%02X" % o
    for o in range(256)
)


def percent(data: bytes) -> bytes:
    """`data` in the extended-value encoding of RFC 2231 §7."""
    return b"".join([_PERCENT[o] for o in data])
