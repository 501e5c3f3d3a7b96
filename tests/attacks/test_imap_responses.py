"""The texts of `imap_responses.txt` in every IMAP response that could carry them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from malleposte.wire.imap import account_responses, codes, fetch_rows, render, responses
from malleposte.wire.imap.flags import render_flags
from malleposte.wire.imap.lexer import Reader
from malleposte.wire.imap.limits import Limits
from unit.wire.imap.conversation import unescape

_LIMITS = Limits()
_TOKEN = re.compile(
    rb'(?P<quoted>"(?:[^"\\\r\n\0]|\\["\\])*")|~?\{(?P<size>[0-9]+)\}\r\n|(?P<end>\r\n)'
    rb'|[()\[\]<> ]|[^\x00-\x20()\[\]<>"{}\x7f]+'
)


def _texts() -> Iterator[tuple[str, bytes]]:
    for line in (Path(__file__).parent / "imap_responses.txt").read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, text = line.partition("|")
            yield name.strip(), unescape(text[1:])


_PARAMS = [pytest.param(text, id=name) for name, text in _texts()]


def _lines(response: bytes) -> int:
    """How many responses a client sees; fails on octets that are no token."""
    position = 0
    lines = 0
    while position < len(response):
        match = _TOKEN.match(response, position)
        assert match, response[position:]
        position = match.end() + int(match["size"] or 0)
        lines += match["end"] is not None
    assert position == len(response)
    assert response.endswith(b"\r\n")
    return lines


@pytest.mark.parametrize("utf8", [False, True])
@pytest.mark.parametrize("text", _PARAMS)
def test_as_a_mailbox_name(text: bytes, utf8: bool) -> None:
    name = text.decode("utf-8", "replace")
    for response in (
        responses.list_mailbox([b"\\HasNoChildren"], "/", name, utf8, old_name=name),
        responses.lsub([], "/", name, utf8),
        responses.status(name, utf8, {b"MESSAGES": 1}),
        responses.namespace([(name, "/")], [(name, "/")], [], utf8),
        account_responses.metadata(name, utf8, [("/private/comment", None)]),
        account_responses.quota_root(name, utf8, [name, ""]),
        account_responses.quota(name, [(b"STORAGE", 1, 2)]),
    ):
        assert _lines(response) == 1
    back = Reader(render.quoted_mailbox(name, utf8), limits=_LIMITS, utf8=utf8)
    if "\0" not in name:
        assert back.mailbox() == name
        assert back.at_end()


@pytest.mark.parametrize("text", _PARAMS)
def test_as_a_header_or_body(text: bytes) -> None:
    for utf8 in (False, True):
        for rendered in (render.string(text, utf8), render.astring(text, utf8)):
            assert _lines(b"* 1 FETCH (X " + rendered + b")\r\n") == 1
    assert _lines(responses.server_id({"name": text.decode("utf-8", "replace")})) == 1


@pytest.mark.parametrize("text", _PARAMS)
def test_as_a_keyword(text: bytes) -> None:
    rendered = render_flags(["\\Seen", text.decode("utf-8", "replace"), "$Junk"])
    row = fetch_rows.fetch_uid_flags([1], [1], [rendered])
    assert _lines(row) == 1
    # One list of flags, closed where ours closes it.
    assert row.count(b"(") == row.count(b")") == 2
    assert row.startswith(b"* 1 FETCH (UID 1 FLAGS (\\Seen ")
    assert row.endswith(b" $Junk))\r\n")


@pytest.mark.parametrize("text", _PARAMS)
def test_as_words_for_people(text: bytes) -> None:
    words = text.decode("utf-8", "replace")
    for line, start in (
        (responses.no(b"A1", words, codes.CANNOT), b"A1 NO [CANNOT] "),
        (responses.ok(b"A1", words), b"A1 OK "),
        (responses.bye(words), b"* BYE "),
        (responses.continuation(words), b"+ "),
    ):
        assert line.startswith(start)
        assert re.fullmatch(rb"[\x20-\x7e]+\r\n", line)
        assert not line[len(start) :].startswith(b"[")
