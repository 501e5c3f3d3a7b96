"""Responses as bytes, each complete with its CRLF (RFC 9051 §7).

Small pure functions; a service joins what it has and writes it in slices. The many-rows forms of
FETCH are in `fetch_rows`.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from malleposte.wire.imap import render, rights
from malleposte.wire.imap.sets import NumberSet, PartialRange, compact, pieces

UNTAGGED: Final = b"*"


def _status(tag: bytes, condition: bytes, words: str, code: bytes | None) -> bytes:
    if code is None:
        return b"%b %b %b\r\n" % (tag, condition, render.text(words))
    return b"%b %b [%b] %b\r\n" % (tag, condition, code, render.text(words))


def ok(tag: bytes, words: str, code: bytes | None = None) -> bytes:
    """Tagged OK, or untagged with `UNTAGGED`. `code` comes from `codes`."""
    return _status(tag, b"OK", words, code)


def no(tag: bytes, words: str, code: bytes | None = None) -> bytes:
    return _status(tag, b"NO", words, code)


def bad(tag: bytes, words: str, code: bytes | None = None) -> bytes:
    return _status(tag, b"BAD", words, code)


def bye(words: str, code: bytes | None = None) -> bytes:
    return _status(UNTAGGED, b"BYE", words, code)


def continuation(words: str) -> bytes:
    """`+ text`: go on (§7.6)."""
    return b"+ %b\r\n" % render.text(words)


def challenge(octets: bytes) -> bytes:
    """A SASL challenge (§6.2.2); an empty one is `+ ` and nothing."""
    return b"+ %b\r\n" % binascii.b2a_base64(octets, newline=False)


def exists(count: int) -> bytes:
    return b"* %d EXISTS\r\n" % count


def recent(count: int) -> bytes:
    """RFC 3501 §7.3.2; never to a rev2 session."""
    return b"* %d RECENT\r\n" % count


def expunges(numbers: Iterable[int]) -> bytes:
    """EXPUNGE, one each. `numbers` are sequence numbers at the time each line is read: for a set
    of messages pass them in descending order, so that none shifts the next (§7.5.1)."""
    return b"".join([b"* %d EXPUNGE\r\n" % number for number in numbers])


def vanished(uids: Sequence[int] | NumberSet, *, earlier: bool = False) -> bytes:
    """VANISHED for ascending UIDs (RFC 7162 §3.2.10); nothing for none. `earlier` is for SELECT
    and UID FETCH: the client then does not count down its messages."""
    numbers = bytes(uids) if isinstance(uids, NumberSet) else compact(uids)
    if not numbers:
        return b""
    return b"* VANISHED %b%b\r\n" % (b"(EARLIER) " if earlier else b"", numbers)


def flags(flag_list: bytes) -> bytes:
    """`flag_list` is rendered, without parentheses."""
    return b"* FLAGS (%b)\r\n" % flag_list


def _list(
    word: bytes, attributes: Iterable[bytes], separator: str | None, name: str, utf8: bool
) -> bytes:
    quoted = render.NIL if separator is None else render.string(separator.encode("ascii"))
    return b"* %b (%b) %b %b" % (
        word,
        b" ".join(attributes),
        quoted,
        render.quoted_mailbox(name, utf8),
    )


def list_mailbox(
    attributes: Iterable[bytes],
    separator: str | None,
    name: str,
    utf8: bool,
    *,
    child_info: Iterable[bytes] = (),
    old_name: str | None = None,
) -> bytes:
    r"""LIST (§7.3.1). `attributes` are such as `\HasChildren`, rendered; `child_info` holds the
    selection options that children match (RFC 5258 §3.5), `old_name` a name that was normalised
    or renamed (§6.3.9.7)."""
    extended: list[bytes] = []
    options = [b'"%b"' % option for option in child_info]
    if options:
        extended.append(b'"CHILDINFO" (%b)' % b" ".join(options))
    if old_name is not None:
        extended.append(b'"OLDNAME" (%b)' % render.quoted_mailbox(old_name, utf8))
    line = _list(b"LIST", attributes, separator, name, utf8)
    if extended:
        line += b" (%b)" % b" ".join(extended)
    return line + b"\r\n"


def lsub(attributes: Iterable[bytes], separator: str | None, name: str, utf8: bool) -> bytes:
    """RFC 3501 §7.2.3."""
    return _list(b"LSUB", attributes, separator, name, utf8) + b"\r\n"


def status(name: str, utf8: bool, items: Mapping[bytes, int | bytes | None]) -> bytes:
    """STATUS (§7.3.4): item names to numbers, to bytes rendered by the caller (MAILBOXID), or to
    None for NIL (APPENDLIMIT without a limit)."""
    parts: list[bytes] = []
    for item, value in items.items():
        if isinstance(value, int):
            parts.append(b"%b %d" % (item, value))
        else:
            parts.append(b"%b %b" % (item, render.NIL if value is None else value))
    return b"* STATUS %b (%b)\r\n" % (render.quoted_mailbox(name, utf8), b" ".join(parts))


NamespaceRow = tuple[str, str | None]
"""Prefix and separator."""


def namespace(
    personal: Sequence[NamespaceRow],
    others: Sequence[NamespaceRow],
    shared: Sequence[NamespaceRow],
    utf8: bool,
) -> bytes:
    """NAMESPACE (§7.3.5); an empty group is NIL."""
    groups: list[bytes] = []
    for rows in (personal, others, shared):
        members: list[bytes] = []
        for prefix, separator in rows:
            delimiter = render.NIL if separator is None else render.string(separator.encode())
            members.append(b"(%b %b)" % (render.quoted_mailbox(prefix, utf8), delimiter))
        groups.append(b"(%b)" % b"".join(members) if members else render.NIL)
    return b"* NAMESPACE %b\r\n" % b" ".join(groups)


def acl(name: str, utf8: bool, entries: Iterable[tuple[str, str]]) -> bytes:
    """ACL (RFC 4314 §3.6): identifiers with their rights, standard letters."""
    words = [render.quoted_mailbox(name, utf8)]
    for identifier, letters in entries:
        words.append(render.astring(identifier.encode("utf-8"), utf8))
        words.append(render.astring(rights.shown(letters).encode("ascii")))
    return b"* ACL %b\r\n" % b" ".join(words)


def list_rights(
    name: str, utf8: bool, identifier: str, required: str, optional: Iterable[str]
) -> bytes:
    """LISTRIGHTS (RFC 4314 §3.7): what the identifier always has, and what it can be given; letters
    of one string are only given together. All are sent as they are: `c` and `d` are the caller's."""
    words = [render.quoted_mailbox(name, utf8), render.astring(identifier.encode("utf-8"), utf8)]
    words += [render.astring(letters.encode("ascii")) for letters in (required, *optional)]
    return b"* LISTRIGHTS %b\r\n" % b" ".join(words)


def my_rights(name: str, utf8: bool, letters: str) -> bytes:
    """MYRIGHTS (RFC 4314 §3.8, RFC 8440 §3)."""
    shown = render.astring(rights.shown(letters).encode("ascii"))
    return b"* MYRIGHTS %b %b\r\n" % (render.quoted_mailbox(name, utf8), shown)


NUMBERS_AT_ONCE: Final = 5_000
"""Numbers in a piece of a long response: some 1 ms, and 35 KB."""


def numbers_pieces(
    word: bytes, numbers: Sequence[int], modseq: int | None = None
) -> Iterator[bytes]:
    """SEARCH of rev1 (RFC 3501 §7.2.5) or SORT (RFC 5256 §4), in pieces; `modseq` only where MODSEQ
    was asked for and something was found (RFC 7162 §3.1.5)."""
    yield b"* " + word
    for start in range(0, len(numbers), NUMBERS_AT_ONCE):
        yield b"".join([b" %d" % number for number in numbers[start : start + NUMBERS_AT_ONCE]])
    if modseq is not None and numbers:
        yield b" (MODSEQ %d)" % modseq
    yield b"\r\n"


@dataclass(frozen=True, slots=True)
class Found:
    """What an ESEARCH says (§7.3.4, RFC 9394 §3.1); what is None was not asked for or not found.

    `all` and the numbers of `page` stand in the order of the result: ascending but for SORT.
    """

    minimum: int | None = None
    maximum: int | None = None
    count: int | None = None
    all: Sequence[int] | None = None
    page: tuple[PartialRange, Sequence[int]] | None = None
    modseq: int | None = None


def esearch_pieces(tag: bytes, uid: bool, found: Found) -> Iterator[bytes]:
    """ESEARCH (§7.3.4) in pieces; ALL is left out when nothing was found, PARTIAL never."""
    head = b"* ESEARCH (TAG %b)" % render.quoted(tag)
    if uid:
        head += b" UID"
    for name, value in ((b"MIN", found.minimum), (b"MAX", found.maximum), (b"COUNT", found.count)):
        if value is not None:
            head += b" %b %d" % (name, value)
    yield head
    if found.all:
        yield b" ALL "
        yield from pieces(found.all, NUMBERS_AT_ONCE)
    if found.page is not None:
        asked, numbers = found.page
        yield b" PARTIAL (%b " % bytes(asked)
        if numbers:
            yield from pieces(numbers, NUMBERS_AT_ONCE)
        else:
            yield b"NIL"
        yield b")"
    if found.modseq is not None:
        yield b" MODSEQ %d" % found.modseq
    yield b"\r\n"


def enabled(names: Iterable[bytes]) -> bytes:
    """ENABLED (§7.2.1), also when nothing was."""
    return b" ".join([b"* ENABLED", *names]) + b"\r\n"


def capability(names: Iterable[bytes]) -> bytes:
    return b" ".join([b"* CAPABILITY", *names]) + b"\r\n"


def server_id(fields: Mapping[str, str | None]) -> bytes:
    """ID (RFC 2971 §3.2)."""
    if not fields:
        return b"* ID NIL\r\n"
    words: list[bytes] = []
    for name, value in fields.items():
        words.append(render.string(name.encode("utf-8")))
        words.append(render.nstring(None if value is None else value.encode("utf-8")))
    return b"* ID (%b)\r\n" % b" ".join(words)
