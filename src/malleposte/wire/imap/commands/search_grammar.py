"""The words of a search program (RFC 9051 §9 `search-key`), read without recursion.

`KEYS` maps each word to what reads its arguments; an extension adds a line. NOT, OR and
parentheses are handled by `program` with a stack of its own, bounded in depth and nodes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from malleposte.wire.imap import flags
from malleposte.wire.imap.commands import search_keys as keys
from malleposte.wire.imap.commands.search_keys import SearchKey, When
from malleposte.wire.imap.errors import NO, CommandError, TooBig
from malleposte.wire.imap.flags import Flag
from malleposte.wire.imap.lexer import MAX_NUMBER64, Reader

# By name, never whatever codec Python knows; one byte a character or UTF-8, all quick to decode.
_CODECS: Final = {
    b"US-ASCII": "ascii",
    b"ASCII": "ascii",
    b"UTF-8": "utf-8",
    b"UTF8": "utf-8",
    b"ISO-8859-1": "iso-8859-1",
    b"ISO-8859-2": "iso-8859-2",
    b"ISO-8859-15": "iso-8859-15",
    b"WINDOWS-1250": "cp1250",
    b"WINDOWS-1251": "cp1251",
    b"WINDOWS-1252": "cp1252",
    b"KOI8-R": "koi8-r",
}

BAD_CHARSET: Final = b"BADCHARSET (US-ASCII UTF-8)"
_OBJECT_ID: Final = re.compile(rb"[A-Za-z0-9_-]{1,255}")  # RFC 8474 §7


@dataclass(slots=True)
class SearchReader:
    """Reads the arguments of search keys; texts are decoded from `codec`."""

    args: Reader
    codec: str = "utf-8"

    def text(self) -> str:
        self.args.space()
        raw = self.args.astring("a text to search for")
        try:
            return raw.decode(self.codec)
        except UnicodeDecodeError:
            raise CommandError(
                "The text to search for is not in the charset given", NO, BAD_CHARSET
            ) from None

    def header_name(self) -> str:
        self.args.space()
        return self.args.astring("the name of a header").decode("ascii", "replace").lower()

    def day(self, *, end: bool = False) -> date:
        self.args.space()
        return self.args.date(end=end)

    def octets(self) -> int:
        self.args.space()
        return self.args.number("a number of octets", MAX_NUMBER64)

    def interval(self) -> int:
        self.args.space()
        return self.args.nz_number("a number of seconds")

    def object_id(self) -> str:
        self.args.space()
        raw = self.args.astring("an object id")
        if not _OBJECT_ID.fullmatch(raw):
            raise CommandError("Expected an object id")
        return raw.decode("ascii")

    def keyword(self) -> Flag:
        self.args.space()
        return self.args.flag()


def set_charset(reader: SearchReader, name: bytes) -> None:
    codec = _CODECS.get(name.upper())
    if codec is None:
        # RFC 9051 §6.4.4: NO with the charsets that are known.
        raise CommandError("This charset is not supported", NO, BAD_CHARSET)
    reader.codec = codec


def _uids(reader: SearchReader) -> SearchKey:
    reader.args.space()
    return keys.Uids(reader.args.message_set())


def _header(reader: SearchReader) -> SearchKey:
    name = reader.header_name()
    return keys.Header(name, reader.text())


def _mod_sequence(reader: SearchReader) -> SearchKey:
    """`MODSEQ 5` or `MODSEQ "/flags/\\seen" all 5` (RFC 7162 §3.1.5)."""
    args = reader.args
    args.space()
    entry: str | None = None
    if args.at(b'"'):
        name = args.text_of(args.string("an entry name"), "the entry name")
        if not name.lower().startswith("/flags/"):
            raise CommandError('Expected an entry name such as "/flags/\\\\Seen"')
        entry = name[7:]
        args.space()
        if args.keyword("all, priv or shared") not in {b"ALL", b"PRIV", b"SHARED"}:
            raise CommandError("Expected all, priv or shared")
        args.space()
    return keys.ModSeq(args.mod_sequence("a mod-sequence"), entry)


Leaf = Callable[[SearchReader], SearchKey]


def _constant(key: SearchKey) -> Leaf:
    return lambda _: key


def _named_header(name: str) -> Leaf:
    return lambda reader: keys.Header(name, reader.text())


_FLAG_WORDS: Final = (
    (b"ANSWERED", flags.ANSWERED),
    (b"DELETED", flags.DELETED),
    (b"DRAFT", flags.DRAFT),
    (b"FLAGGED", flags.FLAGGED),
    (b"SEEN", flags.SEEN),
)

KEYS: Final[dict[bytes, Leaf]] = {
    b"ALL": _constant(keys.Everything()),
    **{word: _constant(keys.HasFlag(flag)) for word, flag in _FLAG_WORDS},
    **{b"UN" + word: _constant(keys.Not(keys.HasFlag(flag))) for word, flag in _FLAG_WORDS},
    b"KEYWORD": lambda reader: keys.HasFlag(reader.keyword()),
    b"UNKEYWORD": lambda reader: keys.Not(keys.HasFlag(reader.keyword())),
    b"RECENT": _constant(keys.IsRecent()),
    b"OLD": _constant(keys.Not(keys.IsRecent())),
    b"NEW": _constant(keys.And((keys.IsRecent(), keys.Not(keys.HasFlag(flags.SEEN))))),
    b"UID": _uids,
    b"BEFORE": lambda reader: keys.InternalDate(When.BEFORE, reader.day(end=True)),
    b"ON": lambda reader: keys.InternalDate(When.ON, reader.day()),
    b"SINCE": lambda reader: keys.InternalDate(When.SINCE, reader.day()),
    b"SENTBEFORE": lambda reader: keys.SentDate(When.BEFORE, reader.day(end=True)),
    b"SENTON": lambda reader: keys.SentDate(When.ON, reader.day()),
    b"SENTSINCE": lambda reader: keys.SentDate(When.SINCE, reader.day()),
    b"SAVEDBEFORE": lambda reader: keys.SavedDate(When.BEFORE, reader.day(end=True)),
    b"SAVEDON": lambda reader: keys.SavedDate(When.ON, reader.day()),
    b"SAVEDSINCE": lambda reader: keys.SavedDate(When.SINCE, reader.day()),
    b"SAVEDATESUPPORTED": _constant(keys.SaveDateSupported()),
    b"LARGER": lambda reader: keys.Larger(reader.octets()),
    b"SMALLER": lambda reader: keys.Smaller(reader.octets()),
    b"OLDER": lambda reader: keys.Older(reader.interval()),
    b"YOUNGER": lambda reader: keys.Younger(reader.interval()),
    b"FROM": _named_header("from"),
    b"TO": _named_header("to"),
    b"CC": _named_header("cc"),
    b"BCC": _named_header("bcc"),
    b"SUBJECT": _named_header("subject"),
    b"HEADER": _header,
    b"BODY": lambda reader: keys.BodyText(reader.text()),
    b"TEXT": lambda reader: keys.AnyText(reader.text()),
    b"MODSEQ": _mod_sequence,
    b"EMAILID": lambda reader: keys.EmailId(reader.object_id()),
    b"THREADID": lambda reader: keys.ThreadId(reader.object_id()),
}
"""What reads each search key that holds no other key, from behind its name."""


@dataclass(slots=True)
class _Open:
    """A NOT, an OR or a list in parentheses whose keys are still coming."""

    word: bytes
    keys: list[SearchKey] = field(default_factory=list)

    def closed(self) -> SearchKey:
        if self.word == b"NOT":
            return keys.Not(self.keys[0])
        if self.word == b"OR":
            # Chains of OR, as clients write them for many addresses, become one flat node.
            branches: list[SearchKey] = []
            for key in self.keys:
                branches.extend(key.keys if isinstance(key, keys.Or) else (key,))
            return keys.Or(tuple(branches))
        return self.keys[0] if len(self.keys) == 1 else keys.And(tuple(self.keys))


def criteria(args: Reader, charset: bytes | None) -> SearchKey:
    """A program up to the end of the command, its texts in `charset` (None: UTF-8).

    `Unreadable` where texts cannot be read; what else is wrong with the program is not told then.
    """
    reader = SearchReader(args)
    try:
        if charset is not None:
            set_charset(reader, charset)
        return program(reader)
    except CommandError as error:
        if error.condition != NO:
            raise
        args.position = len(args.text)
        return keys.Unreadable(error.text)


_WANTED: Final = {b"NOT": 1, b"OR": 2}
_SET_START: Final = frozenset(b"0123456789*$")


def program(reader: SearchReader) -> SearchKey:
    """Search keys up to the end of the command, all of which must match."""
    args = reader.args
    limits = args.limits
    stack = [_Open(b"")]
    nodes = 0
    while True:
        nodes += 1
        if nodes > limits.search_keys:
            raise TooBig(f"A search takes at most {limits.search_keys} keys")
        if len(stack) > limits.search_depth:
            raise TooBig(f"A search nests at most {limits.search_depth} levels")
        if args.take(b"("):
            stack.append(_Open(b"("))
            continue
        if not args.at_end() and args.text[args.position] in _SET_START:
            key: SearchKey = keys.Numbers(args.message_set())
        else:
            word = args.keyword("a search key")
            if word in _WANTED:
                args.space()
                stack.append(_Open(word))
                continue
            leaf = KEYS.get(word)
            if leaf is None:
                raise CommandError("An unknown search key")
            key = leaf(reader)
        # A finished key may finish the key around it, and so on outwards.
        stack[-1].keys.append(key)
        while len(stack) > 1:
            top = stack[-1]
            if top.word == b"(":
                if not args.take(b")"):
                    break
            elif len(top.keys) < _WANTED[top.word]:
                break
            stack.pop()
            stack[-1].keys.append(top.closed())
        if args.at_end() and len(stack) == 1:
            return stack[0].closed()
        args.space()
        if args.at_end() and len(stack) == 1:
            return stack[0].closed()
