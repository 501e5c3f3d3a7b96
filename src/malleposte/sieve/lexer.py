"""A script cut into tokens (RFC 5228 §8.1). Linear; raises only `Wrong`.

Line ends may be LF or CRLF; in strings they are CRLF, since strings become mail. A backslash before
any character of a quoted string stands for that character (§2.4.2).
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Final, NamedTuple

from .errors import Wrong
from .limits import Limits
from .source import Source


class Kind(IntEnum):
    """Kinds of tokens; a MARK is one of `[]{}(),;`."""

    WORD = 0
    TAG = 1
    NUMBER = 2
    STRING = 3
    MARK = 4
    END = 5


class Token(NamedTuple):
    """`text` of a word or tag is lower case, of a tag without its colon, of a string its value."""

    kind: Kind
    text: str
    at: int
    number: int = 0


_TOKEN: Final = re.compile(
    r"""(?P<white>[ \t\r\n]++|\#[^\n]*+|/\*.*?\*/)
    | (?P<lines>[Tt][Ee][Xx][Tt]:[ \t]*+(?:\#[^\n]*+)?(?:\n|\Z))
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*+)
    | :(?P<tag>[A-Za-z_][A-Za-z0-9_]*+)
    | (?P<number>[0-9]++)(?P<unit>[KMGkmg]?)(?![A-Za-z0-9_])
    | "(?P<quoted>(?:[^"\\]|(?=\\.)\\.)*+)"
    | (?P<mark>[\[\]{}(),;])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_LAST_LINE: Final = re.compile(r"^\.\r?$", re.MULTILINE)
_STUFFED: Final = re.compile(r"^\.\.", re.MULTILINE)
_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
MOST: Final = (1 << 63) - 1
"""The largest number; RFC 5228 §2.4.1 wants 2³¹ - 1."""


def tokens(source: Source, limits: Limits) -> list[Token]:
    """All tokens, with one END."""
    text = source.text
    found: list[Token] = []
    at = 0
    size = len(text)
    while at < size:
        match = _TOKEN.match(text, at)
        if match is None:
            raise Wrong(at, _what_is(text, at))
        kind = match.lastgroup
        end = match.end()
        if kind == "white":
            at = end
            continue
        if len(found) >= limits.tokens:
            raise Wrong(at, f"the script has more than {limits.tokens} words and marks")
        if kind == "word":
            found.append(Token(Kind.WORD, match["word"].lower(), at))
        elif kind == "mark":
            found.append(Token(Kind.MARK, match["mark"], at))
        elif kind == "tag":
            found.append(Token(Kind.TAG, match["tag"].lower(), at))
        elif kind == "quoted":
            found.append(Token(Kind.STRING, _quoted(match["quoted"], at), at))
        elif kind == "lines":
            value, end = _lines(text, at, end)
            found.append(Token(Kind.STRING, value, at))
        else:
            found.append(_number(match, at))
        at = end
    found.append(Token(Kind.END, "the end of the script", size))
    return found


def _quoted(inner: str, at: int) -> str:
    if "\\" in inner:
        inner = _ESCAPE.sub(r"\1", inner)
    return _value(inner, at)


def _value(value: str, at: int) -> str:
    if "\0" in value:
        raise Wrong(at, "a string holds a NUL character; take it out")
    return value.replace("\n", "\r\n") if "\n" in value else value


def _lines(text: str, at: int, start: int) -> tuple[str, int]:
    """A multi-line string: up to the line with a dot alone."""
    last = _LAST_LINE.search(text, start)
    if last is None:
        raise Wrong(at, 'the text that begins here ends nowhere; a line with "." alone ends it')
    return _value(_STUFFED.sub(".", text[start : last.start()]), at), last.end()


def _number(match: re.Match[str], at: int) -> Token:
    digits = match["number"].lstrip("0")
    # Digits are counted first: reading a very long number takes time in the square of its length.
    number = int(digits or "0") * _UNITS[match["unit"].lower()] if len(digits) < 20 else MOST + 1
    if number > MOST:
        raise Wrong(at, f"the number is larger than {MOST}")
    return Token(Kind.NUMBER, match[0], at, number)


def _what_is(text: str, at: int) -> str:
    """Why no token begins here."""
    if text.startswith('"', at):
        return "the string that begins here has no closing quotation mark"
    if text.startswith("/*", at):
        return "the comment that begins here has no closing */"
    if text[at].isdigit():
        return "a number is digits with K, M or G behind them, and a space or mark after that"
    if text[at] in "\u201c\u201d\u201e\u00ab\u00bb'\u2018\u2019":
        return f'{text[at]} is no quotation mark of Sieve; strings stand between " and "'
    return f"{text[at]!r} has no meaning here"
