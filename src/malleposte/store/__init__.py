"""The store: emails, mailboxes, blobs, and the one order of changes of each account.

``Store`` is what a worker holds: a reader, a writer that executes typed commands durably, and the views
of mailboxes in use. Which database stands behind it is decided where it is opened (``embedded``,
``alone``, ``cluster``); nobody else asks.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from malleposte.store.batch import Submission, decode_result
from malleposte.store.client import WriterClient
from malleposte.store.commands import AnyCommand
from malleposte.store.committer import Committer
from malleposte.store.dialect import Reader
from malleposte.store.errors import DiskFull, PermanentFailure, StoreError, TemporaryFailure
from malleposte.store.incoming import Incoming, IncomingSettings
from malleposte.store.mailbox_counts import MailboxCounts
from malleposte.store.messages import Clock
from malleposte.store.postgres import PostgresReader, migrate_postgres, open_pool
from malleposte.store.postgres_writer import PostgresWriter
from malleposte.store.queries import Queries
from malleposte.store.quota import RECOVERABLE
from malleposte.store.reserve import PERCENT, Reserve
from malleposte.store.results import AnyResult
from malleposte.store.sqlite import Sqlite
from malleposte.store.unread import Unread
from malleposte.store.views import Views

__all__ = [
    "DiskFull",
    "PermanentFailure",
    "Store",
    "StoreError",
    "TemporaryFailure",
    "alone",
    "cluster",
    "embedded",
]


class Writer(Protocol):
    """Executes commands durably."""

    async def submit(self, command: AnyCommand, fd: int | None = None) -> AnyResult:
        """The answer of a command; ``fd`` is its spooled content."""
        ...


@dataclass(slots=True)
class Store:
    """See the module. ``blobs`` is the folder of large content (SQLite), also for spooled files, which
    ``incoming`` counts."""

    reader: Reader
    writer: Writer
    views: Views
    clock: Clock
    blobs: Path
    incoming: Incoming = field(init=False)
    unread: Unread = field(init=False)
    queries: Queries = field(init=False)
    counts: MailboxCounts = field(init=False)

    def __post_init__(self) -> None:
        self.incoming = Incoming(self.blobs)
        self.unread = Unread(self.reader)
        self.queries = Queries(self.reader, self.clock)
        self.counts = MailboxCounts(self.reader, self.queries, self.clock)

    async def submit(self, command: AnyCommand, fd: int | None = None) -> AnyResult:
        """Execute a command durably; its answer. Raises ``TemporaryFailure``, ``PermanentFailure``."""
        return await self.writer.submit(command, fd)


class _SqliteClock:
    """``PRAGMA data_version``: a microsecond."""

    def __init__(self, db: Sqlite) -> None:
        self._db = db

    def moved(self) -> int | None:
        return self._db.data_version()


class _AskClock:
    """Another machine may have committed: only the database knows."""

    def moved(self) -> int | None:
        return None


class _Local:
    """The committer in this process: a command line without a server, and tests."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self._seq = 0

    async def submit(self, command: AnyCommand, fd: int | None = None) -> AnyResult:
        self._seq += 1
        (answer,) = self._committer.apply(
            [Submission(0, self._seq, command, fd=fd)], {0: self._seq}
        )
        self._committer.rest(idle=False)
        if isinstance(answer, bytes):
            return decode_result(answer)
        raise answer


@contextlib.asynccontextmanager
async def embedded(folder: Path, socket: Path) -> AsyncIterator[Store]:
    """A worker's store: reads the database in ``folder``, writes through the writer's socket."""
    db = Sqlite(folder / "store.db", writable=False)
    writer = WriterClient(socket)
    clock = _SqliteClock(db)
    try:
        yield Store(db, writer, Views(db, clock), clock, folder / "blobs")
    finally:
        await writer.close()
        db.close()


@contextlib.asynccontextmanager
async def alone(folder: Path, *, reserve: int = 0, percent: int = PERCENT) -> AsyncIterator[Store]:
    """The only process at the store in ``folder``: holds the writer's lock. Raises ``WriterRunning``."""
    committer = Committer(folder, reserve=reserve, percent=percent)
    try:
        db = Sqlite(folder / "store.db", writable=False)
        clock = _SqliteClock(db)
        try:
            store = Store(db, _Local(committer), Views(db, clock), clock, folder / "blobs")
            store.incoming.keep(IncomingSettings(), committer.reserve)
            yield store
        finally:
            db.close()
    finally:
        committer.close()


@contextlib.asynccontextmanager
async def cluster(
    dsn: str,
    spool: Path,
    *,
    size: int = 8,
    reserve: int = 0,
    percent: int = PERCENT,
    committed: Callable[[Iterable[int]], None] = lambda accounts: None,
    waited: Callable[[float], None] = lambda seconds: None,
    recoverable: int = RECOVERABLE,
) -> AsyncIterator[Store]:
    """A store on PostgreSQL; ``spool`` is a local folder for content on its way in.

    ``reserve`` and ``percent``: room on its disk that new mail leaves alone (the database's own disk is
    the database's business). ``committed`` is told of the accounts this worker changed (see ``hints``),
    ``waited`` of the seconds that the first command of each transaction had waited for it. ``recoverable``:
    octets of expunged mail that an account may have.
    """
    await migrate_postgres(dsn)
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)  # noqa: ASYNC240 - once, at start
    pool = await open_pool(dsn, size=size)
    reader = PostgresReader(pool)
    kept = Reserve(spool, reserve, percent)
    writer = PostgresWriter(pool, committed, kept, waited, recoverable)
    clock = _AskClock()
    try:
        store = Store(reader, writer, Views(reader, clock), clock, spool)
        store.incoming.keep(IncomingSettings(), kept)
        yield store
    finally:
        await writer.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(pool.close(), 5)
