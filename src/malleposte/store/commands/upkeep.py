"""Commands of the server itself: jobs and leases, sweeps, repair."""

from typing import ClassVar

from malleposte.store.commands.base import MAX_ROWS, Command


class AddJob(Command, frozen=True, array_like=True, kw_only=True):
    """Have a job run; one that waits under the same kind and key stays as it is. Answer: ``Done``."""

    kind: str
    key: str
    payload: bytes
    run_at: int


class LeaseJobs(Command, frozen=True, array_like=True, kw_only=True):
    """Take up to ``limit`` due jobs of some kinds for ``seconds``. Answer: ``Leased``."""

    leases: ClassVar[bool] = True
    holder: str
    kinds: tuple[str, ...]
    limit: int
    seconds: int


class FinishJob(Command, frozen=True, array_like=True, kw_only=True):
    """End a leased job (``retry_in`` 0), or put it back with the error seen, to be due again in so many
    seconds. Answer: ``Done``."""

    leases: ClassVar[bool] = True
    job: int
    epoch: int
    retry_in: int = 0
    error: str = ""


class TakeLease(Command, frozen=True, array_like=True, kw_only=True):
    """Take or renew a named lease. Answer: ``LeaseTaken`` (epoch 0: another holds it)."""

    leases: ClassVar[bool] = True
    name: str
    holder: str
    seconds: int


class PurgeRecoverable(Command, frozen=True, array_like=True, kw_only=True):
    """Remove emails whose time to be recovered is over and that no hold keeps. Answer: ``Done``."""

    limit: int = MAX_ROWS


class PurgeOldest(Command, frozen=True, array_like=True, kw_only=True):
    """Remove an account's recoverable emails before their time, with content nothing else uses: the
    oldest, until ``keep`` octets are left, ``limit`` at a time. Where a hold keeps them, none. Answer:
    ``Swept``, whose ``count`` is of emails; ``more``: there is more past ``keep``."""

    account: int
    keep: int
    limit: int = 500

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class DropContent(Command, frozen=True, array_like=True, kw_only=True):
    """Remove content that ``PutContent`` put and no command will use. ``account`` and ``organisation`` as
    there. Answer: ``Swept``."""

    digests: tuple[bytes, ...]
    account: int = 0
    organisation: int = 0

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,) if self.account else ()


class Shrink(Command, frozen=True, array_like=True, kw_only=True):
    """Give the disk back up to ``pages`` of the database file that hold nothing (SQLite; PostgreSQL keeps
    them for what comes). Answer: ``Done``, whose ``count`` is of pages."""

    pages: int = 1_000


class SweepBlobs(Command, frozen=True, array_like=True, kw_only=True):
    """Remove content nothing uses, untouched for ``idle`` seconds: looks at ``limit`` contents past number
    ``after``. Answer: ``Swept``."""

    idle: int = 48 * 3600
    after: int = 0
    limit: int = MAX_ROWS


class SweepRecords(Command, frozen=True, array_like=True, kw_only=True):
    """Remove old results and traces, up to ``limit`` of each. Answer: ``Done``, whose ``more`` says
    whether something may be left."""

    results_before: int
    traces_before: int
    limit: int = MAX_ROWS


class SweepTombstones(Command, frozen=True, array_like=True, kw_only=True):
    """Remove an account's tombstones up to a modseq, ``limit`` at a time; from then on nobody is told
    of changes since before it. Answer: ``Done``, whose ``more`` says whether something is left."""

    account: int
    upto: int
    limit: int = MAX_ROWS

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class RenewUidValidity(Command, frozen=True, array_like=True, kw_only=True):
    """Give every mailbox of an account a new UIDVALIDITY, after a restore from a copy.

    ``leaps``: how many restores what is skipped must be beyond; more than 1 where a copy is put back
    that knows nothing of the earlier ones.
    """

    account: int
    leaps: int = 1

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class RepairAccount(Command, frozen=True, array_like=True, kw_only=True):
    """Compute again what is derived in an account: counters, sizes, next ids, what names what is gone.

    Answer: ``Done``, whose ``count`` is the rows put right. Takes seconds for a large account.
    """

    account: int

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class RepairNumbers(Command, frozen=True, array_like=True, kw_only=True):
    """Have what is numbered next (accounts, blobs, jobs …) get numbers not in use, and the queue know
    when it is due. Answer: ``Done``.

    ``leap``: numbers to skip besides, after a restore from a copy (with ``RenewUidValidity``).
    """

    leap: int = 0
