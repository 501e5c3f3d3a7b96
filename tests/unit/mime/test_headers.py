"""Header fields as raw bytes."""

from __future__ import annotations

import pytest

from malleposte.mime import Limits, fields, header_fields, last_values
from malleposte.mime.headers import collapse, unfold

HEADER = b"From: a\r\nX-Long: one\r\n two\r\nSubject : s\r\nfrom: b\r\nnot a field\r\n\r\n"


def test_fields_with_their_offsets() -> None:
    found = fields(HEADER)
    assert [(field.name, field.value) for field in found] == [
        (b"From", b" a"),
        (b"X-Long", b" one\r\n two"),
        (b"Subject", b" s"),
        (b"from", b" b"),
    ]
    for field in found:
        assert HEADER[field.start :].startswith(field.name)
        assert HEADER[field.value_start - 1] == ord(":")
        assert HEADER[field.value_start : field.end].rstrip() == field.value
        assert HEADER[field.end - 1] == ord("\n")


def test_of_repeated_fields_the_last_counts() -> None:
    assert last_values(HEADER)[b"from"].strip() == b"b"


def test_an_mbox_line_is_no_field() -> None:
    header = b"From me@x Mon Jan  5 10:00:00 2026\nTo: a\n\n"
    assert [field.name for field in fields(header)] == [b"To"]
    assert list(last_values(b">" + header)) == [b"to"]


def test_the_number_of_fields_is_bounded() -> None:
    header = b"A: b\r\n" * 10_000
    assert len(fields(header)) == 5_000
    assert len(fields(header, Limits(header_fields=7))) == 7
    names = b"".join(b"N%d: x\n" % number for number in range(10_000))
    assert len(last_values(names)) == 5_000


@pytest.mark.parametrize(
    ("raw", "unfolded", "collapsed"),
    [
        (b" a\r\n\tb ", b"a\tb", b"a b"),
        (b"a \n   b", b"a    b", b"a b"),
        (b"a\rb\0c", b"abc", b"abc"),
        (b"\r\n a", b"a", b"a"),
        (b"plain", b"plain", b"plain"),
    ],
)
def test_folds(raw: bytes, unfolded: bytes, collapsed: bytes) -> None:
    assert unfold(raw) == unfolded
    assert collapse(raw) == collapsed


def test_header_fields_as_imap_wants_them() -> None:
    assert header_fields(HEADER, [b"FROM", b"x-long"]) == (
        b"From: a\r\nX-Long: one\r\n two\r\nfrom: b\r\n\r\n"
    )
    assert header_fields(HEADER, [b"FROM", b"x-long"], negate=True) == b"Subject : s\r\n\r\n"
    assert header_fields(HEADER, [b"none"]) == b"\r\n"
    assert header_fields(b"", [b"from"]) == b"\r\n"
    assert header_fields(b"From: cut off", [b"from"]) == b"From: cut off\r\n\r\n"
