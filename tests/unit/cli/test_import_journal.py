"""The journal of an import: what was done is known again, also after a crash; one holder at a time."""

from pathlib import Path

import pytest

from malleposte.cli.exit_codes import Trouble
from malleposte.cli.import_journal import Journal, digest_of

A, B = digest_of(b"a"), digest_of(b"b")


def opened(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "imports", "maildir:/x", "ada@example.org")


def test_what_is_done_is_known_again(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.begin("line", 7)
    keys = [journal.key("INBOX", A), journal.key("INBOX", A), journal.key("Sent", A)]
    assert keys == [("INBOX", A, 0), ("INBOX", A, 1), ("Sent", A, 0)]
    journal.done(keys[0], 11)
    journal.done(keys[2], 12)
    journal.close()
    again = opened(tmp_path)
    assert again.head is not None
    assert (again.head.lineage, again.head.since, len(again)) == ("line", 7, 2)
    assert again.key("INBOX", A) in again
    assert again.key("INBOX", A) not in again
    assert again.known(A) == (11, 12)
    assert again.known(B) == ()
    again.close()


def test_a_line_torn_by_a_crash_is_written_over(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.begin("line", 0)
    journal.done(journal.key("INBOX", A), 1)
    journal.close()
    path = journal.path
    path.write_bytes(path.read_bytes() + b'["INBOX","ab')
    again = opened(tmp_path)
    again.done(again.key("INBOX", B), 2)
    again.close()
    third = opened(tmp_path)
    assert len(third) == 2
    third.close()


def test_a_store_put_back_from_a_copy_begins_the_journal_anew(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.begin("line", 7)
    journal.done(journal.key("INBOX", A), 1)
    journal.close()
    again = opened(tmp_path)
    again.begin("other", 9)
    assert len(again) == 0
    again.close()
    third = opened(tmp_path)
    assert third.head is not None
    assert (third.head.lineage, len(third)) == ("other", 0)
    third.close()


def test_a_run_that_never_began_leaves_no_journal(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.close()
    assert not journal.path.exists()


def test_two_imports_of_one_source_do_not_meet(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    with pytest.raises(Trouble, match="another import of this source"):
        opened(tmp_path)
    Journal(tmp_path / "imports", "maildir:/x", "bob@example.org").close()
    journal.close()


def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.begin("line", 0)
    journal.close()
    journal.path.write_text("something else\n")
    with pytest.raises(Trouble, match="is no journal"):
        opened(tmp_path)
    assert journal.path.read_text() == "something else\n"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "imports").write_text("a file")
    with pytest.raises(Trouble, match="--state names another"):
        opened(tmp_path)
