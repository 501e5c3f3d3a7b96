"""Exports on disk: what is there is known by looking, a crash leaves nothing half, flags and dates stay."""

import os
from pathlib import Path

import pytest

from malleposte.cli.exit_codes import Trouble
from malleposte.cli.export_files import EmlTarget, MaildirTarget, MboxTarget
from malleposte.cli.exporting import Target
from malleposte.operations.mail_parcels import ExportItem, FolderOffered
from malleposte.operations.mailfiles.message_file import SourceMessage
from malleposte.operations.mailfiles.source import Form, Source, found_form

FORMS: tuple[Form, ...] = ("maildir", "mbox", "eml")


def target(form: Form, root: Path) -> Target:
    if form == "maildir":
        return MaildirTarget(root)
    return MboxTarget(root) if form == "mbox" else EmlTarget(root)


def offered(path: str = "INBOX", uidvalidity: int = 5) -> FolderOffered:
    return FolderOffered(path=path, role="", uidvalidity=uidvalidity, messages=0, size=0)


def had(form: Form, root: Path) -> list[int]:
    """UIDs that a later run would find."""
    folder = target(form, root).folder(offered())
    try:
        return folder.have()
    finally:
        folder.close()


def item(uid: int, *flags: str) -> ExportItem:
    return ExportItem(folder=0, uid=uid, size=0, received_at=1_700_000_000 + uid, flags=flags)


def octets(uid: int) -> bytes:
    return b"Subject: %d\r\n\r\nFrom here\r\n" % uid


def found(root: Path) -> dict[str, list[tuple[bytes, set[str], int | None]]]:
    source = Source(root, found_form(root))
    return {
        path: [
            (m.read(), set(m.flags), m.received_at)
            for m in source.read(path, place)
            if isinstance(m, SourceMessage)
        ]
        for path, place in source.folders()
    }


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_is_read_again(tmp_path: Path, form: Form) -> None:
    made = target(form, tmp_path)
    for path in ("INBOX", "Projects/Été", "a.b"):
        folder = made.folder(offered(path))
        folder.write(item(1, "\\Seen", "\\Flagged", "Work", "$Forwarded"), octets(1))
        folder.write(item(2), octets(2))
        folder.close()
    read = found(tmp_path)
    assert set(read) == {"INBOX", "Projects/Été", "a.b"}
    for messages in read.values():
        assert messages == [
            (octets(1), {"\\Seen", "\\Flagged", "Work", "$Forwarded"}, 1_700_000_001),
            (octets(2), set(), 1_700_000_002),
        ]


@pytest.mark.parametrize("form", FORMS)
def test_what_is_there_is_known_and_another_uidvalidity_is_not(tmp_path: Path, form: Form) -> None:
    folder = target(form, tmp_path).folder(offered())
    assert folder.have() == []
    for uid in (1, 2, 4):
        folder.write(item(uid), octets(uid))
    folder.close()
    again = target(form, tmp_path).folder(offered())
    assert again.have() == [1, 2, 4]
    again.write(item(5), octets(5))
    again.close()
    assert had(form, tmp_path) == [1, 2, 4, 5]
    assert len(found(tmp_path)["INBOX"]) == 4
    other = target(form, tmp_path).folder(offered(uidvalidity=6))
    assert other.have() == []
    other.close()


def test_a_record_torn_by_a_crash_is_cut_off(tmp_path: Path) -> None:
    folder = MboxTarget(tmp_path).folder(offered())
    folder.write(item(1), octets(1))
    folder.close()
    with (tmp_path / "INBOX.mbox").open("ab") as file:
        file.write(b"From MAILER-DAEMON Fri Jul  3 10:00:00 2026\nSubject: half")
    with (tmp_path / ".INBOX.mbox.malleposte.jsonl").open("ab") as file:
        file.write(b'{"uidvalidity":5,"ui')
    again = MboxTarget(tmp_path).folder(offered())
    assert again.have() == [1]
    again.write(item(2), octets(2))
    again.close()
    assert [m[0] for m in found(tmp_path)["INBOX"]] == [octets(1), octets(2)]
    assert had("mbox", tmp_path) == [1, 2]


def test_somebody_else_s_mbox_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "INBOX.mbox").write_text("From a Fri Jul  3 10:00:00 2026\n\n")
    with pytest.raises(Trouble, match="not from an export"):
        MboxTarget(tmp_path).folder(offered())


def test_an_mbox_shorter_than_its_export_is_not_written_into(tmp_path: Path) -> None:
    folder = MboxTarget(tmp_path).folder(offered())
    folder.write(item(1), octets(1))
    folder.close()
    os.truncate(tmp_path / "INBOX.mbox", 10)
    with pytest.raises(Trouble, match="shorter"):
        MboxTarget(tmp_path).folder(offered())


def test_more_keywords_than_letters_leave_the_rest_out(tmp_path: Path) -> None:
    folder = MaildirTarget(tmp_path).folder(offered())
    words = [f"word{n:02}" for n in range(30)]
    folder.write(item(1, *words), octets(1))
    folder.close()
    ((_, flags, _),) = found(tmp_path)["INBOX"]
    assert flags == set(words[:26])


def test_a_maildir_keeps_its_letters_over_runs(tmp_path: Path) -> None:
    for uid, word in ((1, "Work"), (2, "Home"), (3, "Work")):
        folder = MaildirTarget(tmp_path).folder(offered())
        folder.write(item(uid, word), octets(uid))
        folder.close()
    assert [flags for _, flags, _ in found(tmp_path)["INBOX"]] == [{"Work"}, {"Home"}, {"Work"}]
