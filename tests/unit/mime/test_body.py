"""Bodies decoded, whole and in slices."""

from __future__ import annotations

import pytest

from malleposte.mime import Part, body_bytes, body_text, decode_body, parse
from malleposte.mime.body import byte_slices, decode_quoted_printable, text_slices


def leaf(header: bytes, body: bytes) -> tuple[bytes, Part]:
    data = header + b"\r\n\r\n" + body
    (part,) = parse(data)
    return data, part


@pytest.mark.parametrize(
    ("encoded", "data"),
    [
        (b"caf=C3=A9", b"caf\xc3\xa9"),
        (b"soft=\r\nbreak", b"softbreak"),
        (b"soft= \t\r\nbreak", b"softbreak"),
        (b"soft=\nbreak", b"softbreak"),
        # White space at the end of a line came on the way, unless it is escaped (rule 3).
        (b"a  \r\nb\t\nc=20\r\n d ", b"a\r\nb\nc \r\n d"),
        (b"a \r b", b"a \r b"),
        (b" " * 5_000 + b"x" + b" " * 5_000 + b"\n", b" " * 5_000 + b"x\n"),
        (b"lower=c3", b"lower\xc3"),
        (b"a=ZZ b=4 c=", b"a=ZZ b=4 c"),
        (b"a==3D", b"a=="),
        (b"a=\rb\n", b"a=\rb\n"),
        (b"a_b", b"a_b"),
        (b"\xe4", b"\xe4"),
    ],
)
def test_quoted_printable(encoded: bytes, data: bytes) -> None:
    assert decode_quoted_printable(encoded) == data


@pytest.mark.parametrize("size", range(1, 9))
def test_quoted_printable_in_slices_as_at_once(size: int) -> None:
    body = b"a  \r\n b=\t\r\nc=3D= \nd \t\n==e =\r\n\r\n=4 "
    data, part = leaf(b"Content-Transfer-Encoding: quoted-printable", body)
    assert b"".join(byte_slices(data, part, size)) == decode_quoted_printable(body)


def test_text_and_data() -> None:
    data, part = leaf(
        b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: base64",
        b"R3L83w0KDQo=",
    )
    assert body_bytes(data, part) == b"Gr\xfc\xdf\r\n\r\n"
    assert body_text(data, part) == decode_body(data, part) == "Grüß\n\n"
    data, part = leaf(b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64", b"iVBO")
    assert decode_body(data, part) == b"\x89PN"


def test_an_unknown_encoding_is_left_alone() -> None:
    data, part = leaf(b"Content-Transfer-Encoding: x-uuencode", b"begin 600 x\r\n")
    assert body_bytes(data, part) == b"begin 600 x\r\n"


def test_slices() -> None:
    data, part = leaf(b"Content-Transfer-Encoding: 8bit", "äöü€".encode() * 10)
    assert max(map(len, byte_slices(data, part, 7))) == 7
    assert "".join(text_slices(data, part, 7)) == "äöü€" * 10


def test_text_in_slices_falls_back_where_it_must() -> None:
    data, part = leaf(b"Content-Transfer-Encoding: 8bit", b"\xc3\xa4abcd\xe4")
    assert "".join(text_slices(data, part, 6)) == "äabcdä"
    data, part = leaf(b"Content-Transfer-Encoding: 8bit", b"abcd\xe4")
    assert "".join(text_slices(data, part, 5)) == "abcdä"
    data, part = leaf(b"Content-Type: text/plain; charset=utf-8", b"abcd\xe4")
    assert "".join(text_slices(data, part, 2)) == "abcd\ufffd"
    data, part = leaf(b"Content-Type: text/plain; charset=utf-16", b"\xff\xfea\0b\0")
    assert "".join(text_slices(data, part, 1)) == "ab"
    data, part = leaf(b"Content-Type: text/plain; charset=utf-7", b"+2AA-b")
    assert "".join(text_slices(data, part)) == "\ufffdb"


def test_an_empty_body() -> None:
    data, part = leaf(b"Subject: x", b"")
    assert list(byte_slices(data, part)) == []
    assert list(text_slices(data, part)) == []
    assert body_text(data, part) == ""
