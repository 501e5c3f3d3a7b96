"""PostgreSQL by ``asyncpg``: reads from a pool, commands in the worker itself.

What waits in a worker is one transaction: heads locked in id order, one statement a batch, no
savepoints; on an error the batch is halved until the bad command stands alone. A transaction whose
outcome is unknown (connection lost around COMMIT, a notice on COMMIT: a synchronous standby that was
not waited for) is sent again under the same keys. A COMMIT is never cancelled.
"""

import asyncio
import contextlib
import secrets
import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import asyncpg

from malleposte.store.batch import Submission, decode_result, execute
from malleposte.store.commands import AnyCommand
from malleposte.store.dialect import Bulk, Dialect, Row, Sql, placeholders
from malleposte.store.errors import PermanentFailure, TemporaryFailure, UnknownOutcome
from malleposte.store.migrations import migrate
from malleposte.store.results import AnyResult

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[Any] | asyncpg.Connection[Any]

MAX_BATCH = 128
"""Commands a transaction; past it PostgreSQL's gain is small and locks are held longer."""
LANES = 2
"""Transactions a worker has under way at once: one flushes while the other is filled."""
PATIENCE = 60.0
MIGRATION_LOCK = 0x6D616C6C65  # "malle"

_UNKNOWN = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleSessionTimeoutError,
    OSError,
)
_AWAY = (
    *_UNKNOWN,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TooManyConnectionsError,
)


def _failure(error: Exception) -> Exception:
    if isinstance(error, TemporaryFailure | PermanentFailure):
        return error
    if isinstance(error, _AWAY):
        return TemporaryFailure(f"the database cannot answer now: {error}")
    return PermanentFailure(f"{type(error).__name__}: {error}")


class PostgresTx:
    """One connection with its open transaction (``Tx``)."""

    dialect: Dialect = "postgres"

    def __init__(self, connection: "Connection") -> None:
        self.connection = connection

    async def rows(self, sql: str | Sql, *parameters: Any) -> list[Row]:
        """See ``Reader.rows``."""
        text = sql if isinstance(sql, str) else sql.postgres
        return [tuple(row) for row in await self.connection.fetch(text, *parameters)]

    async def row(self, sql: str | Sql, *parameters: Any) -> Row | None:
        """See ``Reader.row``."""
        text = sql if isinstance(sql, str) else sql.postgres
        row = await self.connection.fetchrow(text, *parameters)
        return None if row is None else tuple(row)

    async def run(self, sql: str | Sql, *parameters: Any) -> int:
        """See ``Tx.run``."""
        text = sql if isinstance(sql, str) else sql.postgres
        status = await self.connection.execute(text, *parameters)
        count = str(status).rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def many(self, bulk: Bulk, rows: Sequence[Row]) -> None:
        """See ``Tx.many``."""
        if rows:
            await self.connection.execute(bulk.postgres, *placeholders(rows))


class PostgresReader:
    """Reads, each on a connection of the pool for as long as the statement runs."""

    dialect: Dialect = "postgres"

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self.pool = pool

    async def rows(self, sql: str | Sql, *parameters: Any) -> list[Row]:
        """See ``Reader.rows``."""
        text = sql if isinstance(sql, str) else sql.postgres
        try:
            return [tuple(row) for row in await self.pool.fetch(text, *parameters)]
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise _failure(error) from error

    async def row(self, sql: str | Sql, *parameters: Any) -> Row | None:
        """See ``Reader.row``."""
        text = sql if isinstance(sql, str) else sql.postgres
        try:
            row = await self.pool.fetchrow(text, *parameters)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise _failure(error) from error
        return None if row is None else tuple(row)


async def open_pool(dsn: str, *, size: int = 8) -> "asyncpg.Pool[Any]":
    """A pool of connections; the first is made at once, so that a wrong DSN shows."""
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size,
        command_timeout=PATIENCE,
        statement_cache_size=300,
        server_settings={"application_name": "malleposte", "jit": "off"},
    )


async def migrate_postgres(dsn: str) -> list[str]:
    """Bring the database to the newest step; one node at a time, by an advisory lock."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK)
            return await migrate(PostgresTx(connection))
    finally:
        await connection.close()


class PostgresWriter:
    """Executes a worker's commands. Belongs to one event loop."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool
        self._origin = secrets.randbits(62)
        self._seq = 0
        self._waiting: deque[tuple[Submission, asyncio.Future[AnyResult], float]] = deque()
        self._lanes: set[asyncio.Task[None]] = set()
        self._unanswered: set[int] = set()
        self._purged = 0
        self._closed = False

    async def submit(self, command: AnyCommand, fd: int | None = None) -> AnyResult:
        """Have a command executed durably; its answer. See ``WriterClient.submit``."""
        if self._closed:
            raise TemporaryFailure("the server is stopping")
        self._seq += 1
        seq = self._seq
        future: asyncio.Future[AnyResult] = asyncio.get_running_loop().create_future()
        submission = Submission(self._origin, seq, command, fd=fd)
        self._unanswered.add(seq)
        self._waiting.append((submission, future, time.monotonic() + PATIENCE))
        if len(self._lanes) < LANES:
            lane = asyncio.create_task(self._lane())
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)
        try:
            return await future
        finally:
            self._unanswered.discard(seq)

    async def _lane(self) -> None:
        # Let the commands of this turn of the loop gather first.
        await asyncio.sleep(0)
        while self._waiting:
            count = min(len(self._waiting), MAX_BATCH)
            batch = [self._waiting.popleft() for _ in range(count)]
            await self._settle(batch)

    async def _settle(
        self, batch: list[tuple[Submission, "asyncio.Future[AnyResult]", float]]
    ) -> None:
        """Execute a batch until each command has its answer or its failure."""
        parts = [batch]
        delay = 0.02
        while parts:
            part = parts.pop(0)
            try:
                results = await self._transaction([s for s, _, _ in part])
            except asyncio.CancelledError:
                for _, future, _ in part:
                    if not future.done():
                        future.set_exception(UnknownOutcome("the server is stopping"))
                raise
            except (*_AWAY, UnknownOutcome) as error:
                # Away, or nobody knows whether it committed: the keys tell next time.
                late = time.monotonic()
                for submission, future, until in part:
                    submission.again = True
                    if late > until and not future.done():
                        future.set_exception(UnknownOutcome(f"the database is away: {error}"))
                part = [entry for entry in part if not entry[1].done()]
                if part:
                    parts.insert(0, part)
                    await asyncio.sleep(delay)
                    delay = min(delay * 2, 1.0)
                continue
            except Exception as error:  # noqa: BLE001 - one bad command must fail alone
                if len(part) > 1:
                    middle = len(part) // 2
                    parts[:0] = [part[:middle], part[middle:]]
                elif not part[0][1].done():
                    part[0][1].set_exception(_failure(error))
                continue
            for (_, future, _), result in zip(part, results, strict=True):
                if not future.done():
                    future.set_result(decode_result(result))

    async def _transaction(self, submissions: list[Submission]) -> list[bytes]:
        warnings: list[str] = []

        def noticed(_connection: object, message: Any) -> None:
            if getattr(message, "severity_en", "") == "WARNING":
                warnings.append(str(message))

        async with self._pool.acquire() as connection:
            connection.add_log_listener(noticed)
            try:
                transaction = connection.transaction()
                await transaction.start()
                try:
                    tx = PostgresTx(connection)
                    outcome = await execute(tx, submissions, int(time.time()))
                    await self._purge(tx)
                except BaseException:
                    with contextlib.suppress(asyncpg.PostgresError, *_UNKNOWN):
                        await transaction.rollback()
                    raise
                warnings.clear()
                commit = asyncio.ensure_future(transaction.commit())
                try:
                    await asyncio.shield(commit)
                except asyncio.CancelledError:
                    await commit
                    raise
                if warnings:
                    raise UnknownOutcome(f"the commit came with a warning: {warnings[0]}")
            finally:
                with contextlib.suppress(*_UNKNOWN):
                    connection.remove_log_listener(noticed)
        return outcome.results

    async def _purge(self, tx: PostgresTx) -> None:
        """Results nobody will ask for again go in steps, not one by one."""
        acked = min(self._unanswered, default=self._seq + 1) - 1
        if acked - self._purged >= 1_000:
            await tx.run(
                "DELETE FROM command_result WHERE origin = $1 AND seq <= $2", self._origin, acked
            )
            self._purged = acked

    async def close(self) -> None:
        """Finish what is under way, refuse what comes."""
        self._closed = True
        if self._lanes:
            await asyncio.wait(list(self._lanes), timeout=PATIENCE)
