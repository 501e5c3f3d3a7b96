"""Messages made to hurt a parser: each is read in bounded work, in slices, into bounded columns.

Work is counted in function calls, since times say more about the machine: a slice of 50,000 calls
takes some 15 ms.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest

from malleposte.mime import Summary, load_structure, summarize_slices
from unit.mime.invariants import check_columns, check_rendered

SLICE_CALLS = 50_000

MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def levels(count: int) -> bytes:
    return b"".join(
        b"Content-Type: multipart/mixed; boundary=b%dx\r\n\r\n--b%dx\r\n" % (n, n)
        for n in range(count)
    )


def prefixes(count: int) -> bytes:
    """Multiparts of which each boundary begins the next one's."""
    return b"".join(
        b"Content-Type: multipart/mixed; boundary=%b\r\n\r\n--%b\r\n" % (b"a" * n, b"a" * n)
        for n in range(1, count)
    )


def part(header: bytes) -> bytes:
    return b"--b\r\n" + header + b"\r\n\r\nx\r\n"


# Name: the message, the most parts it may have.
ATTACKS: dict[str, tuple[bytes, int]] = {
    # design.md §8, measured on the parser of the standard library.
    "280 KB of encoded words": (b"Subject: " + b"=?utf-8?q?=C3=A4bc?= " * 13_000 + b"\r\n\r\n", 1),
    "99 KB of RFC 2231 parameters": (
        b"Content-Type: text/plain;"
        + b"".join(b" name*%d*=utf-8''%%C3%%A4bc;" % n for n in range(3_500))
        + b"\r\n\r\n",
        1,
    ),
    "1,000 levels of multiparts": (levels(1_000), 101),
    "1,000 levels of messages": (b"Content-Type: message/rfc822\r\n\r\n" * 1_000, 101),
    "200,000 parts": (MIXED + b"--b\r\n\r\nx\r\n" * 200_000, 10_000),
    "200,000 parts without a header": (MIXED + b"--b\r\n" * 200_000, 10_000),
    "a header of 10 MB": (b"X-Y: z\r\n" * 1_300_000, 1),
    "a field of 10 MB": (b"Subject: " + b"a" * 10_000_000 + b"\r\n\r\n", 1),
    "a field of 1,000,000 folds": (b"Subject: a\r\n" + b" b\r\n" * 1_000_000, 1),
    "10 MB without a colon": (b"abc\r\n" * 2_000_000 + b"\r\n", 1),
    "10 MB of colons": (b":" * 10_000_000, 1),
    "1,000,000 recipients": (b"To: " + b"a@b.example, " * 1_000_000 + b"\r\n\r\n", 1),
    "1,000,000 recipients with comments": (b"To: " + b"(c) a@b.c, " * 1_000_000 + b"\r\n\r\n", 1),
    # Fields.
    "open comments": (b"To: " + b"(" * 1_000_000 + b"\r\n\r\n", 1),
    "open brackets": (b"To: " + b"<" * 1_000_000 + b"\r\n\r\n", 1),
    "quotes": (b"To: " + b'"' * 1_000_000 + b"\r\n\r\n", 1),
    "open quotes": (b"To: " + b'"a\\' * 300_000 + b"\r\n\r\n", 1),
    "brackets with comments": (b"To: " + b"<(a>" * 300_000 + b"\r\n\r\n", 1),
    "groups": (b"To: " + b"a:;" * 300_000 + b"\r\n\r\n", 1),
    "spaces about dots": (b"To: a" + b" " * 300_000 + b"." + b" " * 300_000 + b"@b\r\n\r\n", 1),
    "spaces in a parameter's name": (b"Content-Type: a/b; c" + b" " * 500_000 + b"\r\n\r\n", 1),
    "words in a parameter's name": (b"Content-Type: a/b; " + b"a " * 300_000 + b"\r\n\r\n", 1),
    "comments in a type": (b"Content-Type: " + b"(" * 500_000 + b"\r\n\r\n", 1),
    "folds in a parameter": (b"Content-Type: a/b; c=d" + b"\r\n " * 300_000 + b"\r\n\r\n", 1),
    "stars in a parameter": (b"Content-Type: a/b; c" + b"*" * 300_000 + b"=d\r\n\r\n", 1),
    "references": (b"References: " + b"<a@b> " * 300_000 + b"\r\n\r\n", 1),
    "open references": (b"References: " + b"<a" * 300_000 + b"\r\n\r\n", 1),
    "reply marks": (b"Subject: " + b"Re: [x] " * 100_000 + b"\r\n\r\n", 1),
    "open blobs": (b"Subject: " + b"[" * 500_000 + b"\r\n\r\n", 1),
    "open words": (b"Subject: " + b"=?a?q?" * 100_000 + b"\r\n\r\n", 1),
    "words of two charsets": (b"Subject: " + b"=?a?q?b?= =?c?q?d?= " * 20_000 + b"\r\n\r\n", 1),
    "a date of comments": (b"Date: " + b"(" * 500_000 + b"\r\n\r\n", 1),
    "a date of digits": (b"Date: " + b"1" * 500_000 + b"\r\n\r\n", 1),
    # Structure.
    "dashes": (MIXED + b"--\r\n" * 2_000_000, 1),
    "lines that are no delimiters": (MIXED + b"--no\r\n" * 2_000_000, 1),
    "such lines in a header": (MIXED + b"--b\r\n" + b"--no: x\r\n" * 1_000_000, 2),
    "such lines at every level": (levels(99) + b"--no\r\n" * 1_000_000, 101),
    "boundaries that begin one another": (prefixes(99) + b"--no\r\n" * 1_000_000, 101),
    "a digest of 200,000 messages": (
        b"Content-Type: multipart/digest; boundary=b\r\n\r\n"
        + part(b'\r\nFrom: "a" <b@c>\r\nSubject: \xc3\xa4') * 200_000,
        10_000,
    ),
    "5,000 long descriptions": (
        MIXED
        + part(
            b'Content-Type: a/b; name="' + b"\xc3\xa4" * 1_000 + b'"\r\nContent-Description: '
            b"" + b"\xc3\xa4" * 1_000
        )
        * 5_000,
        5_001,
    ),
    "messages with long headers": (
        MIXED + part(b"Content-Type: message/rfc822\r\n\r\nTo: " + b"(c) a@b, " * 9_000) * 200,
        401,
    ),
    # Bodies.
    "a body of one line": (b"\r\n" + b"a" * 30_000_000, 1),
    "tags": (b"Content-Type: text/html\r\n\r\n" + b"<" * 200_000, 1),
    "open comments in HTML": (b"Content-Type: text/html\r\n\r\n" + b"<!--" * 100_000, 1),
    "open attributes": (b"Content-Type: text/html\r\n\r\n" + b"<a b='" * 100_000, 1),
    "open scripts": (b"Content-Type: text/html\r\n\r\n" + b"<script></style" * 50_000, 1),
    "white space": (b"\r\n" + b" " * 5_000_000, 1),
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ATTACKS)
def test_work_and_columns_are_bounded(name: str) -> None:
    data, most_parts = ATTACKS[name]
    summary, slices = work(data)
    assert max(slices) <= SLICE_CALLS
    parts = load_structure(summary.structure)
    assert len(parts) <= most_parts
    assert parts[0].body_end == len(data)
    assert summary.header_size <= len(data)
    check_rendered(summary, parts)
    check_columns(summary)
    assert len(summary.envelope) <= 100_000
    assert len(summary.structure) + len(summary.bodystructure) <= 16_000_000


def work(data: bytes) -> tuple[Summary, list[int]]:
    """The summary, and how many functions each slice of it called."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    slices: list[int] = []
    running = summarize_slices(data)
    sys.setprofile(trace)
    try:
        while True:
            count = 0
            try:
                next(running)
            except StopIteration as stop:
                slices.append(count)
                return stop.value, slices
            slices.append(count)
    finally:
        sys.setprofile(None)
