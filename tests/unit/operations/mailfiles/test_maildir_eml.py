"""Maildir and folders of .eml: folders, flags, dates, what is damaged; and what a path holds."""

import os
from pathlib import Path

import pytest

from malleposte.operations.mailfiles import eml, maildir
from malleposte.operations.mailfiles.message_file import (
    Skipped,
    SourceMessage,
    Unreadable,
    with_crlf,
    with_lf,
)
from malleposte.operations.mailfiles.source import Source, UnknownSource, found_form
from support.corpora import FOLDER


def put(folder: Path, name: str, octets: bytes = b"Subject: a\n\nA\n", at: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(octets)
    if at:
        os.utime(path, (at, at))
    return path


def messages(root: Path) -> dict[str, list[SourceMessage | Skipped]]:
    source = Source(root, found_form(root))
    return {path: list(source.read(path, place)) for path, place in source.folders()}


def test_flags_and_dates_of_a_maildir(tmp_path: Path) -> None:
    put(tmp_path / "cur", "1.a.host:2,FRS", at=1_700_000_000)
    put(tmp_path / "cur", "2.b.host:2,DPTab", at=1_700_000_001)
    put(tmp_path / "new", "3.c.host", at=1_700_000_002)
    put(tmp_path / "new", "4.d.host:2,S")
    put(tmp_path, "dovecot-keywords", b"0 Work\n1 $Label1\n99 Far\nnonsense\n")
    (found,) = messages(tmp_path).values()
    assert [set(m.flags) for m in found if isinstance(m, SourceMessage)] == [
        {"\\Flagged", "\\Answered", "\\Seen"},
        {"\\Draft", "$Forwarded", "\\Deleted", "Work", "$Label1"},
        set(),
        set(),
    ]
    times = [m.received_at for m in found if isinstance(m, SourceMessage)]
    assert times[:3] == [1_700_000_000, 1_700_000_001, 1_700_000_002]


@pytest.mark.parametrize("name", ["1.a;2,S", "1.a!2,S", "1.a,S=10,W=11:2,S"])
def test_flags_behind_other_separators(tmp_path: Path, name: str) -> None:
    put(tmp_path / "cur", name)
    ((found,),) = messages(tmp_path).values()
    assert isinstance(found, SourceMessage)
    assert found.flags == ("\\Seen",)


def test_subfolders_in_both_layouts(tmp_path: Path) -> None:
    for folder in (".", ".Sent", ".Projets.&AMk-t&AOk-", ".Dot&AC4-ted", "Plain/Below", ".hidden"):
        place = tmp_path / folder
        (place / "cur").mkdir(parents=True, exist_ok=True)
    (tmp_path / ".notmail").mkdir()
    assert [path for path, _ in maildir.folders(tmp_path)] == [
        "INBOX",
        "Dot.ted",
        "Projets/Été",
        "Sent",
        "hidden",
        "Plain/Below",
    ]


def test_what_is_no_message_is_named_or_passed_over(tmp_path: Path) -> None:
    put(tmp_path / "cur", "1.empty", b"")
    (tmp_path / "cur" / "2.folder").mkdir()
    (tmp_path / "cur" / "3.link").symlink_to("/etc/passwd")
    put(tmp_path / "cur", ".dovecot-lock")
    put(tmp_path / "cur", "4.good")
    (found,) = messages(tmp_path).values()
    assert [type(one) for one in found] == [Skipped, Skipped, Skipped, SourceMessage]
    assert [one.reason for one in found if isinstance(one, Skipped)] == [
        "it is empty",
        "it is no regular file",
        "it is no regular file",
    ]


def test_a_message_that_vanishes_meanwhile_is_unreadable(tmp_path: Path) -> None:
    path = put(tmp_path / "cur", "1.a")
    ((found,),) = messages(tmp_path).values()
    assert isinstance(found, SourceMessage)
    path.unlink()
    with pytest.raises(Unreadable, match="No such file"):
        found.read()


def test_the_corpus_s_maildir_is_read() -> None:
    root = FOLDER / "mime" / "resources" / "maildir"
    if not root.is_dir():
        pytest.skip(f"the corpus is not there: {root}")
    found = messages(root)["INBOX"]
    assert len(found) == 2
    assert all(isinstance(one, SourceMessage) for one in found)
    assert isinstance(found[0], SourceMessage)
    assert set(found[0].flags) == {"\\Seen", "\\Deleted"}


def test_folders_of_eml_and_their_dates(tmp_path: Path) -> None:
    received = (
        b"Received: by x; Fri, 3 Jul 2026 10:00:00 +0200\r\n"
        b"Received: by y; Fri, 3 Jul 2020 10:00:00 +0200\r\n"
    )
    put(tmp_path, "a.eml", received + b"Date: Fri, 3 Jul 2019 10:00:00 +0200\r\n\r\nA\r\n")
    put(tmp_path, "b.EML", b"Date: Fri, 3 Jul 2026 10:00:00 +0200\n\nB\n")
    put(tmp_path, "c.eml", b"Subject: no date\n\nC\n", at=1_700_000_000)
    put(tmp_path / "Sub" / "Deep", "d.eml")
    put(tmp_path, "notes.txt")
    found = messages(tmp_path)
    assert list(found) == ["INBOX", "Sub/Deep"]
    times = [m.received_at for m in found["INBOX"] if isinstance(m, SourceMessage)]
    assert times == [1_783_065_600, 1_783_065_600, 1_700_000_000]


def test_an_index_brings_flags_and_dates(tmp_path: Path) -> None:
    put(tmp_path, "1.eml")
    line = b'{"uidvalidity":1,"uid":1,"received_at":5,"flags":["\\\\Seen","x"],"file":"1.eml"}\n'
    put(tmp_path, eml.INDEX, line + b'{"torn')
    ((found,),) = messages(tmp_path).values()
    assert isinstance(found, SourceMessage)
    assert (found.flags, found.received_at) == (("\\Seen", "x"), 5)


def test_what_a_path_holds_is_found_out(tmp_path: Path) -> None:
    put(tmp_path / "m" / "cur", "1")
    put(tmp_path / "e" / "x", "1.eml")
    put(tmp_path / "b" / "Inbox.sbd", "Sub", b"From a Fri Jul  3 10:00:00 2026\nSubject: a\n\nA\n")
    put(tmp_path / "b", "Inbox", b"From a Fri Jul  3 10:00:00 2026\nSubject: a\n\nA\n")
    put(tmp_path / "b", "Inbox.msf", b"// <!-- mork")
    put(tmp_path, "single.mbox", b"From a Fri Jul  3 10:00:00 2026\nSubject: a\n\nA\n")
    put(tmp_path, "single.eml")
    assert found_form(tmp_path / "m") == "maildir"
    assert found_form(tmp_path / "e") == "eml"
    assert found_form(tmp_path / "b") == "mbox"
    assert found_form(tmp_path / "single.mbox") == "mbox"
    assert found_form(tmp_path / "single.eml") == "eml"
    assert list(messages(tmp_path / "b")) == ["INBOX", "Inbox/Sub"]
    assert list(messages(tmp_path / "single.mbox")) == ["single"]
    assert list(messages(tmp_path / "single.eml")) == ["single"]


def test_what_holds_no_mail_is_refused_in_words(tmp_path: Path) -> None:
    put(tmp_path, "notes.txt")
    for path in (tmp_path, tmp_path / "notes.txt", tmp_path / "nowhere"):
        with pytest.raises(UnknownSource):
            found_form(path)


@pytest.mark.parametrize(
    ("stored", "filed"),
    [
        (b"a\r\nb\r\n", b"a\nb\n"),
        (b"a\r\nb", b"a\nb"),
        (b"a\r\nb\nc\r\n", b"a\r\nb\nc\r\n"),
        (b"a\r\nb\rc\r\n", b"a\r\nb\rc\r\n"),
        (b"abc", b"abc"),
        (b"", b""),
    ],
)
def test_line_ends_go_out_only_where_they_can_come_back(stored: bytes, filed: bytes) -> None:
    assert with_lf(stored) == filed
    assert with_crlf(filed) == stored
