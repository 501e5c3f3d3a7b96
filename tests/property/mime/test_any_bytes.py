"""The parser and all that is derived from it, on any bytes: nothing raises, all of it holds."""

from __future__ import annotations

import mmap
import sys
import tempfile
from collections.abc import Iterator
from types import FrameType
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.mime import Kind, Part, body_bytes, parse, summarize
from malleposte.mime.body import byte_slices, text_slices
from malleposte.mime.charset import decode
from malleposte.mime.encoded_words import decode_text, decode_words, encode_word
from malleposte.mime.received import received
from unit.mime.invariants import check_message

FRAGMENTS = [
    *(b"\r\n \n\t\0\x80\xff:;,<>()[]{}@\"\\'=?-_*%/.~"[i : i + 1] for i in range(34)),
    b"\r\n",
    b"\n",
    b"\r\n\r\n",
    b"\n\n",
    b"\r\n ",
    b"--b",
    b"--b--",
    b"\n--b\n",
    b"\r\n--b\r\n",
    b"\n--bb\n",
    b"\n--b--\n",
    b"From me Mon Jan  5 10:00:00 2026\n",
    b"From: ",
    b"To: ",
    b"Cc: ",
    b"Sender: ",
    b"Subject: ",
    b"Date: ",
    b"Message-ID: ",
    b"References: ",
    b"Content-Type: multipart/mixed; boundary=b\n\n",
    b"Content-Type: multipart/digest; boundary=bb\r\n\r\n",
    b'Content-Type: multipart/alternative;\n boundary="b"\n\n',
    b"Content-Type: message/rfc822\n\n",
    b"Content-Type: message/global\n\n",
    b"Content-Type: text/plain; charset=",
    b"Content-Type: text/html\n\n",
    b"Content-Transfer-Encoding: base64\n",
    b"Content-Transfer-Encoding: quoted-printable\n",
    b"Content-Disposition: attachment; filename=",
    b"Content-Description: ",
    b"Content-ID: <x>\n",
    b"Content-Language: de, en\n",
    b"Content-Location: ",
    b"filename*0*=utf-8''%C3%A4",
    b"; name*1=x",
    b"=?utf-8?q?=C3=A4?=",
    b"=?utf-8?b?w6Q=?=",
    b"=?iso-2022-jp?b?GyRCJUYbKEI=?=",
    b"=?utf-7?q?+2AA-?=",
    b"ann@example.org",
    b"Ann <ann@example.org>",
    b'"A, B" <a@b>',
    b"group: a@b, c@d;",
    b"Fri, 07 Oct 1994 16:15:05 -0700",
    b"utf-8",
    b"us-ascii",
    b"utf-16",
    "ä€𝄞".encode(),
    b"\xe4\xf6",
    b"Re: [list] ",
    b"(fwd)",
    b"<!-- <script> <a href='>'>",
    b"word",
]

soup = st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=8), max_size=60).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(soup)
def test_everything_holds_of_any_bytes(data: bytes) -> None:
    check_message(data)


@settings(max_examples=100, deadline=None)
@given(soup)
def test_the_kind_of_buffer_makes_no_difference(data: bytes) -> None:
    expected = summarize(data)
    assert summarize(memoryview(data)) == expected
    assert summarize(bytearray(data)) == expected
    if data:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                assert summarize(mapped) == expected


@settings(max_examples=200, deadline=None)
@given(soup, st.integers(300, 600), st.lists(st.integers(0, 700), max_size=6))
def test_where_slices_are_cut_makes_no_difference(data: bytes, size: int, gaps: list[int]) -> None:
    # Filled up, so that the cuts fall on line ends, dashes and boundaries.
    for gap in gaps:
        at = gap * 7 % (len(data) + 1)
        data = data[:at] + b"x" * gap + data[at:]
    expected = parse(data)
    with (
        patch("malleposte.mime.structure.SLICE_BYTES", size),
        patch("malleposte.mime.scanner.SLICE_BYTES", size),
        patch("malleposte.mime.structure.SLICE_LOOKUPS", 2),
    ):
        assert parse(data) == expected


def leaf(data: bytes, encoding: str, charset: str | None = None) -> Part:
    return Part("1", Kind.LEAF, 0, -1, 0, 0, len(data), 0, charset=charset, encoding=encoding)


escapes = st.lists(
    st.sampled_from(
        [b"=", b"=3D", b"=\r\n", b"=\n", b"= \t\n", b"=\r", b"==", b" ", b"\n", b"\r\n"]
    )
    | st.sampled_from([b"=C3=A4", b"a", b"B", b"4", b"_", b"\t"])
    | st.binary(max_size=3)
).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(escapes, st.integers(1, 9))
def test_quoted_printable_in_slices_is_the_same(data: bytes, size: int) -> None:
    part = leaf(data, "quoted-printable")
    assert b"".join(byte_slices(data, part, size)) == body_bytes(data, part)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([b"QUJD", b"QQ==", b"=", b"A", b"\r\n", b"-", b" "])),
    st.integers(1, 9),
)
def test_base64_in_slices_is_the_same(pieces: list[bytes], size: int) -> None:
    data = b"".join(pieces)
    part = leaf(data, "base64")
    assert b"".join(byte_slices(data, part, size)) == body_bytes(data, part)


@given(st.text(), st.sampled_from(["utf-8", "utf-16-le", None]), st.integers(1, 5))
def test_text_in_slices_is_the_same(text: str, charset: str | None, size: int) -> None:
    raw = text.encode(charset or "utf-8")
    part = leaf(raw, "", charset)
    assert "".join(text_slices(raw, part, size)) == decode(raw, charset)
    if not text.startswith("\ufeff"):
        assert decode(raw, charset) == text


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1))
def test_encoded_words_come_back(text: str) -> None:
    words = encode_word(text)
    assert decode_words(words) == text
    assert all(len(word) <= 75 for word in words.split(b" "))
    assert words.isascii()


@given(soup)
def test_fields_of_any_bytes(data: bytes) -> None:
    decode_text(data)
    received(data)


def calls(data: bytes) -> int:
    """How many functions a summary calls, C functions included."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(trace)
    try:
        summarize(data)
    finally:
        sys.setprofile(None)
    return count


def openings() -> Iterator[bytes]:
    yield b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    yield b"Subject: x\r\nTo: "
    yield b"Content-Type: text/plain; "
    yield b"X: "
    yield b""


@pytest.mark.parametrize("opening", list(openings()))
@settings(max_examples=60, deadline=None)
@given(fragment=st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=4).map(b"".join))
def test_work_is_linear(opening: bytes, fragment: bytes) -> None:
    small, large = calls(opening + fragment * 50), calls(opening + fragment * 400)
    # Eight times the message: quadratic work would be 64 times as much.
    assert large <= 12 * small + 1_000
