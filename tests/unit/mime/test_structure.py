"""The tree of a message: delimiters, nesting, damage, limits, slices."""

from __future__ import annotations

import pytest

from malleposte.mime import (
    Kind,
    Limits,
    Part,
    load_structure,
    load_structure_slices,
    parse,
    parse_slices,
    summarize,
)
from malleposte.mime.structure import scan

MIXED = b"Content-Type: multipart/mixed; boundary=b\n\n"


def outline(data: bytes, limits: Limits | None = None) -> list[tuple[str, str, bytes]]:
    """Section, type and body of every part."""
    parts = parse(data, limits) if limits else parse(data)
    return [(p.section, p.media, data[p.body_start : p.body_end]) for p in parts]


def leaves(data: bytes) -> list[bytes]:
    return [data[p.body_start : p.body_end] for p in parse(data) if p.kind == Kind.LEAF]


def test_a_plain_message() -> None:
    assert outline(b"From: a@b\r\n\r\ntext\r\n") == [("1", "text/plain", b"text\r\n")]


@pytest.mark.parametrize(
    ("data", "header_size"),
    [
        (b"", 0),
        (b"From: a@b\r\n", 11),
        (b"From: a@b", 9),
        (b"\r\nbody", 2),
        (b"\nbody", 1),
        (b"\r\n", 2),
        (b"\n", 1),
        (b"no header\r\nat all\r\n", 19),
        (b"From me Mon Jan  5 10:00:00 2026\nTo: a@b\n\nbody", 42),
        (b"A: b\r\n\nmixed line ends", 7),
        (b"A: b\n\r\nmixed line ends", 7),
        (b"A: b\n \n\nwhite space only continues", 8),
    ],
)
def test_where_the_header_ends(data: bytes, header_size: int) -> None:
    (part,) = parse(data)
    assert (part.header_start, part.body_start, part.body_end) == (0, header_size, len(data))


def test_the_line_end_before_a_delimiter_belongs_to_it() -> None:
    data = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n"
        b"--b\r\n\r\none\r\n\r\n--b  \r\nA: b\r\n\r\ntwo\r\n--b--\r\nepilogue\r\n"
    )
    assert outline(data)[1:] == [
        ("1", "text/plain", b"one\r\n"),
        ("2", "text/plain", b"two"),
    ]


def test_without_a_last_delimiter_the_last_part_goes_to_the_end() -> None:
    assert leaves(MIXED + b"--b\n\none\n--b\n\ntwo\n") == [b"one", b"two\n"]


def test_a_delimiter_at_the_very_end_begins_no_part() -> None:
    assert leaves(MIXED + b"--b\n\none\n--b") == [b"one"]
    assert leaves(MIXED + b"--b\n\none\n--b\n") == [b"one"]


def test_after_the_close_delimiter_everything_is_epilogue() -> None:
    assert leaves(MIXED + b"--b\n\none\n--b--\n--b\n\nnot a part\n") == [b"one"]


def test_the_longest_boundary_counts() -> None:
    inner = b"Content-Type: multipart/mixed; boundary=bb\n\n--bb\n\ninner\n--bb--\n"
    assert leaves(MIXED + b"--b\n" + inner + b"--b\n\nouter\n") == [b"inner", b"outer\n"]


def test_a_line_that_begins_with_the_boundary_is_a_delimiter() -> None:
    # RFC 2046 §5.1.1: an exact match of the entire line is not required.
    assert leaves(MIXED + b"--b garbage\n\none\n--bc\n\ntwo") == [b"one", b"two"]


def test_an_outer_delimiter_closes_what_is_inside() -> None:
    inner = b"Content-Type: multipart/mixed; boundary=i\n\n--i\n\ninner\n"
    data = MIXED + b"--b\n" + inner + b"--b\n\nouter\n--i\n\nno part\n--b--\n"
    assert leaves(data) == [b"inner", b"outer\n--i\n\nno part"]


def test_the_same_boundary_inside_is_the_inner_one_until_it_is_closed() -> None:
    data = MIXED + b"--b\n" + MIXED + b"--b\n\ninner\n--b--\n--b\n\nouter\n--b--\n"
    assert [(p.section, p.level) for p in parse(data)] == [("", 0), ("1", 1), ("1.1", 2), ("2", 1)]


def test_a_delimiter_ends_a_header_without_a_blank_line() -> None:
    data = MIXED + b"--b\nContent-Type: text/html\n--b\n\ntwo\n--b--\n"
    assert outline(data)[1:] == [("1", "text/html", b""), ("2", "text/plain", b"two")]


def test_a_boundary_is_a_parameter_with_all_its_spaces() -> None:
    data = b'Content-Type: multipart/mixed;\n boundary="a b: c "\n\n--a b: c\n\none\n--a b: c--\n'
    assert leaves(data) == [b"one"]


def test_a_multipart_without_boundary_or_delimiter_is_text() -> None:
    for header in (b"Content-Type: multipart/mixed\n\n", MIXED):
        assert outline(header + b"some text\n") == [("1", "text/plain", b"some text\n")]
    assert outline(MIXED) == [("", "multipart/mixed", b"")]


def test_an_embedded_message() -> None:
    data = (
        b"Content-Type: message/rfc822\r\n\r\n"
        b"Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\none\r\n--i--\r\n"
    )
    message, multipart, leaf = parse(data)
    assert [part.section for part in (message, multipart, leaf)] == ["1", "1", "1.1"]
    assert message.kind == Kind.MESSAGE
    assert message.body_start == multipart.header_start
    assert message.body_end == multipart.body_end


def test_an_encoded_message_is_a_leaf() -> None:
    data = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nRnJvbTogYQo="
    (part,) = parse(data)
    assert (part.kind, part.media) == (Kind.LEAF, "message/rfc822")


def test_a_message_without_any_field_is_a_leaf() -> None:
    data = MIXED + b"--b\nContent-Type: message/rfc822\n\nnothing of the kind\n--b--\n"
    assert outline(data)[1:] == [("1", "message/rfc822", b"nothing of the kind")]


def test_a_digest_holds_messages() -> None:
    data = (
        b"Content-Type: multipart/digest; boundary=b\n\n"
        b"--b\n\nSubject: one\n\none\n--b\nContent-Type: text/plain\n\ntwo\n--b--\n"
    )
    assert outline(data)[1:] == [
        ("1", "message/rfc822", b"Subject: one\n\none"),
        ("1.1", "text/plain", b"one"),
        ("2", "text/plain", b"two"),
    ]


def test_the_last_of_repeated_fields_counts() -> None:
    # RFC 8621 §4.1.3; a signature of DKIM covers the last one first.
    (part,) = parse(b"Content-Type: text/html\nContent-Type: text/css\n\n")
    assert part.media == "text/css"


def test_lines_and_octets() -> None:
    data = MIXED + b"--b\n\none\ntwo\n--b\n\n\n--b--\n"
    _, first, second = parse(data)
    assert (first.size, first.lines) == (7, 1)
    assert (second.size, second.lines) == (0, 0)


def test_beyond_the_levels_a_multipart_is_data() -> None:
    data = b""
    for level in range(6):
        data += b"Content-Type: multipart/mixed; boundary=x%dx\n\n--x%dx\n" % (level, level)
    parts = parse(data + b"\ndeep\n", Limits(levels=3))
    assert [part.media for part in parts[:3]] == ["multipart/mixed"] * 3
    assert parts[3].media == "application/octet-stream"
    assert parts[3].body_end == len(data) + 6
    assert len(parts) == 4


def test_beyond_the_parts_the_rest_is_the_multipart_s() -> None:
    data = MIXED + b"--b\n\nx\n" * 10
    parts = parse(data, Limits(parts=4))
    assert len(parts) == 4
    assert parts[0].body_end == len(data)
    assert data[parts[3].body_end :].startswith(b"\n--b\n")


def test_beyond_the_header_bytes_fields_are_not_read_but_the_body_is_found() -> None:
    data = b"X: " + b"x" * 100 + b"\nContent-Type: text/html\n\nbody"
    (part,) = parse(data, Limits(header_bytes=50))
    assert part.media == "text/plain"
    assert data[part.body_start :] == b"body"


def test_beyond_the_lookups_no_delimiter_is_looked_for() -> None:
    data = MIXED + b"--b\n\n" + b"--\n--no\n" * 10 + b"--b\n\nx\n"
    assert len(parse(data, Limits(delimiter_lookups=100))) == 3
    assert len(parse(data, Limits(delimiter_lookups=5))) == 2


def test_beyond_the_described_bytes_names_are_left_out() -> None:
    part = b'--b\nContent-Type: image/png; name="a.png"\nContent-ID: <x>\n\nx\n'
    parts = parse(MIXED + part * 20, Limits(described_bytes=300))
    assert parts[1].name == "a.png"
    assert parts[1].content_id == b"<x>"
    assert [parts[20].media, parts[20].name, parts[20].content_id] == ["image/png", None, None]


def test_large_messages_are_parsed_in_slices() -> None:
    data = MIXED + b"--b\n\n" + b"line of text\n" * 200_000 + b"--b--\n"
    slices = 0
    work = parse_slices(data)
    while True:
        try:
            next(work)
        except StopIteration as stop:
            parts = stop.value
            break
        slices += 1
    assert parts == parse(data)
    assert slices >= len(data) // (256 * 1024)


def test_a_small_message_is_one_slice() -> None:
    assert list(scan(b"From: a@b\r\n\r\ntext")) == []


def test_the_stored_form_is_read_back() -> None:
    data = (
        b"From: a@b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
        b"Content-Type: text/plain; charset=ISO-8859-15; name*=utf-8''%C3%A4\n"
        b"Content-Transfer-Encoding: Quoted-Printable\nContent-ID: <1@x>\n"
        b"Content-Description: d\nContent-MD5: m\nContent-Language: de, en\n"
        b"Content-Location: http://x/\nContent-Disposition: Attachment; filename=f.txt\n\nx\n"
        b"--b\nContent-Type: message/rfc822\n\nSubject: \xc3\xa4\n\ny\n--b--\n"
    )
    parts = load_structure(summarize(data).structure)
    assert parts == parse(data)
    assert parts[1] == Part(
        "1",
        Kind.LEAF,
        1,
        0,
        data.index(b"Content-Type: text/plain"),
        data.index(b"x\n--b"),
        data.index(b"\n--b\nContent-Type: message"),
        0,
        "text",
        "plain",
        (),
        ((b"charset", b"ISO-8859-15"), (b"name*", b"utf-8''%C3%A4")),
        "iso-8859-15",
        "quoted-printable",
        "attachment",
        ((b"filename", b"f.txt"),),
        "f.txt",
        b"<1@x>",
        b"d",
        b"m",
        (b"de", b"en"),
        b"http://x/",
    )
    assert parts[2].envelope is not None
    assert b"=?utf-8?B?w6Q=?=" in parts[2].envelope
    assert parts[2].envelope_utf8 is not None
    assert "ä".encode() in parts[2].envelope_utf8


def test_what_was_stored_stays_readable() -> None:
    # A structure as the first version wrote it: fields may be added, never moved.
    stored = (
        b"\x91\xdc\x00\x18\xa11\x00\x00\xff\x00\x04\x08\x01\xa4text\xa5plain\x90\x91\x92\xc4\x07"
        b"charset\xc4\x08us-ascii\xc0\xa0\xc0\x90\xc0\xc0\xc0\xc0\x90\xc0\xc0\xc0"
    )
    (part,) = load_structure(stored)
    assert (part.section, part.media, part.body_start, part.body_end) == ("1", "text/plain", 4, 8)


@pytest.mark.parametrize("count", [1, 250, 251, 1_000])
def test_a_stored_structure_is_read_in_slices(count: int) -> None:
    data = MIXED + b"--b\nContent-Type: text/plain; charset=x\n\nt\n" * count + b"--b--\n"
    structure = summarize(data).structure
    slices = load_structure_slices(structure)
    taken = 0
    while True:
        try:
            next(slices)
        except StopIteration as end:
            parts = end.value
            break
        taken += 1
    assert parts == load_structure(structure)
    assert taken >= len(parts) // 250
