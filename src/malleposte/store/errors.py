"""What a store call can end with besides an answer.

A command that is *refused* (no such mailbox, over quota …) answers with a ``Refused`` result and is no
exception. Exceptions are for the store itself: ``TemporaryFailure`` becomes 4yz or NO [UNAVAILABLE] at
the edge, ``PermanentFailure`` 5yz, once, there.
"""

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


class DatabaseDamaged(TemporaryFailure):
    """The database's own structure is broken. Who sends mail shall keep it: once a copy was put back, it
    is taken."""


class UnknownOutcome(TemporaryFailure):
    """The commit may or may not have happened; only the idempotency key can tell."""


class SchemaMismatch(StoreError):
    """The database is of another version than this program, or not one of ours."""
