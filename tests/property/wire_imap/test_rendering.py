"""Whatever text goes into a response, the response is read again as it was meant, and ends there."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from malleposte.wire.imap import codes, render, responses
from malleposte.wire.imap.flags import render_flags
from malleposte.wire.imap.lexer import Reader
from malleposte.wire.imap.limits import Limits

_LIMITS = Limits()
_LITERAL = re.compile(rb"~?\{([0-9]+)\}\r\n")
_hostile = st.one_of(
    st.text(max_size=40),
    st.text(st.sampled_from('\r\n\0"\\{}()[]*% aü'), max_size=30),
    st.sampled_from(["x\r\n* BYE now", "x)\r\nA1 OK done", '"', "\\", "{5}\r\n", "NIL", "", "]"]),
)


def _outside_literals(response: bytes) -> bytes:
    """The response with each literal left out, as a client's reader steps over it."""
    kept = b""
    while (match := _LITERAL.search(response)) is not None:
        quoted = (
            response[: match.start()].replace(b"\\\\", b"").replace(b'\\"', b"").count(b'"') % 2
        )
        if quoted:  # a brace in quotes is text
            kept += response[: match.start() + 1]
            response = response[match.start() + 1 :]
            continue
        kept += response[: match.start()]
        response = response[match.end() + int(match[1]) :]
    return kept + response


def _is_one_line(response: bytes) -> None:
    line = _outside_literals(response)
    assert line.endswith(b"\r\n")
    assert not re.search(rb"[\r\n\0]", line[:-2])


@given(st.binary(max_size=60), st.booleans())
def test_strings_are_read_again(text: bytes, utf8: bool) -> None:
    expected = text.replace(b"\0", b"\x80") if b"\0" in text else text
    for rendered in (render.string(text, utf8), render.astring(text, utf8)):
        reader = Reader(rendered, limits=_LIMITS, utf8=utf8)
        assert reader.astring("x") == expected
        assert reader.at_end()
    reader = Reader(render.nstring(text, utf8), limits=_LIMITS)
    assert reader.nstring("x") == expected
    assert Reader(render.nstring(None), limits=_LIMITS).nstring("x") is None


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
       st.booleans())  # fmt: skip
def test_mailbox_names_are_read_again(name: str, utf8: bool) -> None:
    if name.upper() == "INBOX" or name[:6].upper() == "INBOX/":
        return
    rendered = render.quoted_mailbox(name, utf8)
    assert Reader(rendered, limits=_LIMITS, utf8=utf8).mailbox() == name


@given(_hostile, st.booleans())
def test_names_cannot_end_a_response(name: str, utf8: bool) -> None:
    _is_one_line(responses.list_mailbox([b"\\HasNoChildren"], "/", name, utf8, old_name=name))
    _is_one_line(responses.lsub([], "/", name, utf8))
    _is_one_line(responses.status(name, utf8, {b"MESSAGES": 1}))
    _is_one_line(responses.namespace([(name, "/")], [(name, "/")], [], utf8))


@given(_hostile)
def test_texts_cannot_end_a_response(words: str) -> None:
    for line in (
        responses.ok(b"A1", words),
        responses.no(b"A1", words, codes.CANNOT),
        responses.bye(words),
        responses.continuation(words),
    ):
        assert line.endswith(b"\r\n")
        assert re.fullmatch(rb"[\x20-\x7e]+", line[:-2])
    # No text becomes a response code.
    assert not responses.ok(b"A1", words).startswith(b"A1 OK [")
    _is_one_line(responses.server_id({"name": words, "x": None}))


@given(st.lists(_hostile, max_size=6))
def test_flags_cannot_end_a_response(flags: list[str]) -> None:
    rendered = render_flags(flags)
    assert re.fullmatch(rb"[\x21-\x7e ]*", rendered)
    assert not re.search(rb'[(){%*"\]]', rendered)
