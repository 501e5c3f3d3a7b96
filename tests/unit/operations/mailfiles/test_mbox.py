"""mbox: where messages begin, quoting, flags, dates; damage is named, what follows is still read."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.operations.mailfiles import mbox
from malleposte.operations.mailfiles.mbox import postmark_date, written
from malleposte.operations.mailfiles.message_file import Skipped, SourceMessage

POSTMARK = b"From joe@example.com Fri Jul  3 10:00:00 2026\n"


def read(
    tmp_path: Path, data: bytes, quoting: mbox.Quoting = "rd"
) -> list[SourceMessage | Skipped]:
    path = tmp_path / "box"
    path.write_bytes(data)
    return list(mbox.read(path, "box", quoting))


def octets(tmp_path: Path, data: bytes, quoting: mbox.Quoting = "rd") -> list[bytes]:
    path = tmp_path / "box"
    path.write_bytes(data)
    return [m.read() for m in mbox.read(path, "box", quoting) if isinstance(m, SourceMessage)]


def test_messages_one_after_the_other(tmp_path: Path) -> None:
    data = POSTMARK + b"Subject: a\n\nA\n\n" + POSTMARK + b"Subject: b\n\nB\n\n"
    assert octets(tmp_path, data) == [b"Subject: a\r\n\r\nA\r\n", b"Subject: b\r\n\r\nB\r\n"]
    assert mbox.count(tmp_path / "box") == 2


def test_crlf_files_are_read_as_they_are(tmp_path: Path) -> None:
    data = (POSTMARK + b"Subject: a\n\nA\n\n" + POSTMARK + b"Subject: b\n\nB\n\n").replace(
        b"\n", b"\r\n"
    )
    assert octets(tmp_path, data) == [b"Subject: a\r\n\r\nA\r\n", b"Subject: b\r\n\r\nB\r\n"]


def test_the_last_message_needs_no_empty_line_behind_it(tmp_path: Path) -> None:
    assert octets(tmp_path, POSTMARK + b"Subject: a\n\nA\n") == [b"Subject: a\r\n\r\nA\r\n"]
    assert octets(tmp_path, POSTMARK + b"Subject: a\n\nA") == [b"Subject: a\r\n\r\nA"]


def test_empty_lines_of_the_message_stay(tmp_path: Path) -> None:
    data = POSTMARK + b"Subject: a\n\nA\n\n\n\n" + POSTMARK + b"Subject: b\n\n\n"
    assert octets(tmp_path, data) == [b"Subject: a\r\n\r\nA\r\n\r\n\r\n", b"Subject: b\r\n\r\n"]


@pytest.mark.parametrize(
    "line",
    [
        b"From here it is not far.",
        b"From 10:30 on the shop is open.",
        b"From Monday 10:30 to 12:00",
        b"From the desk of Joe, 2026",
        b"Fromage 10:00 2026",
        b">From joe Fri Jul  3 10:00:00 2026",
    ],
)
def test_lines_of_a_body_begin_no_message(tmp_path: Path, line: bytes) -> None:
    data = POSTMARK + b"Subject: a\n\nA\n\n" + line + b"\nZ\n"
    assert len(read(tmp_path, data)) == 1


def test_a_postmark_within_a_paragraph_begins_no_message(tmp_path: Path) -> None:
    """No empty line before, no header behind: it is a quotation."""
    data = POSTMARK + b"Subject: a\n\nHe wrote:\n" + POSTMARK + b"and that was all\n"
    assert len(read(tmp_path, data)) == 1


def test_a_postmark_without_the_empty_line_begins_one_if_a_header_follows(tmp_path: Path) -> None:
    data = POSTMARK + b"Subject: a\n\nA\n" + POSTMARK + b"Subject: b\n\nB\n"
    assert octets(tmp_path, data) == [b"Subject: a\r\n\r\nA\r\n", b"Subject: b\r\n\r\nB\r\n"]


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        (b"From a@b Fri Jul  3 10:00:00 2026", 1_783_072_800),
        (b"From - Fri Jul 03 10:00:00 2026", 1_783_072_800),
        (b"From a@b Fri Jul  3 10:00 2026", 1_783_072_800),
        (b"From a@b Fri Jul  3 10:00:00 +0200 2026", 1_783_065_600),
        (b"From a@b Fri Jul  3 10:00:00 2026 -0130", 1_783_078_200),
        (b"From a@b Fri Jul  3 10:00:00 CEST 2026", 1_783_072_800),
        (b"From 1234@xxx Fri Jul 03 10:00:00 +0000 2026", 1_783_072_800),
        (b"From a@b Fri Foo  3 10:00:00 2026", None),
        (b"From a@b", None),
    ],
)
def test_dates_of_postmarks(line: bytes, seconds: int | None) -> None:
    assert postmark_date(line) == seconds


def test_quoting_rd_takes_one_mark_off(tmp_path: Path) -> None:
    data = POSTMARK + b"Subject: a\n\n>From x\n>>From y\n> From z\n>Fromage\n"
    (found,) = octets(tmp_path, data)
    assert found == b"Subject: a\r\n\r\nFrom x\r\n>From y\r\n> From z\r\n>Fromage\r\n"


def test_quoting_o_takes_only_the_first_off(tmp_path: Path) -> None:
    data = POSTMARK + b"Subject: a\n\n>From x\n>>From y\n"
    assert octets(tmp_path, data, "o") == [b"Subject: a\r\n\r\nFrom x\r\n>>From y\r\n"]
    assert octets(tmp_path, data, "none") == [b"Subject: a\r\n\r\n>From x\r\n>>From y\r\n"]


def test_content_length_is_not_believed(tmp_path: Path) -> None:
    data = POSTMARK + b"Content-Length: 9999\nSubject: a\n\nA\n\n" + POSTMARK + b"Subject: b\n\nB\n"
    assert len(octets(tmp_path, data)) == 2


def test_flags_of_every_program(tmp_path: Path) -> None:
    headers = [
        b"Status: RO\nX-Status: AF\nX-Keywords: work private\n",
        b"Subject: x\nStatus: O\n",
        b"X-Mozilla-Status: 1007\nX-Mozilla-Keys: later\n",
        b"X-Status: DT\n",
        b"Subject: plain\n",
    ]
    data = b"".join(POSTMARK + header + b"\nbody\n\n" for header in headers)
    found = [set(m.flags) for m in read(tmp_path, data) if isinstance(m, SourceMessage)]
    assert found == [
        {"\\Seen", "\\Answered", "\\Flagged", "work", "private"},
        set(),
        {"\\Seen", "\\Answered", "\\Flagged", "$Forwarded", "later"},
        {"\\Deleted", "\\Draft"},
        set(),
    ]


def test_what_mozilla_had_deleted_stays_deleted(tmp_path: Path) -> None:
    data = POSTMARK + b"X-Mozilla-Status: 0009\n\nA\n\n" + POSTMARK + b"Subject: b\n\nB\n"
    one, two = read(tmp_path, data)
    assert isinstance(one, Skipped)
    assert "deleted" in one.reason
    assert isinstance(two, SourceMessage)


def test_rubbish_before_the_first_message_is_named(tmp_path: Path) -> None:
    one, two = read(tmp_path, b"\0\0\0\0 rubbish\n\n" + POSTMARK + b"Subject: a\n\nA\n")
    assert isinstance(one, Skipped)
    assert "does not begin with a From line" in one.reason
    assert isinstance(two, SourceMessage)


def test_a_file_without_any_message_is_named(tmp_path: Path) -> None:
    (one,) = read(tmp_path, b"no mail here\n")
    assert isinstance(one, Skipped)
    assert read(tmp_path, b"") == []


def test_a_message_of_nothing_is_named(tmp_path: Path) -> None:
    found = read(tmp_path, POSTMARK + b"\n" + POSTMARK + b"Subject: b\n\nB\n")
    assert [type(one) for one in found] == [SourceMessage, SourceMessage]
    assert isinstance(found[0], SourceMessage)
    (last,) = read(tmp_path, POSTMARK.rstrip())
    assert isinstance(last, Skipped)


def test_our_own_fields_are_taken_off_and_nothing_else(tmp_path: Path) -> None:
    """A message that has such fields of its own, at its top, keeps them."""
    message = b"Status: RO\r\nX-Status: A\r\nX-Keywords: spam\r\nSubject: a\r\n\r\nA\r\n"
    record = written(message, ("\\Flagged", "Work"), 1_783_072_800)
    assert octets(tmp_path, record) == [message]
    (found,) = read(tmp_path, record)
    assert isinstance(found, SourceMessage)
    assert set(found.flags) == {"\\Flagged", "Work"}
    assert found.received_at == 1_783_072_800


LINES = st.lists(
    st.sampled_from(
        [
            b"",
            b"text",
            b"From joe@example.com Fri Jul  3 10:00:00 2026",
            b">From x",
            b">>From y",
            b"Subject: z",
            b"\xe9\x00\xff",
            b"a\rb",
            b"From ",
        ]
    ),
    max_size=12,
)


@given(
    messages=st.lists(st.tuples(LINES, st.sampled_from([b"\r\n", b"\n"])), min_size=1, max_size=5)
)
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, messages: list[tuple[list[bytes], bytes]]
) -> None:
    """Any lines, as the store has them (CRLF); with bare LF inside as well. Only a missing end of the
    last line cannot be kept."""
    tmp_path = tmp_path_factory.mktemp("mbox")
    mail = [
        b"Subject: first\r\n\r\n" + b"".join(line + end for line in lines)
        for lines, end in messages
    ]
    data = b"".join(written(one, (), 0) for one in mail)
    assert octets(tmp_path, data) == mail


@given(data=st.binary(max_size=2_000))
def test_any_bytes_are_read_without_failing(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    tmp_path = tmp_path_factory.mktemp("mbox")
    octets(tmp_path, data)
    octets(tmp_path, POSTMARK + data)
    for one in read(tmp_path, POSTMARK + data):
        assert one.size <= len(POSTMARK) + len(data)
