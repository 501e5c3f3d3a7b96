"""BODY sections by offsets (RFC 9051 §6.4.5.1)."""

from __future__ import annotations

import pytest

from malleposte.mime import SectionKind, find_part, parse, section

# The example of RFC 9051 §6.4.5.1, made real.
MESSAGE = (
    b"Subject: root\r\nContent-Type: multipart/mixed; boundary=A\r\n\r\n"
    b"--A\r\nContent-Type: text/plain\r\n\r\npart 1\r\n"
    b"--A\r\nContent-Type: application/octet-stream\r\n\r\npart 2\r\n"
    b"--A\r\nContent-Type: message/rfc822\r\n\r\n"
    b"Subject: third\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n"
    b"--B\r\n\r\npart 3.1\r\n--B\r\nX: y\r\n\r\npart 3.2\r\n--B--\r\n\r\n"
    b"--A\r\nContent-Type: multipart/mixed; boundary=C\r\n\r\n"
    b"--C\r\nContent-Type: image/gif\r\n\r\npart 4.1\r\n"
    b"--C\r\nContent-Type: message/rfc822\r\n\r\nSubject: leaf\r\n\r\npart 4.2.1\r\n--C--\r\n"
    b"--A--\r\n"
)


def cut(message: bytes, numbers: list[int], kind: SectionKind = "") -> bytes | None:
    found = section(parse(message), numbers, kind)
    return None if found is None else message[found[0] : found[1]]


@pytest.mark.parametrize(
    ("numbers", "kind", "expected"),
    [
        ([1], "", b"part 1"),
        ([1], "MIME", b"Content-Type: text/plain\r\n\r\n"),
        ([2], "", b"part 2"),
        ([3, 1], "", b"part 3.1"),
        ([3, 2], "", b"part 3.2"),
        ([3, 2], "MIME", b"X: y\r\n\r\n"),
        ([3], "HEADER", b"Subject: third\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n"),
        ([3], "MIME", b"Content-Type: message/rfc822\r\n\r\n"),
        ([4, 1], "", b"part 4.1"),
        ([4, 2], "HEADER", b"Subject: leaf\r\n\r\n"),
        ([4, 2], "TEXT", b"part 4.2.1"),
        ([4, 2, 1], "", b"part 4.2.1"),
        ([4, 2, 1], "MIME", b"Subject: leaf\r\n\r\n"),
        ([], "", MESSAGE),
        ([], "HEADER", MESSAGE[: MESSAGE.index(b"--A")]),
        ([], "TEXT", MESSAGE[MESSAGE.index(b"--A") :]),
    ],
)
def test_sections_of_the_example(numbers: list[int], kind: SectionKind, expected: bytes) -> None:
    assert cut(MESSAGE, numbers, kind) == expected


def test_the_text_of_an_embedded_message_is_all_its_body() -> None:
    text = cut(MESSAGE, [3], "TEXT")
    assert text is not None
    assert text.startswith(b"--B\r\n")
    assert text.endswith(b"--B--\r\n")
    assert cut(MESSAGE, [3]) == (cut(MESSAGE, [3], "HEADER") or b"") + text


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        ([5], ""),
        ([0], ""),
        ([1, 1], ""),
        ([3, 3], ""),
        ([4, 2, 2], ""),
        ([1], "HEADER"),
        ([1], "TEXT"),
        ([4], "TEXT"),
        ([], "MIME"),
    ],
)
def test_there_is_no_such_section(numbers: list[int], kind: SectionKind) -> None:
    assert cut(MESSAGE, numbers, kind) is None


def test_a_message_that_is_no_multipart_has_a_part_1() -> None:
    message = b"Subject: x\r\n\r\nbody"
    assert cut(message, [1]) == b"body"
    assert cut(message, [1], "MIME") == b"Subject: x\r\n\r\n"
    assert cut(message, [1, 1]) is None
    assert cut(message, [2]) is None
    assert cut(message, [1], "HEADER") is None


def test_a_message_that_is_a_message() -> None:
    message = b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nbody"
    assert cut(message, [1]) == b"Subject: x\r\n\r\nbody"
    assert cut(message, [1], "HEADER") == b"Subject: x\r\n\r\n"
    assert cut(message, [1, 1]) == b"body"


def test_find_part() -> None:
    parts = parse(MESSAGE)
    found = find_part(parts, [4, 2])
    assert found is not None
    assert (found.section, found.media) == ("4.2", "message/rfc822")
    assert find_part(parts, []) is None
    assert find_part(parts, [9]) is None
