"""SQLite by ``apsw``: the connection of the writer, and the read-only one of a worker.

``journal_mode=WAL`` and ``synchronous=FULL``: a commit returns after the flush. Only the writer
checkpoints. SQLite up to 3.51.2 has a defect in WAL reset that can lose committed pages, so an older
library is refused. Nothing but this module opens the file.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw
import msgspec

from malleposte.store.dialect import TALLY, Bulk, Dialect, Row, Sql
from malleposte.store.errors import (
    PUT_BACK,
    DatabaseDamaged,
    DiskFull,
    PermanentFailure,
    SchemaMismatch,
    TemporaryFailure,
)

LEAST_VERSION = 3_051_003
"""SQLite 3.51.3, the first without the WAL-reset defect."""

_BUSY = (apsw.BusyError, apsw.LockedError)
_DAMAGED = (apsw.CorruptError, apsw.NotADBError)
_AWAY = (apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.NoMemError)


def check_library() -> None:
    """Refuse a SQLite library that can lose committed pages."""
    if apsw.SQLITE_VERSION_NUMBER < LEAST_VERSION:
        raise SchemaMismatch(
            f"SQLite {apsw.sqlite_lib_version()} can lose committed data; 3.51.3 or later is needed:"
            " install the locked version of the package apsw"
        )


def failure(error: apsw.Error) -> Exception:
    """The store's error for one of SQLite's."""
    if isinstance(error, apsw.FullError):
        return DiskFull(f"the database takes no more: {error}")
    if isinstance(error, (*_BUSY, *_AWAY)):
        return TemporaryFailure(f"the database cannot answer now: {error}")
    if isinstance(error, _DAMAGED):
        return DatabaseDamaged(f"the database is damaged: {error}: {PUT_BACK}")
    return PermanentFailure(f"{type(error).__name__}: {error}")


def _bind(parameters: tuple[Any, ...]) -> tuple[Any, ...]:
    for value in parameters:
        if type(value) is list:
            return tuple(
                msgspec.json.encode(v).decode() if type(v) is list else v for v in parameters
            )
    return parameters


class Sqlite:
    """One connection; also its open transaction (``Tx``) between ``begin`` and ``commit``."""

    dialect: Dialect = "sqlite"

    def __init__(self, path: Path, *, writable: bool, create: bool = False) -> None:
        check_library()
        flags = apsw.SQLITE_OPEN_READWRITE if writable else apsw.SQLITE_OPEN_READONLY
        if create:
            flags |= apsw.SQLITE_OPEN_CREATE
        fresh = create and not path.exists()
        if fresh:
            # For its owner alone, whatever the umask; the log and its index get the database's mode.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        try:
            self.connection = apsw.Connection(
                str(path), flags=flags, statementcachesize=200, vfs=None
            )
            self._execute = self.connection.execute
            # Readers of a WAL database wait for nobody, except while it is recovered after a crash.
            self.connection.set_busy_timeout(10_000)
            if fresh:
                # Let freed pages be given back in steps. It writes, which a full disk may not allow later.
                self.connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            if writable:
                (mode,) = self.connection.execute("PRAGMA journal_mode = WAL").fetchone() or ("",)
                if mode != "wal":
                    raise TemporaryFailure(f"{path} cannot keep a write-ahead log here ({mode})")
                self.connection.execute("PRAGMA synchronous = FULL")
                # As on PostgreSQL; only tables of the directory have any.
                self.connection.execute("PRAGMA foreign_keys = ON")
            self.connection.execute("PRAGMA wal_autocheckpoint = 0")
            self.connection.execute(f"PRAGMA cache_size = {-65_536 if writable else -16_384}")
            self.connection.execute("PRAGMA temp_store = MEMORY")
        except apsw.Error as error:
            raise failure(error) from error

    async def rows(self, sql: str | Sql, *parameters: Any) -> list[Row]:
        """See ``Reader.rows``."""
        TALLY.statements += 1
        text = sql if type(sql) is str else sql.sqlite  # type: ignore[union-attr]
        try:
            return self._execute(text, _bind(parameters)).fetchall()
        except apsw.Error as error:
            raise failure(error) from error

    async def row(self, sql: str | Sql, *parameters: Any) -> Row | None:
        """See ``Reader.row``."""
        TALLY.statements += 1
        text = sql if type(sql) is str else sql.sqlite  # type: ignore[union-attr]
        try:
            return self._execute(text, _bind(parameters)).fetchone()
        except apsw.Error as error:
            raise failure(error) from error

    async def run(self, sql: str | Sql, *parameters: Any) -> int:
        """See ``Tx.run``."""
        TALLY.statements += 1
        text = sql if type(sql) is str else sql.sqlite  # type: ignore[union-attr]
        try:
            self._execute(text, _bind(parameters))
            return self.connection.changes()
        except apsw.Error as error:
            raise failure(error) from error

    async def many(self, bulk: Bulk, rows: Sequence[Row]) -> None:
        """See ``Tx.many``."""
        TALLY.statements += 1
        try:
            self.connection.executemany(bulk.sqlite, rows)
        except apsw.Error as error:
            raise failure(error) from error

    async def all(self, parts: Sequence[tuple[Bulk, Sequence[Row]]]) -> None:
        """See ``Tx.all``."""
        TALLY.statements += len(parts)
        try:
            for bulk, rows in parts:
                self.connection.executemany(bulk.sqlite, rows)
        except apsw.Error as error:
            raise failure(error) from error

    def begin(self) -> None:
        """Open a write transaction."""
        try:
            self._execute("BEGIN IMMEDIATE")
        except apsw.Error as error:
            raise failure(error) from error

    def commit(self) -> None:
        """Commit and flush. Whatever is raised here is final: the writer must stop, not try again."""
        self._execute("COMMIT")

    def rollback(self) -> None:
        """Give the transaction up (SQLite may have done so itself)."""
        if self.connection.in_transaction:
            self._execute("ROLLBACK")

    def checkpoint(self, *, truncate: bool = False) -> tuple[int, int]:
        """Copy the write-ahead log into the file; (pages in the log, pages copied)."""
        mode = apsw.SQLITE_CHECKPOINT_TRUNCATE if truncate else apsw.SQLITE_CHECKPOINT_PASSIVE
        return self.connection.wal_checkpoint(mode=mode)

    def data_version(self) -> int:
        """A number that moves when another connection has committed."""
        return int(self._execute("PRAGMA data_version").fetchone()[0])  # type: ignore[index]

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
