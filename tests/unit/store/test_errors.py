"""What goes wrong in a database or in the system, as the store's own errors: by type, never by wording."""

import errno

import apsw
import asyncpg
import pytest

from malleposte.store import DiskFull, PermanentFailure, TemporaryFailure, postgres, sqlite
from malleposte.store.errors import of_system


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (apsw.FullError("database or disk is full"), DiskFull),
        (apsw.IOError("disk I/O error"), TemporaryFailure),
        (apsw.ConstraintError("UNIQUE"), PermanentFailure),
    ],
)
def test_of_sqlite(error: apsw.Error, kind: type[Exception]) -> None:
    assert type(sqlite.failure(error)) is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (asyncpg.DiskFullError("Auf dem Gerät ist kein Speicherplatz mehr verfügbar"), DiskFull),
        (asyncpg.OutOfMemoryError("no memory on this disk"), TemporaryFailure),
        (asyncpg.NotNullViolationError("null"), PermanentFailure),
    ],
)
def test_of_postgresql(error: Exception, kind: type[Exception]) -> None:
    assert type(postgres.failure(error)) is kind


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EMFILE, TemporaryFailure),
        (errno.EIO, TemporaryFailure),
    ],
)
def test_of_the_system(number: int, kind: type[Exception]) -> None:
    assert type(of_system(OSError(number, "disk"))) is kind
