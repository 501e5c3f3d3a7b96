"""Who wrote a message by its header: all that reads like an address counts, at a bounded price."""

import time

import pytest

from malleposte.delivery.authorship import FIELDS, OCTETS, NotAllowed, claims, without_notes
from malleposte.delivery.submitted import HEADER, header_size, mended
from malleposte.mime.ascii_header import ascii_header

HOSTILE = [
    b"a" * 4_000,
    b'"\\' * 2_000,
    b'"' + b'\\"' * 2_000,
    b"(" + b"\\(" * 2_000,
    b"(" * 4_000,
    b"(\\" * 2_000,
    b"()" * 2_000,
    b'""' * 2_000,
    b"(" * 2_000 + b")" * 2_000,
    b"a@" * 2_000,
    b"<" * 4_000,
    b"a b " * 1_000,
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_hostile_from_takes_no_time(number: int) -> None:
    """Once 8 s for a header of such fields, in the loop."""
    started = time.process_time()
    claims(b"From: " + HOSTILE[number] + b"\r\n\r\n")
    assert time.process_time() - started < 0.1


@pytest.mark.parametrize("line", [b"a:\r\n", b"a\r\n", b" \r\n", b"a: \xc3\xa4\r\n", b"\r"])
def test_a_header_as_large_as_may_be_holds_up_nobody(line: bytes) -> None:
    header = b"Subject: x\r\n" + line * ((HEADER - 20) // len(line)) + b"\r\n\r\n"
    assert 0 < header_size(header[:HEADER]) <= HEADER
    started = time.process_time()
    try:
        claims(header)
    except NotAllowed:
        return
    finally:
        assert time.process_time() - started < 0.1
    mended(header, "me@example.org", 0)
    ascii_header(header)
    assert time.process_time() - started < 0.3


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (b"a (b) c", b"a   c"),
        (b"a (b (c) d) e", b"a   e"),
        (b'a "b" c', b"a   c"),
        (b'a "b (c" d) e', b"a   d) e"),
        (b'a (b "c) d" e', b'a   d" e'),
        (b'"a \\" b" c', b"  c"),
        (b"(a \\) b) c", b"  c"),
        (b'\\"a" b', b"\\  b"),
        (b'a "b c', b'a "b c'),
        (b"a (b c", b"a (b c"),
        (b"a ((b) c", b"a ((b) c"),
        (b'"a"@b', b'"a"@b'),
        (b'"a" "b', b'  "b'),
    ],
)
def test_comments_and_quotes_go_where_they_are_closed(value: bytes, left: bytes) -> None:
    assert without_notes(value) == left


def test_what_is_not_closed_hides_no_address() -> None:
    for value in (b'a@b.example (x, c@d.example "', b'a@b.example "x (c@d.example) <c@d.example>'):
        assert "c@d.example" in claims(b"From: " + value + b"\r\n").named


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (b"From: a@b\r\nfrom : a@b\r\n", "From more than once"),
        (b"Sender: a@b\r\nSender: a@b\r\n", "Sender more than once"),
        (b"Subject: a\0b\r\n", "NUL"),
        (b"S\xc3\xbcbject: a\r\n", "not printable ASCII"),
        (b"From\r\n : a@b\r\nSubject: x\r\n", "goes on in the next"),
        (b"From: " + b"a" * OCTETS + b"\r\n", "From is too long"),
        (b"Resent-From: " + b"Resent-From: a@b\r\n" * 999, "Resent-From is too long"),
        (b"a:\r\n" * (FIELDS + 1), "more than 2000 fields"),
    ],
)
def test_what_is_read_in_more_ways_than_one_is_refused_in_words(header: bytes, words: str) -> None:
    with pytest.raises(NotAllowed, match=words) as refused:
        claims(header)
    assert (refused.value.code, refused.value.enhanced) == (554, "5.6.0")


def test_odd_headers_of_old_programs_pass() -> None:
    """A line of an mbox, one that is no field, white space before a colon: they say nothing of authors."""
    header = b"From a@b Mon Jan 1 00:00:00\r\nno field\r\nSubject : x\r\n y\r\nFrom: a@b\r\n\r\n"
    assert claims(header).authors == ("a@b",)
    assert claims(b"text without a header\r\n that goes on\r\n").has_from is False
