"""What a store call can end with besides an answer.

A command that is *refused* (no such mailbox, over quota …) answers with a ``Refused`` result and is no
exception. Exceptions are for the store itself: ``TemporaryFailure`` becomes 4yz or NO [UNAVAILABLE] at
the edge, ``PermanentFailure`` 5yz, once, there.
"""

import errno
from typing import Final

PUT_BACK: Final = "put a copy back (docs/backup.md)"
"""What is to be done about a database that is damaged."""


class StoreError(Exception):
    """Base of the store's errors."""


class TemporaryFailure(StoreError):
    """The store cannot answer now: the writer is away, the disk is full, the database fails over.

    Nothing is known to be lost; the same command with the same key may be sent again.
    """


class PermanentFailure(StoreError):
    """The command can never succeed as it stands (a defect of ours, not of the peer's input)."""


class DiskFull(TemporaryFailure):
    """There is no room on the disk, or no more than the reserve. What brings nothing in may still pass."""


class DatabaseDamaged(TemporaryFailure):
    """The database's own structure is broken. Who sends mail shall keep it: once a copy was put back, it
    is taken."""


class UnknownOutcome(TemporaryFailure):
    """The commit may or may not have happened; only the idempotency key can tell."""


class SchemaMismatch(StoreError):
    """The database is of another version than this program, or not one of ours."""


def no_space(error: OSError) -> bool:
    """Whether the system refused for want of room, and not for any other reason."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def of_system(error: OSError) -> TemporaryFailure:
    """The store's error for one of the system's."""
    kind = DiskFull if no_space(error) else TemporaryFailure
    return kind(f"the system refuses: {error}")
