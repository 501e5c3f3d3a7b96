"""The committer on SQLite: its lock, its mark, the disk, the log, and what ends it."""

import asyncio
import itertools
import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apsw
import pytest

from malleposte.store import DiskFull, PermanentFailure, TemporaryFailure, alone
from malleposte.store.batch import Submission, decode_result
from malleposte.store.commands import AnyCommand, CreateAccount, CreateDomain, Expunge
from malleposte.store.committer import (
    CHECKPOINT_PAGES,
    CommitFailed,
    Committer,
    as_left,
)
from malleposte.store.content import blob_path, in_file
from malleposte.store.errors import DatabaseDamaged, SchemaMismatch
from malleposte.store.fsck import check
from malleposte.store.lock import WriterRunning, take_lock
from malleposte.store.reserve import reserve_octets
from malleposte.store.results import AnyResult, Created, Delivered, Expunged
from malleposte.store.sqlite import Sqlite, check_library
from support.store import ALL, append, deliver, inbox

_origins = itertools.count(1)

Answer = AnyResult | TemporaryFailure | PermanentFailure


class Keys:
    """Submits commands one by one, or together, under keys of its own."""

    def __init__(self, committer: Committer) -> None:
        self.committer = committer
        self.origin = next(_origins)
        self.seq = 0

    def all(self, *commands: AnyCommand, **how: Any) -> list[Answer]:
        submissions = []
        for command in commands:
            self.seq += 1
            submissions.append(Submission(self.origin, self.seq, command, **how))
        answers = self.committer.apply(submissions)
        return [decode_result(a) if isinstance(a, bytes) else a for a in answers]

    def one(self, command: AnyCommand, **how: Any) -> Answer:
        (answer,) = self.all(command, **how)
        return answer

    def account(self) -> int:
        self.all(CreateDomain(name="example.org"))
        address = f"user{self.origin}@example.org"
        made = self.one(CreateAccount(address=address, name="", password_hash=""))
        assert isinstance(made, Created)
        return made.id


def uids(folder: Path) -> list[int]:
    reader = Sqlite(folder / "store.db", writable=False)
    rows = asyncio.run(reader.rows("SELECT uid FROM membership ORDER BY uid"))
    reader.close()
    return [row[0] for row in rows]


def clean(folder: Path) -> None:
    """fsck finds nothing in a store nobody has open."""

    async def examine() -> None:
        async with alone(folder) as store:
            assert [f async for f in check(store.reader, store.blobs, deep=True)] == []

    asyncio.run(examine())


# The lock -----------------------------------------------------------------------------------------


def test_there_is_one_writer(tmp_path: Path) -> None:
    first = Committer(tmp_path)
    with pytest.raises(WriterRunning):
        Committer(tmp_path)
    first.close()
    Committer(tmp_path).close()


def test_a_writer_that_did_not_open_leaves_no_lock(tmp_path: Path) -> None:
    committer = Committer(tmp_path)
    committer.db.connection.execute("INSERT INTO migration VALUES (999, 'later', 0, '', '')")
    committer.close()
    for _ in range(2):
        with pytest.raises(SchemaMismatch, match="999"):
            Committer(tmp_path)


def test_a_lock_that_is_handed_over_stays_with_its_giver(tmp_path: Path) -> None:
    """A supervisor keeps it while one writer ends and the next begins."""
    lock = take_lock(tmp_path)
    for _ in range(2):
        Committer(tmp_path, lock=os.dup(lock)).close()
        with pytest.raises(WriterRunning):
            Committer(tmp_path)
    os.close(lock)
    Committer(tmp_path).close()


def test_no_link_is_locked_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "writer.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        take_lock(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("content", [b"", b"no database\n" * 1_000])
def test_a_database_that_was_emptied_or_is_none_is_damaged_and_not_new(
    tmp_path: Path, content: bytes
) -> None:
    committer = Committer(tmp_path)
    Keys(committer).account()
    committer.close()
    (tmp_path / "store.db").write_bytes(content)
    for _ in range(2):
        with pytest.raises(DatabaseDamaged, match="put a copy back"):
            Committer(tmp_path)
    assert (tmp_path / "store.db").read_bytes() == content


def test_a_first_start_that_broke_off_at_an_empty_file_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "store.db").touch()
    Committer(tmp_path).close()


def test_files_are_for_the_service_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    committer = Committer(folder)
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "blobs").stat().st_mode & 0o077 == 0
    committer.close()


def test_an_old_library_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions up to 3.51.2 can lose committed pages."""
    check_library()
    monkeypatch.setattr(apsw, "SQLITE_VERSION_NUMBER", 3_051_002)
    with pytest.raises(SchemaMismatch, match=r"3\.51\.3"):
        check_library()


def test_the_settings_that_durability_rests_on(tmp_path: Path) -> None:
    committer = Committer(tmp_path)

    def pragma(name: str) -> object:
        (row,) = committer.db.connection.execute(f"PRAGMA {name}").fetchall()
        return row[0]

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2  # FULL
    assert pragma("wal_autocheckpoint") == 0
    assert pragma("foreign_keys") == 1
    committer.close()


# The mark -----------------------------------------------------------------------------------------


def validities(committer: Committer) -> list[int]:
    rows = committer.db.connection.execute("SELECT uidvalidity FROM mailbox ORDER BY id")
    return [int(row[0]) for row in rows]


def test_a_database_put_back_from_a_copy_is_noticed(tmp_path: Path) -> None:
    """Each UIDVALIDITY is renewed, and no number given out since the copy comes again."""
    folder = tmp_path / "data"
    committer = Committer(folder)
    keys = Keys(committer)
    account = keys.account()
    keys.one(deliver(account))
    committer.close()
    shutil.copy(folder / "store.db", tmp_path / "copy")

    committer = Committer(folder)
    keys = Keys(committer)
    before = validities(committer)
    lost = keys.one(deliver(account))
    lost_account = keys.account()
    assert isinstance(lost, Delivered)
    committer.close()

    assert as_left(folder)
    shutil.copy(tmp_path / "copy", folder / "store.db")
    assert not as_left(folder), "it may not be read before its numbers are new"
    committer = Committer(folder)
    assert committer.restored
    after = validities(committer)
    assert not set(before) & set(after)
    keys = Keys(committer)
    new = keys.one(deliver(account))
    assert isinstance(new, Delivered)
    assert new.filed[0].email > lost.filed[0].email
    assert new.filed[0].modseq > lost.filed[0].modseq
    assert keys.account() > lost_account
    committer.close()
    assert as_left(folder)
    # Only once: the store goes on as itself.
    committer = Committer(folder)
    assert not committer.restored
    assert validities(committer)[: len(after)] == after
    committer.close()
    clean(folder)


def test_a_folder_put_back_whole_is_noticed(tmp_path: Path) -> None:
    folder, copy = tmp_path / "data", tmp_path / "copy"
    committer = Committer(folder)
    keys = Keys(committer)
    account = keys.account()
    keys.one(deliver(account))
    before = validities(committer)
    committer.close()
    shutil.copytree(folder, copy)
    committer = Committer(folder)
    assert not committer.restored, "opened again is not put back"
    Keys(committer).one(deliver(account))
    committer.close()
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    committer = Committer(folder)
    assert committer.restored
    assert not set(before) & set(validities(committer))
    committer.close()
    committer = Committer(folder)
    assert not committer.restored, "once"
    committer.close()


def test_the_same_copy_again_and_an_older_one_too(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    committer = Committer(folder)
    keys = Keys(committer)
    account = keys.account()
    committer.close()
    shutil.copy(folder / "store.db", tmp_path / "older")
    committer = Committer(folder)
    Keys(committer).one(deliver(account))
    committer.close()
    shutil.copy(folder / "store.db", tmp_path / "newer")
    seen: set[int] = set()
    emails: set[int] = set()
    highest = 0
    for copy in ("newer", "older", "older", "newer"):
        committer = Committer(folder)
        keys = Keys(committer)
        for _ in range(3):
            answer = keys.one(deliver(account))
            assert isinstance(answer, Delivered)
            emails.add(answer.filed[0].email)
            highest = max(highest, answer.filed[0].modseq)
        seen |= set(validities(committer))
        committer.close()
        shutil.copy(tmp_path / copy, folder / "store.db")
        committer = Committer(folder)
        assert committer.restored
        assert not seen & set(validities(committer)), copy
        new = Keys(committer).one(deliver(account))
        assert isinstance(new, Delivered)
        assert new.filed[0].email not in emails
        assert new.filed[0].modseq > highest
        emails.add(new.filed[0].email)
        highest = new.filed[0].modseq
        committer.close()


@pytest.mark.parametrize(
    ("mark", "alarm"),
    [
        (b"", False),
        (b"\0" * 64, False),
        (b"nonsense", True),
        (b"abc -5 0", True),
        (b"\xff 9", True),
    ],
)
def test_a_mark_that_says_nothing_is_no_alarm_a_damaged_one_is(
    tmp_path: Path, mark: bytes, alarm: bool
) -> None:
    """Beside a damaged mark nobody can tell; renewing once too often costs a sync, no more."""
    Committer(tmp_path).close()
    (tmp_path / "store.mark").write_bytes(mark)
    committer = Committer(tmp_path)
    assert committer.restored == alarm
    committer.close()
    again = Committer(tmp_path)
    assert not again.restored
    again.close()


def test_a_new_database_beside_an_old_mark_is_new(tmp_path: Path) -> None:
    committer = Committer(tmp_path)
    Keys(committer).account()
    committer.close()
    (tmp_path / "store.db").unlink()
    committer = Committer(tmp_path)
    assert not committer.restored
    Keys(committer).account()
    committer.close()
    assert not Committer(tmp_path).restored


def test_a_crash_before_the_mark_is_no_restore(tmp_path: Path) -> None:
    """The mark is written after the commit: it may be behind, never ahead."""
    committer = Committer(tmp_path)
    old = (tmp_path / "store.mark").read_bytes()
    Keys(committer).account()
    committer.close()
    (tmp_path / "store.mark").write_bytes(old)
    committer = Committer(tmp_path)
    assert not committer.restored
    committer.close()


# The disk -----------------------------------------------------------------------------------------


def test_the_reserve_refuses_mail_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committer = Committer(tmp_path, reserve=1000)
    keys = Keys(committer)
    account = keys.account()
    keys.one(deliver(account))
    monkeypatch.setattr(
        "malleposte.store.reserve.os.statvfs",
        lambda _: SimpleNamespace(f_bavail=9, f_frsize=100),
    )
    committer.reserve._looked = 0
    mail, appended, expunged = keys.all(
        deliver(account),
        append(inbox(account)),
        Expunge(actor=0, mailbox=inbox(account), uids=ALL, marked=False),
    )
    assert committer.reserve.low()
    assert isinstance(mail, DiskFull)
    assert isinstance(appended, DiskFull)
    assert isinstance(expunged, Expunged)
    monkeypatch.undo()
    committer.reserve._looked = 0
    assert isinstance(keys.one(deliver(account)), Delivered)
    committer.close()


def test_mail_that_came_before_the_disk_was_full_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committer = Committer(tmp_path, reserve=1000)
    keys = Keys(committer)
    account = keys.account()
    command = deliver(account)
    first = keys.one(command)
    monkeypatch.setattr(committer.reserve, "low", lambda: True)
    keys.seq -= 1
    assert keys.one(command, again=True) == first
    committer.close()
    assert uids(tmp_path) == [1]


def test_the_reserve_is_the_lesser_of_two(tmp_path: Path) -> None:
    state = os.statvfs(tmp_path)
    assert reserve_octets(tmp_path, 1) == 1
    assert reserve_octets(tmp_path, 1 << 60) == state.f_blocks * state.f_frsize // 20
    assert reserve_octets(tmp_path, 1 << 60, 10) == state.f_blocks * state.f_frsize // 10


# Commits that fail --------------------------------------------------------------------------------


def test_a_failed_commit_ends_the_committer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flush that failed must not be tried again: nobody knows what the kernel dropped."""
    committer = Committer(tmp_path)
    keys = Keys(committer)
    account = keys.account()

    def fail() -> None:
        raise apsw.IOError("disk I/O error")

    monkeypatch.setattr(committer.db, "commit", fail)
    with pytest.raises(CommitFailed):
        keys.all(deliver(account), deliver(account))
    monkeypatch.undo()
    committer.close()
    assert uids(tmp_path) == []
    clean(tmp_path)


def test_a_full_disk_at_commit_is_temporary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committer = Committer(tmp_path)
    keys = Keys(committer)
    account = keys.account()
    commit = committer.db.commit
    left = 3

    def full() -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            raise apsw.FullError("database or disk is full")
        commit()

    monkeypatch.setattr(committer.db, "commit", full)
    answers = keys.all(*(deliver(account) for _ in range(4)))
    kinds = [isinstance(a, Delivered) for a in answers]
    # The batch, its first half and its first command found no room; then there was some.
    assert kinds == [False, True, True, True]
    assert isinstance(answers[0], DiskFull)
    committer.close()
    assert uids(tmp_path) == [1, 2, 3]
    clean(tmp_path)


def test_a_checkpoint_that_cannot_flush_ends_the_committer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committer = Committer(tmp_path)
    keys = Keys(committer)
    keys.account()

    def fail(error: Exception) -> None:
        def checkpoint(**_: object) -> None:
            raise error

        monkeypatch.setattr(committer.db, "checkpoint", checkpoint)

    for harmless in (apsw.BusyError(), apsw.LockedError(), apsw.FullError()):
        fail(harmless)
        committer._wal_pages = 1
        committer.rest(idle=True)
    fail(apsw.IOError("fsync"))
    committer._wal_pages = 1
    with pytest.raises(CommitFailed):
        committer.rest(idle=True)
    monkeypatch.undo()
    committer.close()


def test_the_log_is_copied_when_long_or_idle(tmp_path: Path) -> None:
    committer = Committer(tmp_path)
    keys = Keys(committer)
    account = keys.account()
    size = (tmp_path / "store.db").stat().st_size
    committer.rest(idle=False)
    assert (tmp_path / "store.db").stat().st_size == size
    for _ in range(30):
        keys.all(*(deliver(account, data=os.urandom(100_000)) for _ in range(4)))
        committer.rest(idle=False)
    log = (tmp_path / "store.db-wal").stat().st_size
    assert log < 3 * CHECKPOINT_PAGES * 4096, "the log is written over"
    assert (tmp_path / "store.db").stat().st_size > 6_000_000
    committer.close()
    clean(tmp_path)


async def test_alone_keeps_the_log_short_too(tmp_path: Path) -> None:
    async with alone(tmp_path) as store:
        await store.submit(CreateDomain(name="example.org"))
        made = await store.submit(CreateAccount(address="a@example.org", name="", password_hash=""))
        assert isinstance(made, Created)
        for _ in range(150):
            await store.submit(deliver(made.id, data=os.urandom(200_000)))
        assert (tmp_path / "store.db-wal").stat().st_size < 3 * CHECKPOINT_PAGES * 4096


def test_linked_files_of_a_batch_that_failed_are_linked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch is tried in halves; the file has its name already."""
    committer = Committer(tmp_path)
    keys = Keys(committer)
    account = keys.account()
    commit = committer.db.commit
    first = True

    def full() -> None:
        nonlocal first
        if first:
            first = False
            raise apsw.FullError("full")
        commit()

    monkeypatch.setattr(committer.db, "commit", full)
    submissions = []
    descriptors = []
    for n in range(3):
        what, descriptor = in_file(memoryview(os.urandom(300_000 + n)), committer.blobs)
        submissions.append(Submission(8, n, deliver(account, what=what), fd=descriptor))
        descriptors.append(descriptor)
    answers = committer.apply(submissions)
    assert all(isinstance(a, bytes) for a in answers), answers
    for descriptor in descriptors:
        os.close(descriptor)
    committer.close()
    assert uids(tmp_path) == [1, 2, 3]
    clean(tmp_path)


def test_large_content_is_flushed_with_its_names_before_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that is durable names nothing that a power cut could take away."""
    committer = Committer(tmp_path)
    keys = Keys(committer)
    account = keys.account()
    done: list[tuple[str, str]] = []
    fsync, commit = os.fsync, committer.db.commit

    def flush(descriptor: int) -> None:
        done.append(("flush", os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    def end() -> None:
        done.append(("commit", ""))
        commit()

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(committer.db, "commit", end)
    what, descriptor = in_file(memoryview(os.urandom(300_000)), committer.blobs)
    assert [kind for kind, _ in done] == ["flush"], "the octets, before the writer hears of them"
    filed = keys.one(deliver(account, what=what), fd=descriptor)
    os.close(descriptor)
    assert isinstance(filed, Delivered)
    ((file,),) = committer.db.connection.execute("SELECT id FROM blob WHERE place = 'file'")
    folder = blob_path(committer.blobs, int(file)).parent
    assert done[1:] == [
        ("flush", str(folder)),
        ("flush", str(committer.blobs)),
        ("commit", ""),
    ]
    committer.close()


def test_content_that_came_without_its_file_fails_alone(tmp_path: Path) -> None:
    committer = Committer(tmp_path)
    keys = Keys(committer)
    account = keys.account()
    what, descriptor = in_file(memoryview(os.urandom(300_000)), committer.blobs)
    os.close(descriptor)
    good, bad = keys.all(deliver(account), deliver(account, what=what))
    assert isinstance(good, Delivered)
    assert isinstance(bad, PermanentFailure)
    committer.close()
    clean(tmp_path)


def test_results_that_were_answered_are_forgotten(tmp_path: Path) -> None:
    committer = Committer(tmp_path)
    keys = Keys(committer)
    account = keys.account()
    keys.all(*(deliver(account) for _ in range(5)))
    last = Submission(keys.origin, 100, deliver(account))
    committer.apply([last], {keys.origin: 5})
    rows = committer.db.connection.execute("SELECT seq FROM command_result").fetchall()
    assert sorted(int(row[0]) for row in rows) == [6, 7, 100]  # type: ignore[arg-type]
    committer.close()
