"""The one that writes on SQLite: takes what waits, one transaction, one flush, an answer for each.

Whoever holds a ``Committer`` holds the lock file of the data folder: the writer process, or a command
line that found no server. A command that raises is found by halving and fails alone. A commit that
fails is final: ``CommitFailed``, and the process must end; what was committed shows when it starts
again, and the workers' keys tell which commands to repeat.

A database that is behind its ``Mark`` was put back from a copy: then every mailbox gets a new
UIDVALIDITY, and all numbers leap, so that none given since the copy can name something else.
"""

import contextlib
import os
import secrets
import stat
import time
from collections.abc import Sequence
from pathlib import Path

import apsw

from malleposte.store import content
from malleposte.store.batch import Outcome, Submission, execute
from malleposte.store.commands import Bringing, RenewUidValidity, RepairNumbers, Shrink
from malleposte.store.dialect import drive
from malleposte.store.errors import (
    PUT_BACK,
    DatabaseDamaged,
    DiskFull,
    PermanentFailure,
    StoreError,
    TemporaryFailure,
    of_system,
)
from malleposte.store.execute.renewal import ID_LEAP, renew_uidvalidity
from malleposte.store.execute.repair import repair_numbers
from malleposte.store.lock import take_lock
from malleposte.store.mark import Mark
from malleposte.store.migrations import migrate
from malleposte.store.quota import RECOVERABLE
from malleposte.store.reserve import PERCENT, Reserve
from malleposte.store.sqlite import Sqlite, failure
from malleposte.store.work import Work

CHECKPOINT_PAGES = 2_000
"""Pages in the write-ahead log (8 MB) after which it is copied into the file between two batches."""

_REMEMBER = (
    "INSERT INTO meta (name, value) VALUES ($1, $2)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)

Answer = bytes | TemporaryFailure | PermanentFailure


class CommitFailed(StoreError):
    """The commit or its flush failed; nothing may be tried again in this process."""


class Committer:
    """See the module. ``folder`` is the data folder; ``reserve`` in octets of free disk, at most
    ``percent`` of it. ``recoverable`` as ``Work`` has it. ``lock``: its lock, where this process was given
    it. Raises ``WriterRunning``
    where another holds it, ``DatabaseDamaged``, ``SchemaMismatch``, ``TemporaryFailure``, ``OSError``."""

    def __init__(
        self,
        folder: Path,
        *,
        reserve: int = 0,
        percent: int = PERCENT,
        recoverable: int = RECOVERABLE,
        lock: int | None = None,
    ) -> None:
        self.folder = folder
        self.recoverable = recoverable
        self.blobs = folder / "blobs"
        self.batches = 0
        self._wal_pages = 0
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.blobs.mkdir(mode=0o700, exist_ok=True)
        self.reserve = Reserve(folder, reserve, percent)
        with contextlib.ExitStack() as undo:
            self._lock = take_lock(folder) if lock is None else lock
            undo.callback(os.close, self._lock)
            fresh = not (folder / "store.db").exists()
            self._refuse_emptied(folder)
            self._keep_private(folder)
            self.db = Sqlite(folder / "store.db", writable=True, create=True)
            undo.callback(self.db.close)
            self.db.connection.set_wal_hook(self._wal_hook)
            self.db.begin()
            undo.callback(self.db.rollback)
            self.migrated = drive(migrate(self.db))
            self.mark = Mark(folder / "store.mark")
            undo.callback(self.mark.close)
            self.restored = self._follow_mark(fresh=fresh)
            try:
                self.db.commit()
            except apsw.Error as error:
                raise failure(error) from error
            self._mark_now()
            undo.pop_all()

    @staticmethod
    def _keep_private(folder: Path) -> None:
        """Earlier versions made these files as the umask would have them."""
        for name in ("store.db", "store.db-wal", "store.db-shm", "store.mark"):
            path = folder / name
            with contextlib.suppress(OSError):  # not there, or a disk that is read-only
                if stat.S_IMODE(path.stat().st_mode) & 0o077:
                    path.chmod(0o600)

    @staticmethod
    def _refuse_emptied(folder: Path) -> None:
        """SQLite takes a file without an octet for a new database: all mail would seem to be gone."""
        path, mark = folder / "store.db", folder / "store.mark"
        if path.exists() and not path.stat().st_size and mark.exists():
            with contextlib.closing(Mark(mark)) as kept:
                if kept.lineage or kept.damaged:
                    raise DatabaseDamaged(f"the database {path} is empty, and was not: {PUT_BACK}")

    def _wal_hook(self, _db: apsw.Connection, _name: str, pages: int) -> int:
        self._wal_pages = pages
        return 0

    # The mark ---------------------------------------------------------------------------------

    def _follow_mark(self, *, fresh: bool) -> bool:
        """Compare database and mark; True where the database was put back from a copy."""
        meta: dict[str, str] = dict(drive(self.db.rows("SELECT name, value FROM meta")))
        self._lineage = meta.get("lineage") or secrets.token_hex(8)
        self._generation = int(meta.get("generation", 0))
        counted = drive(self.db.row("SELECT next FROM sequence WHERE name = 'commit'"))
        self._commits = int(counted[0]) if counted else 0
        restored = not fresh and self.mark.ahead_of(self._lineage, self._commits)
        if restored:
            leaps = max(self.mark.generation, self._generation) + 1 - self._generation
            self._generation += leaps
            # Durable before anything new is given out; a crash from here on only renews once more.
            self.mark.write(self.mark.lineage or "0" * 16, self.mark.commits, self._generation)
            self.mark.flush()
            # The copy's own line of commits ends here.
            self._lineage = secrets.token_hex(8)
            work = Work(self.db, int(time.time()))
            for (account,) in drive(self.db.rows("SELECT account FROM account_head")):
                drive(renew_uidvalidity(work, RenewUidValidity(account=account, leaps=leaps)))
            drive(repair_numbers(work, RepairNumbers(leap=leaps * ID_LEAP)))
            drive(work.flush())
        for name, value in (("lineage", self._lineage), ("generation", str(self._generation))):
            if meta.get(name) != value:
                drive(self.db.run(_REMEMBER, name, value))
        return restored

    def _mark_now(self) -> None:
        self.mark.write(self._lineage, self._commits, self._generation)

    # Work -------------------------------------------------------------------------------------

    def apply(
        self, submissions: Sequence[Submission], acked: dict[int, int] | None = None
    ) -> list[Answer]:
        """Execute submissions and make them durable; the encoded answer or the failure of each."""
        answers: list[Answer | None] = [None] * len(submissions)
        todo = list(range(len(submissions)))
        if self.reserve.low():
            for at in todo:
                # One sent again may have been executed before the disk was full: look.
                again = submissions[at].again
                if isinstance(submissions[at].command, Bringing) and not again:
                    answers[at] = DiskFull("the disk is almost full")
            todo = [at for at in todo if answers[at] is None]
        pending = [todo] if todo else []
        while pending:
            part = pending.pop(0)
            try:
                outcome = self._transaction([submissions[at] for at in part], acked or {})
            except CommitFailed:
                raise
            except Exception as error:  # noqa: BLE001 - any defect of one command must not stop the others
                self.db.rollback()
                if len(part) > 1:
                    middle = len(part) // 2
                    pending[:0] = [part[:middle], part[middle:]]
                else:
                    answers[part[0]] = _failure(error)
                continue
            for at, result in zip(part, outcome.results, strict=True):
                answers[at] = result
        self.batches += 1
        return [a if a is not None else PermanentFailure("no answer") for a in answers]

    def _transaction(self, submissions: list[Submission], acked: dict[int, int]) -> Outcome:
        self.db.begin()
        outcome = drive(execute(self.db, submissions, int(time.time()), self.recoverable))
        for origin, seq in acked.items():
            drive(
                self.db.run(
                    "DELETE FROM command_result WHERE origin = $1 AND seq <= $2", origin, seq
                )
            )
        commits = self._commits + 1
        drive(self.db.run("UPDATE sequence SET next = $1 WHERE name = 'commit'", commits))
        if outcome.links:
            for descriptor, blob in outcome.links:
                content.link(descriptor, self.blobs, blob)
            for parent in {content.blob_path(self.blobs, blob).parent for _, blob in outcome.links}:
                content.flush_folder(parent)
            content.flush_folder(self.blobs)
        try:
            self.db.commit()
        except apsw.FullError as error:
            # No room to write the log, so nothing was flushed, let alone committed: not final.
            raise failure(error) from error
        except apsw.Error as error:
            raise CommitFailed(f"a commit failed: {error}") from error
        self._commits = commits
        self._mark_now()
        if any(isinstance(one.command, Shrink) for one in submissions):
            # The file gets shorter only when the log is copied into it.
            self._wal_pages = max(self._wal_pages, CHECKPOINT_PAGES)
        return outcome

    def rest(self, *, idle: bool) -> None:
        """Between batches: copy the log into the file when it is long, or when there is time.

        What cannot be copied now (a reader in the way, no room) stays in the log. Raises
        ``CommitFailed`` when the flush fails.
        """
        if self._wal_pages >= CHECKPOINT_PAGES or (idle and self._wal_pages):
            try:
                self.db.checkpoint()
            except (apsw.BusyError, apsw.LockedError, apsw.FullError):
                pass
            except apsw.Error as error:
                raise CommitFailed(f"a checkpoint failed: {error}") from error
            self._wal_pages = 0

    def close(self) -> None:
        """Copy the log into the file, close, give the lock up."""
        with contextlib.suppress(apsw.Error):
            self.db.checkpoint(truncate=True)
        self.db.close()
        self.mark.close()
        os.close(self._lock)


def as_left(folder: Path) -> bool:
    """Whether the database is seen to be the one its mark followed, where it cannot be opened for writing
    (a disk that is read-only): then it may be read meanwhile."""
    try:
        with (
            contextlib.closing(Mark(folder / "store.mark", writable=False)) as mark,
            contextlib.closing(Sqlite(folder / "store.db", writable=False)) as db,
        ):
            lineage = drive(db.row("SELECT value FROM meta WHERE name = 'lineage'"))
            counted = drive(db.row("SELECT next FROM sequence WHERE name = 'commit'"))
            if not (mark.lineage and lineage and counted):
                return False  # nothing to tell it by
            return not mark.ahead_of(lineage[0], counted[0])
    except (StoreError, OSError, ValueError):
        return False


def _failure(error: Exception) -> TemporaryFailure | PermanentFailure:
    if isinstance(error, TemporaryFailure | PermanentFailure):
        return error
    if isinstance(error, OSError):
        return of_system(error)
    return PermanentFailure(f"{type(error).__name__}: {error}")
