"""Address lists (RFC 5322 §3.4), obsolete and malformed ones included.

Names come out raw: quotes and escapes resolved, encoded words not, since ENVELOPE shows them so;
`display_name` decodes. Invariants: one pass, no recursion, at most `ADDRESSES` and `FIELD_BYTES`;
never raises; what cannot be an address is kept as a name or a mailbox without a domain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from .charset import guess
from .encoded_words import decode_words
from .headers import collapse
from .limits import ADDRESS_TOKENS, ADDRESSES, FIELD_BYTES, NAME_BYTES
from .parameters import skip_comment


class Address(NamedTuple):
    """One mailbox. Everything is raw bytes on one line.

    `name` is the phrase before the address, `comment` what stood in parentheses. `host` is empty
    if there was no `@`; `route` is the obsolete source route (RFC 5322 §4.4), without its colon.
    """

    name: bytes
    mailbox: bytes
    host: bytes
    comment: bytes = b""
    route: bytes = b""

    @property
    def addr_spec(self) -> bytes:
        """`local@domain`, or what stands for it."""
        return self.mailbox + b"@" + self.host if self.host else self.mailbox


class Group(NamedTuple):
    """A named group (RFC 5322 §3.4): its members may be none."""

    name: bytes
    members: tuple[Address, ...]
    comment: bytes = b""


AddressList = list["Address | Group"]

# The well-formed bulk of real fields: an optional name without escapes, an addr-spec of atoms.
_SIMPLE: Final = re.compile(
    rb"\s*+(?:(?:\"([^\"\\\r\n]*+)\"|([^\x00-\x20\x7f()<>@,:;\"\\=][^\x00-\x1f\x7f()<>@,:;\"\\]*+))?\s*+"
    rb"<([^\x00-\x20\x7f()<>@,:;\"\\]++)@([^\x00-\x20\x7f()<>@,:;\"\\\[\]]++)>"
    rb"|([^\x00-\x20\x7f()<>@,:;\"\\]++)@([^\x00-\x20\x7f()<>@,:;\"\\\[\]]++))\s*+(?:,|\Z)"
)


def addresses(value: bytes, limit: int = FIELD_BYTES) -> AddressList:
    """The addresses and groups of a raw field value, of which `limit` octets are read."""
    value = value[:limit]
    found: AddressList = []
    at = 0
    size = len(value)
    while at < size:
        match = _SIMPLE.match(value, at)
        if match is None or match.end() - at > NAME_BYTES:
            if value[at:].isspace():
                break
            return _loose(value)
        quoted, phrase, mailbox, host, bare_mailbox, bare_host = match.groups()
        if bare_mailbox is not None:
            found.append(Address(b"", bare_mailbox, bare_host))
        else:
            name = quoted if quoted is not None else phrase.rstrip() if phrase else b""
            found.append(Address(name, mailbox, host))
        at = match.end()
        if len(found) >= ADDRESSES:
            break
    return found


_TOKEN: Final = re.compile(rb"\s++|<([^<>]*+)>?|[(),:;>\"]|[^\s\"<(),:;]++")
_QUOTED: Final = re.compile(rb"\"((?:[^\"\\]|\\.)*+)\"", re.DOTALL)
_ESCAPE: Final = re.compile(rb"\\(.)", re.DOTALL)


class _Item:
    """One list item while its tokens come in."""

    __slots__ = ("angle", "comments", "quoted", "words")

    def __init__(self) -> None:
        self.words: list[bytes] = []  # phrase or bare address, white space as b" "
        self.comments: list[bytes] = []
        self.angle: bytes | None = None
        self.quoted = False

    def phrase(self) -> bytes:
        """The words joined; a quoted string keeps its own outer spaces."""
        if self.words and self.words[-1] == b" ":
            self.words.pop()
        return b"".join(self.words)[:NAME_BYTES]

    def comment(self) -> bytes:
        return b" ".join(self.comments)[:NAME_BYTES]

    def address(self, *, member: bool) -> Address | None:
        """What the item is; `member`: of a group, which may hold nothing but comments."""
        if self.angle is not None:
            return _angle(self.phrase(), self.angle, self.comment())
        text = self.phrase()
        if text:
            return _bare(text, self.comment(), self.quoted)
        if self.comments and not member:  # RFC 5322 §3.4 `group-list`
            return Address(b"", b"", b"", self.comment())
        return None


def _loose(value: bytes) -> AddressList:
    found: AddressList = []
    members: list[Address] | None = None
    group = _Item()
    item = _Item()
    closed = True
    count = tokens = 0
    at = 0
    size = len(value)
    while at < size and count < ADDRESSES and tokens < ADDRESS_TOKENS:
        tokens += 1
        match = _TOKEN.match(value, at)
        if match is None:
            at += 1
            continue
        token = match[0]
        at = match.end()
        first = token[0]
        if first == 0x22:
            quoted = _QUOTED.match(value, match.start()) if closed else None
            closed = quoted is not None  # one that is left open opens nothing, nor do later ones
            if quoted is not None:
                item.quoted = True
                item.words.append(_unquote(quoted[1]))
                at = quoted.end()
        elif first == 0x3C:
            if item.angle is None:
                item.angle = match[1]
                comma = token.find(b",")
                if not token.endswith(b">") and comma > 0 and not item.angle.startswith(b"@"):
                    item.angle = token[1:comma]  # left open: it ends where the next begins
                    at = match.start() + comma
                if item.words and item.words[-1] != b" ":
                    item.words.append(b" ")
        elif first == 0x28:
            end = skip_comment(value, match.start())
            item.comments.append(_comment(value[match.start() : end]))
            at = end
        elif first == 0x3A:
            if members is None and item.angle is None:
                group, item, members = item, _Item(), []
            else:
                item.words.append(token)
        elif first in b",;":
            address = item.address(member=members is not None)
            item = _Item()
            if address is not None:
                count += 1
                (found if members is None else members).append(address)
            if first == 0x3B and members is not None:
                found.append(Group(group.phrase(), tuple(members), group.comment()))
                members = None
                count += 1
        elif first == 0x3E:
            continue  # one that closes nothing
        elif token.isspace():
            if item.words and item.words[-1] != b" ":
                item.words.append(b" ")
        else:
            item.words.append(token)
    address = item.address(member=members is not None)
    if address is not None and count < ADDRESSES:
        (found if members is None else members).append(address)
    if members is not None:
        found.append(Group(group.phrase(), tuple(members), group.comment()))
    return found


def _unquote(text: bytes) -> bytes:
    if b"\n" in text or b"\r" in text or b"\0" in text:
        text = text.translate(None, b"\r\n\0")
    return _ESCAPE.sub(rb"\1", text) if b"\\" in text else text


def _comment(text: bytes) -> bytes:
    """The text of a comment: outer parentheses, folds and escapes resolved."""
    inner = text[1:-1] if text.endswith(b")") else text[1:]
    return collapse(_ESCAPE.sub(rb"\1", inner))


def _angle(name: bytes, inner: bytes, comment: bytes) -> Address:
    """`inner` is what stands between angle brackets."""
    if b"(" in inner:
        inner, more = _uncomment(inner)
        comment = b" ".join(filter(None, (comment, more)))
    inner = collapse(inner)
    route = b""
    if inner.startswith(b"@"):
        head, colon, tail = inner.partition(b":")
        if colon:
            route, inner = head[:NAME_BYTES], tail
    mailbox, host = _split(inner)
    return Address(name, mailbox, host, comment, route)


def _bare(text: bytes, comment: bytes, quoted: bool) -> Address:
    """An item without angle brackets: an addr-spec, the name of somebody, or both.

    A single name with a comment beside it is a mailbox: the comment is the name (`root (Cron)`).
    """
    if b"@" not in text:
        return Address(b"", text, b"", comment) if comment else Address(text, b"", b"")
    name = b""
    if b" " in text:
        text = _ABOUT_DOTS.sub(rb"\1", text)
        if b" " in text and not quoted:
            words = text.split(b" ")
            place = next(n for n, word in enumerate(words) if b"@" in word)
            text = words.pop(place)
            name = b" ".join(words)
    mailbox, host = _split(text)
    return Address(name, mailbox, host, comment)


# White space about dots and @ is no part of an address (RFC 5322 §4.4). The look-behind lets a
# run of spaces be tried once only.
_ABOUT_DOTS: Final = re.compile(rb"(?:(?<!\s)\s++)?([.@])\s*+")


def _split(spec: bytes) -> tuple[bytes, bytes]:
    """Local part and domain: cut at the last `@`."""
    local, at, host = spec[:NAME_BYTES].rpartition(b"@")
    if not at:
        return host, b""
    if len(local) > 1 and local.startswith(b'"') and local.endswith(b'"'):
        return _unquote(local[1:-1]), host.strip()
    if b" " in spec:
        local = _ABOUT_DOTS.sub(rb"\1", local).strip()
        host = _ABOUT_DOTS.sub(rb"\1", host).strip()
    return local, host


def _uncomment(text: bytes) -> tuple[bytes, bytes]:
    kept: list[bytes] = []
    comments: list[bytes] = []
    at = 0
    while (start := text.find(b"(", at)) >= 0:
        kept.append(text[at:start])
        at = skip_comment(text, start)
        comments.append(_comment(text[start:at]))
    kept.append(text[at:])
    return b"".join(kept), b" ".join(comments)


def mailboxes(found: AddressList) -> Iterator[Address]:
    """Every address, those of groups included."""
    for entry in found:
        if isinstance(entry, Group):
            yield from entry.members
        else:
            yield entry


def display_name(raw: bytes) -> str:
    """A raw name or comment as text, encoded words decoded."""
    if b"=?" in raw:
        return decode_words(raw)
    return raw.decode("ascii") if raw.isascii() else guess(raw)
