"""The relaxed forms of RFC 6376 §3.4, and that a body may come in any pieces."""

import base64
import hashlib
import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.delivery.signing.canonical import BodyHash, header_fields


def digest(*pieces: bytes) -> bytes:
    body = BodyHash()
    for piece in pieces:
        body.add(piece)
    return body.digest()


def plain(canonical: bytes) -> bytes:
    return hashlib.sha256(canonical).digest()


@pytest.mark.parametrize(
    ("body", "canonical"),
    [
        # RFC 6376 §3.4.5
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"),
        (b"", b""),
        (b"\r\n", b""),
        (b" \t\r\n \r\n\t", b""),
        (b"a", b"a\r\n"),
        (b"a ", b"a\r\n"),
        (b"a\r\n\t \r\n", b"a\r\n"),
        (b"\r\n\r\na\r\n", b"\r\n\r\na\r\n"),
        (b"a \t \r\n\tb\r\n", b"a\r\n b\r\n"),
        # A bare CR or LF ends no line.
        (b"a \n\r\n", b"a \n\r\n"),
        (b"a \rb \r", b"a \rb \r\r\n"),
        (b"a\r\n\n\r\n\r\n", b"a\r\n\n\r\n"),
        (b"a\r\r\n\r\n", b"a\r\r\n"),
        (b"\xff\x00\xa0 \x0b\r\n", b"\xff\x00\xa0 \x0b\r\n"),
    ],
)
def test_bodies(body: bytes, canonical: bytes) -> None:
    assert digest(body) == plain(canonical)
    assert digest(*(body[at : at + 1] for at in range(len(body)))) == plain(canonical)


def test_the_empty_body_has_the_hash_that_the_rfc_gives() -> None:
    assert base64.b64encode(digest()) == b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def straight(body: bytes) -> bytes:
    """RFC 6376 §3.4.4 word by word, over the whole."""
    if body and not body.endswith(b"\r\n"):
        body += b"\r\n"
    lines = [re.sub(rb"[ \t]+", b" ", line).removesuffix(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


@given(st.lists(st.text(" \t\r\na", max_size=8).map(str.encode), max_size=12))
def test_pieces_make_no_difference(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    assert digest(*pieces) == plain(straight(body)) == digest(body)


def test_a_large_body_takes_no_memory() -> None:
    """Whole megabytes of what is held back at its end, too: empty lines, white space."""
    tracemalloc.start()
    body = BodyHash()
    for piece in (b"text \r\n" * 9_000, b"\r\n" * 32_000, b" \t" * 32_000):
        for _ in range(100):
            body.add(piece)
    body.add(b"x")
    ended = body.digest()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000
    lines = b"text\r\n" * 900_000 + b"\r\n" * 3_200_000 + b" x\r\n"
    assert ended == plain(lines)


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        # RFC 6376 §3.4.5
        (b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n", [b"a:X", b"b:Y Z"]),
        (b"Subject:\r\n", [b"subject:"]),
        (b"SUBJECT:\r\n \r\n\tx", [b"subject:x"]),
        (b"Subject: caf\xe9 \xc3\xa9\r\n", [b"subject:caf\xe9 \xc3\xa9"]),
        (b"no field\r\nTo: a:b\r\n", [b"to:a:b"]),
        (b"", []),
    ],
)
def test_header_fields(header: bytes, fields: list[bytes]) -> None:
    assert [one.relaxed for one in header_fields(header)] == fields
