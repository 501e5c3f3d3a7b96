"""Content off the wire: beside a slow reader written from the RFC, at every cut."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.wire.smtp.content import DotReader, NewlineWatch
from support.dialogues import in_pieces


def reference(octets: bytes) -> tuple[bytes, bytes | None]:
    """RFC 5321 §4.5.2, line by line: lines end with CRLF and nothing else."""
    content = b""
    while True:
        line, crlf, octets = octets.partition(b"\r\n")
        if not crlf:
            return content + (line[1:] if line.startswith(b".") else line), None
        if line == b".":
            return content, octets
        content += (line[1:] if line.startswith(b".") else line) + crlf


def read(pieces: list[bytes]) -> tuple[bytes, bytes | None]:
    reader = DotReader()
    content = b""
    for number, piece in enumerate(pieces):
        new, rest = reader.feed(piece)
        content += new
        if rest is not None:
            return content, rest + b"".join(pieces[number + 1 :])
    return content, None


# Octets that matter are frequent, so that every border case comes by.
wire = st.lists(
    st.sampled_from([b"\r\n", b"\r\n", b".", b".", b"\r", b"\n", b"\r\n.\r\n", b"a", b"bc", b"\0"]),
    max_size=25,
).map(b"".join)


@given(wire, st.lists(st.integers(1, 60), max_size=12))
def test_as_the_reference(octets: bytes, cuts: list[int]) -> None:
    expected = reference(octets + b"\r\n.\r\nrest")
    assert read(in_pieces(octets + b"\r\n.\r\nrest", cuts)) == expected


@given(wire, st.lists(st.integers(1, 60), max_size=12))
def test_unfinished_gives_out_all_but_what_may_be_the_end(octets: bytes, cuts: list[int]) -> None:
    content, rest = read(in_pieces(octets, cuts))
    expected, expected_rest = reference(octets)
    assert rest == expected_rest
    if rest is None:
        assert expected.startswith(content)
        assert len(octets) - len(content) <= 4 + octets.count(b"\r\n.") + 1


@given(st.binary(max_size=300), st.lists(st.integers(1, 300), max_size=8))
def test_stuffed_content_comes_back(content: bytes, cuts: list[int]) -> None:
    if not content.endswith(b"\r\n"):
        content += b"\r\n"
    stuffed = re.sub(rb"(^|\r\n)\.", rb"\1..", content) + b".\r\n"
    assert read(in_pieces(stuffed, cuts)) == (content, b"")


def test_empty_content() -> None:
    assert read([b".\r\n"]) == (b"", b"")
    assert read([b".", b"\r", b"\nNOOP\r\n"]) == (b"", b"NOOP\r\n")


def test_a_dot_is_dropped_whatever_follows() -> None:
    assert read([b".a\r\n.b\r\n..\r\n.\r\n"]) == (b"a\r\nb\r\n.\r\n", b"")


def watch(pieces: list[bytes]) -> tuple[bool, bool]:
    seen = NewlineWatch()
    for piece in pieces:
        seen.see(piece)
    seen.finish()
    return seen.bare, seen.false_end


def has_bare(content: bytes) -> bool:
    rest = content.replace(b"\r\n", b"")
    return b"\r" in rest or b"\n" in rest


def has_false_end(content: bytes) -> bool:
    """Slowly: would a server that takes any newline for one, and drops NULs, see a lone dot that
    a stuffing sender would not have doubled?"""
    text = b"\r\n" + content
    if not text.endswith(b"\r\n"):
        text += b"\r\n"  # the sender would
    for found in re.finditer(rb"\.", text):
        before = text[: found.start()].rstrip(b"\0")
        after = text[found.end() :].lstrip(b"\0")
        stuffed = text[: found.start()].endswith(b"\r\n")
        if before[-1:] in (b"\r", b"\n") and after[:1] in (b"\r", b"\n") and not stuffed:
            return True
    return False


@given(wire, st.lists(st.integers(1, 60), max_size=12))
def test_bare_newlines_are_seen_at_any_cut(content: bytes, cuts: list[int]) -> None:
    assert watch(in_pieces(content, cuts))[0] is has_bare(content)


@given(wire, st.lists(st.integers(1, 60), max_size=12))
def test_false_ends_are_seen_at_any_cut(content: bytes, cuts: list[int]) -> None:
    assert watch(in_pieces(content, cuts))[1] is has_false_end(content)


@pytest.mark.parametrize(
    "content",
    [
        b"x\n.\n",
        b"x\n.\r\n",
        b"x\r.\r",
        b"x\r.\r\n",
        b"x\r\n\0.\r\n",
        b"x\n\0\0\0.\0\0\r\n",
        b"\0.\r\n",
        b"x\n.",
        b"\0.",
    ],
)
def test_false_ends(content: bytes) -> None:
    assert watch([content])[1]
    assert watch(in_pieces(content, range(len(content))))[1]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a\r\nb\r\n",
        b"a\nb\n",
        b"\r\n.\r\n",
        b"a\n.b\n",
        b"a.\n",
        b"a\r\n.\n",
        "a.b\n".encode("utf-16"),
    ],
)
def test_no_false_ends(content: bytes) -> None:
    assert not watch([content])[1]
    assert not watch(in_pieces(content, range(len(content))))[1]
