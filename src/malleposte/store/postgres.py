"""PostgreSQL by ``asyncpg``: the pool, reads from it, a transaction, and what its errors mean.

Commands are executed by ``postgres_writer``.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import asyncpg

from malleposte.store.dialect import TALLY, Bulk, Dialect, Row, Sql, placeholders
from malleposte.store.errors import (
    PUT_BACK,
    DatabaseDamaged,
    DiskFull,
    PermanentFailure,
    TemporaryFailure,
)
from malleposte.store.migrations import migrate

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[Any] | asyncpg.Connection[Any]

PATIENCE = 60.0
"""Seconds a command may wait for the database before its caller gives up (design, §6)."""
MIGRATION_LOCK = 0x6D616C6C65  # "malle"

UNKNOWN = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    OSError,
)
"""Errors after which nobody knows what the statement did."""
AWAY = (
    *UNKNOWN,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TooManyConnectionsError,
)
"""Errors that pass: the same is tried again."""
_DAMAGED = (asyncpg.DataCorruptedError, asyncpg.IndexCorruptedError)


def failure(error: Exception) -> Exception:
    """What a caller of the store gets for an error of the database."""
    if isinstance(error, TemporaryFailure | PermanentFailure):
        return error
    if isinstance(error, asyncpg.DiskFullError):
        return DiskFull(f"the database takes no more: {error}")
    if isinstance(error, AWAY):
        return TemporaryFailure(f"the database cannot answer now: {error}")
    if isinstance(error, _DAMAGED):
        return DatabaseDamaged(f"the database is damaged: {error}: {PUT_BACK}")
    return PermanentFailure(f"{type(error).__name__}: {error}")


@lru_cache(maxsize=256)  # a delivery has some ten shapes
def _together(statements: tuple[str, ...]) -> str:
    """One statement that runs several, their parameters numbered on."""
    parts, offset = [], 0
    for n, statement in enumerate(statements):
        most = 0

        def shifted(match: re.Match[str], offset: int = offset) -> str:
            nonlocal most
            most = max(most, int(match[1]))
            return f"${int(match[1]) + offset}"

        parts.append(f"p{n} AS ({re.sub(r'[$]([0-9]+)', shifted, statement)})")
        offset += most
    return f"WITH {', '.join(parts)} SELECT 1"


class PostgresTx:
    """One connection with its open transaction (``Tx``)."""

    dialect: Dialect = "postgres"

    def __init__(self, connection: "Connection") -> None:
        self.connection = connection

    async def rows(self, sql: str | Sql, *parameters: Any) -> list[Row]:
        """See ``Reader.rows``."""
        TALLY.statements += 1
        text = sql if isinstance(sql, str) else sql.postgres
        return [tuple(row) for row in await self.connection.fetch(text, *parameters)]

    async def row(self, sql: str | Sql, *parameters: Any) -> Row | None:
        """See ``Reader.row``."""
        TALLY.statements += 1
        text = sql if isinstance(sql, str) else sql.postgres
        row = await self.connection.fetchrow(text, *parameters)
        return None if row is None else tuple(row)

    async def run(self, sql: str | Sql, *parameters: Any) -> int:
        """See ``Tx.run``."""
        TALLY.statements += 1
        text = sql if isinstance(sql, str) else sql.postgres
        status = await self.connection.execute(text, *parameters)
        count = str(status).rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def many(self, bulk: Bulk, rows: Sequence[Row]) -> None:
        """See ``Tx.many``."""
        TALLY.statements += 1
        if rows:
            await self.connection.execute(bulk.postgres, *placeholders(rows))

    async def all(self, parts: Sequence[tuple[Bulk, Sequence[Row]]]) -> None:
        """See ``Tx.all``: one statement, each part a ``WITH`` that modifies (measured: half the time)."""
        TALLY.statements += 1
        if parts:
            text = _together(tuple(bulk.postgres for bulk, _ in parts))
            columns = [column for _, rows in parts for column in placeholders(rows)]
            await self.connection.execute(text, *columns)


class PostgresReader:
    """Reads, each on a connection of the pool for as long as the statement runs.

    While the database is away a read waits for it, up to ``PATIENCE`` (design, §6).
    """

    dialect: Dialect = "postgres"

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self.pool = pool

    async def rows(self, sql: str | Sql, *parameters: Any) -> list[Row]:
        """See ``Reader.rows``."""
        text = sql if isinstance(sql, str) else sql.postgres
        found = await self._patiently(self.pool.fetch, text, parameters)
        return [tuple(row) for row in found]

    async def row(self, sql: str | Sql, *parameters: Any) -> Row | None:
        """See ``Reader.row``."""
        text = sql if isinstance(sql, str) else sql.postgres
        row = await self._patiently(self.pool.fetchrow, text, parameters)
        return None if row is None else tuple(row)

    async def _patiently(
        self, ask: Callable[..., Awaitable[Any]], text: str, parameters: tuple[Any, ...]
    ) -> Any:
        TALLY.statements += 1
        until = time.monotonic() + PATIENCE
        delay = 0.02
        while True:
            try:
                return await ask(text, *parameters)
            except AWAY as error:
                late = time.monotonic() + delay > until or self.pool.is_closing()
                # A ValueError is asyncpg's word for parameters that do not fit: ours, and final.
                if late or isinstance(error, ValueError):
                    raise failure(error) from error
            except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                raise failure(error) from error
            await asyncio.sleep(delay)
            delay = min(delay * 2, 1.0)


async def _nothing_to_reset(_connection: "Connection") -> None:
    """Instead of asyncpg's statement after each use, a round trip: nothing of ours leaves locks, cursors
    or settings in a session, and a transaction left open is rolled back before this is asked."""


async def open_pool(dsn: str, *, size: int = 8) -> "asyncpg.Pool[Any]":
    """A pool of connections; the first is made at once, so that a wrong DSN shows."""
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size,
        command_timeout=PATIENCE,
        statement_cache_size=300,
        reset=_nothing_to_reset,
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
