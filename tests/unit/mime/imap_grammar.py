"""A strict reader of what IMAP's formal syntax allows in ENVELOPE, BODY and BODYSTRUCTURE.

Written from RFC 9051 §9 and RFC 3501 §9, knows nothing of the code that it checks. `None` is NIL,
strings are bytes, numbers int, lists `Node`. Everything that is not exactly the grammar raises
`AssertionError`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass
class Node:
    """A parenthesised list; `gaps` are what stands between its items: a space or nothing."""

    items: list[Item] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)


Item = Node | bytes | int | None

_TOKEN = re.compile(
    rb'\(|\)| |NIL|\d+|"(?:[^"\\\x00\r\n]|\\["\\])*"|\{(\d+)\}\r\n',
)


def read(data: bytes, utf8: bool) -> Item:
    """One item, the whole of `data`. Without `utf8` nothing outside literals is 8-bit."""
    at = 0
    stack: list[Node] = [Node()]
    gap = ""
    while at < len(data):
        match = _TOKEN.match(data, at)
        assert match is not None, (at, data[at : at + 40])
        token = match[0]
        at = match.end()
        if token == b" ":
            assert gap == "", "two spaces"
            assert stack[-1].items, "a space first"
            gap = " "
            continue
        if token == b")":
            assert gap == "", "a space last"
            assert len(stack) > 1, "too many parentheses"
            stack.pop()
            continue
        top = stack[-1]
        if top.items:
            top.gaps.append(gap)
        else:
            assert gap == ""
        gap = ""
        if token == b"(":
            node = Node()
            top.items.append(node)
            stack.append(node)
        elif token == b"NIL":
            top.items.append(None)
        elif token.startswith(b'"'):
            inner = token[1:-1]
            assert inner.isascii() or utf8, "8-bit in a quoted string"
            inner.decode()
            top.items.append(re.sub(rb"\\(.)", rb"\1", inner))
        elif token.startswith(b"{"):
            size = int(match[1])
            literal = data[at : at + size]
            assert len(literal) == size, "a short literal"
            assert b"\0" not in literal, "NUL"
            top.items.append(literal)
            at += size
        else:
            assert token == b"0" or not token.startswith(b"0")
            number = int(token)
            assert number < 2**32
            top.items.append(number)
    assert len(stack) == 1, "parentheses left open"
    assert gap == ""
    (item,) = stack[0].items
    return item


def spaced(node: Item) -> list[Item]:
    """The items of a list that are separated by one space each."""
    assert isinstance(node, Node)
    assert all(gap == " " for gap in node.gaps), node.gaps
    return node.items


def string(item: Item) -> bytes:
    assert isinstance(item, bytes), item
    return item


def nstring(item: Item) -> None:
    assert item is None or isinstance(item, bytes), item


def number(item: Item) -> int:
    assert isinstance(item, int), item
    return item


def check_envelope(item: Item) -> None:
    """envelope = "(" env-date SP env-subject SP env-from SP … SP env-message-id ")" """
    date, subject, *lists, in_reply_to, message_id = spaced(item)
    assert len(lists) == 6
    for text in (date, subject, in_reply_to, message_id):
        nstring(text)
    for addresses in lists:
        check_addresses(addresses)


def check_addresses(item: Item) -> None:
    """ "(" 1*address ")" / nil; groups open and close in pairs."""
    if item is None:
        return
    assert isinstance(item, Node)
    assert item.items
    assert all(gap == "" for gap in item.gaps)
    group = False
    for address in item.items:
        name, route, mailbox, host = spaced(address)
        for text in (name, route, mailbox, host):
            nstring(text)
        if host is None:
            assert name is None
            assert route is None
            assert group is (mailbox is None), "a group's marks out of order"
            group = not group
    assert not group


def check_parameters(item: Item) -> None:
    """ "(" string SP string *(SP string SP string) ")" / nil"""
    if item is None:
        return
    pairs = spaced(item)
    assert pairs
    assert len(pairs) % 2 == 0
    for text in pairs:
        string(text)


def check_extension(items: list[Item]) -> None:
    """Disposition, language, location: all are given."""
    disposition, language, location = items
    if disposition is not None:
        kind, parameters = spaced(disposition)
        string(kind)
        check_parameters(parameters)
    if isinstance(language, Node):
        assert language.items
        for tag in spaced(language):
            string(tag)
    else:
        nstring(language)
    nstring(location)


def check_body(item: Item, extended: bool, global_: bool) -> None:
    """body = "(" (body-type-1part / body-type-mpart) ")"

    `global_`: message/global carries an envelope, as in RFC 9051; not so in RFC 3501.
    """
    assert isinstance(item, Node)
    assert item.items
    if isinstance(item.items[0], Node):
        check_multipart(item, extended, global_)
        return
    fields = spaced(item)
    kind, subtype = string(fields[0]).lower(), string(fields[1]).lower()
    check_parameters(fields[2])
    nstring(fields[3])
    nstring(fields[4])
    string(fields[5])
    number(fields[6])
    rest = fields[7:]
    if kind == b"text":
        number(rest.pop(0))
    elif kind == b"message" and (subtype == b"rfc822" or (global_ and subtype == b"global")):
        check_envelope(rest.pop(0))
        check_body(rest.pop(0), extended, global_)
        number(rest.pop(0))
    if extended:
        nstring(rest.pop(0))  # md5
        check_extension(rest)
    else:
        assert rest == []


def check_multipart(item: Node, extended: bool, global_: bool) -> None:
    """body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]"""
    count = 0
    while isinstance(item.items[count], Node):
        check_body(item.items[count], extended, global_)
        count += 1
    assert all(gap == "" for gap in item.gaps[: count - 1])
    assert all(gap == " " for gap in item.gaps[count - 1 :])
    rest = item.items[count:]
    string(rest.pop(0))
    if extended:
        check_parameters(rest.pop(0))
        check_extension(rest)
    else:
        assert rest == []
