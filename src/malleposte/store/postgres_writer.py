"""Commands on PostgreSQL, executed in the worker itself.

What waits in a worker is one transaction: heads locked in id order, one statement a batch, no
savepoints; on an error the batch is halved until the bad command stands alone. A transaction whose
outcome is unknown (connection lost around COMMIT, a notice on COMMIT: a synchronous standby that was
not waited for) is sent again under the same keys. A COMMIT is never cancelled.
"""

import asyncio
import contextlib
import os
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, cast

import asyncpg

from malleposte.store.batch import Submission, decode_result, execute
from malleposte.store.commands import AnyCommand, AppendAll, Bringing
from malleposte.store.errors import DiskFull, UnknownOutcome, of_system
from malleposte.store.postgres import AWAY, PATIENCE, UNKNOWN, PostgresTx, failure
from malleposte.store.quota import RECOVERABLE
from malleposte.store.reserve import Reserve
from malleposte.store.results import AnyResult
from malleposte.store.room import Room

_Batch = list[tuple[Submission, "asyncio.Future[AnyResult]", float]]

MAX_BATCH = 128
"""Commands a transaction; past it PostgreSQL's gain is small and locks are held longer."""
CROWD = 64
LANES = 2
"""Transactions a worker has under way at once: a second one only when ``CROWD`` commands wait. Until
then they gather for the next, which costs a fraction each, and would lock the same accounts anyway."""
COLLISIONS = 5
"""Times a transaction may meet a row that another one inserted first; past it, it is a defect."""
MAX_WAITING = 2_000
MAX_WAITING_OCTETS = 64 * 1024 * 1024
"""Commands and octets under way; past it, submitting waits: back-pressure up to the socket."""
NEVER = 1e9
"""Seconds a COMMIT may take: it is never cancelled, since a cancelled one is not waited for."""


def _halve(parts: list[_Batch], part: _Batch, error: Exception) -> None:
    """Try halves of a part that failed, until what is wrong stands alone and fails alone."""
    if len(part) > 1:
        middle = len(part) // 2
        parts[:0] = [part[:middle], part[middle:]]
    elif not part[0][1].done():
        part[0][1].set_exception(failure(error))


def _octets(command: AnyCommand) -> int:
    """About what a command takes in memory while it waits."""
    if isinstance(command, AppendAll):
        return sum(4096 + sum(map(len, m.content.frames)) for m in command.messages)
    if isinstance(command, Bringing):
        return 4096 + sum(map(len, command.content.frames))
    return 1024


class PostgresWriter:
    """Executes a worker's commands. Belongs to one event loop.

    ``committed`` is told of the accounts that changed, after each commit; ``waited``, at the beginning of
    each batch, how many seconds ago its first command was submitted. ``recoverable`` as ``Work`` has it.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[Any]",
        committed: Callable[[Iterable[int]], None] = lambda accounts: None,
        reserve: Reserve | None = None,
        waited: Callable[[float], None] = lambda seconds: None,
        recoverable: int = RECOVERABLE,
    ) -> None:
        self.recoverable = recoverable
        self._pool = pool
        self._reserve = reserve
        self._committed = committed
        self._waited = waited
        self._origin = secrets.randbits(62)
        self._seq = 0
        self._waiting: deque[tuple[Submission, asyncio.Future[AnyResult], float]] = deque()
        self._room = Room(MAX_WAITING, MAX_WAITING_OCTETS)
        self._lanes: set[asyncio.Task[None]] = set()
        self._unanswered: set[int] = set()
        self._purged = 0

    async def submit(self, command: AnyCommand, fd: int | None = None) -> AnyResult:
        """Have a command executed durably; its answer. See ``WriterClient.submit``."""
        if self._reserve is not None and isinstance(command, Bringing) and self._reserve.low():
            raise DiskFull("the disk is almost full")
        octets = _octets(command)
        await self._room.enter(octets)
        try:
            # The caller may give up and close its descriptor while the command is under way.
            own = None if fd is None else os.dup(fd)
        except OSError as error:
            self._room.leave(octets)
            raise of_system(error) from error
        self._seq += 1
        seq = self._seq
        future: asyncio.Future[AnyResult] = asyncio.get_running_loop().create_future()
        submission = Submission(self._origin, seq, command, fd=own)
        self._unanswered.add(seq)
        self._waiting.append((submission, future, time.monotonic() + PATIENCE))
        if not self._lanes or (len(self._waiting) >= CROWD and len(self._lanes) < LANES):
            self._lanes.add(asyncio.create_task(self._lane()))
        try:
            async with asyncio.timeout(PATIENCE):
                return await future
        except TimeoutError:
            raise UnknownOutcome("the database does not answer") from None
        finally:
            self._room.leave(octets)

    async def _lane(self) -> None:
        # Let the commands of this turn of the loop gather first.
        await asyncio.sleep(0)
        batch: _Batch = []
        try:
            while self._waiting:
                batch = self._next()
                if batch:
                    self._waited(time.monotonic() - (batch[0][2] - PATIENCE))
                await self._settle(batch)
                self._settled(batch)
                batch = []
        finally:
            self._settled(batch)
            # Here and not in a callback: whoever submits next must not count on a lane that ended.
            self._lanes.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    def _next(self) -> _Batch:
        """The next batch; a command whose caller gave up before it was tried is left out."""
        batch: _Batch = []
        while self._waiting and len(batch) < MAX_BATCH:
            entry = self._waiting.popleft()
            if entry[1].done():
                self._settled([entry])
            else:
                batch.append(entry)
        return batch

    def _settled(self, batch: _Batch) -> None:
        for submission, _, _ in batch:
            self._unanswered.discard(submission.seq)
            if submission.fd is not None:
                os.close(submission.fd)

    async def _settle(self, batch: _Batch) -> None:
        """Execute a batch until each command has its answer or its failure."""
        parts = [batch] if batch else []
        delay = 0.02
        collisions = 0
        while parts:
            part = parts.pop(0)
            try:
                results = await self._transaction([s for s, _, _ in part])
            except asyncio.CancelledError:
                for _, future, _ in part:
                    if not future.done():
                        future.set_exception(UnknownOutcome("the server is stopping"))
                raise
            except asyncpg.DiskFullError as error:
                # Waiting does not help; what needs no room may still pass.
                _halve(parts, part, error)
                continue
            except (*AWAY, UnknownOutcome) as error:
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
                if isinstance(error, asyncpg.UniqueViolationError) and collisions < COLLISIONS:
                    # Another transaction inserted the same content, or this very command, first.
                    collisions += 1
                    for submission, _, _ in part:
                        submission.again = True
                    parts.insert(0, part)
                else:
                    _halve(parts, part, error)
                continue
            for (_, future, _), result in zip(part, results, strict=True):
                if not future.done():
                    future.set_result(decode_result(result))
            noticed = [s.command for s, _, _ in part if not s.command.unnoticed]
            if noticed:
                self._committed({account for c in noticed for account in c.accounts()})

    async def _transaction(self, submissions: list[Submission]) -> list[bytes]:
        warnings: list[str] = []

        def noticed(_connection: object, message: Any) -> None:
            if getattr(message, "severity_en", "") == "WARNING":
                warnings.append(str(message))

        async with self._pool.acquire() as connection:
            connection.add_log_listener(noticed)
            try:
                await connection.execute("BEGIN")
                try:
                    tx = PostgresTx(connection)
                    leases = any(s.command.leases for s in submissions)
                    now = await self._database_time(tx) if leases else int(time.time())
                    outcome = await execute(tx, submissions, now, self.recoverable)
                    await self._purge(tx)
                except BaseException:
                    with contextlib.suppress(asyncpg.PostgresError, *UNKNOWN):
                        await connection.execute("ROLLBACK")
                    raise
                warnings.clear()
                commit = asyncio.ensure_future(connection.execute("COMMIT", timeout=NEVER))
                try:
                    await asyncio.shield(commit)
                except asyncio.CancelledError:
                    await commit
                    raise
                if warnings:
                    raise UnknownOutcome(f"the commit came with a warning: {warnings[0]}")
            finally:
                with contextlib.suppress(*UNKNOWN):
                    connection.remove_log_listener(noticed)
        return outcome.results

    @staticmethod
    async def _database_time(tx: PostgresTx) -> int:
        """The one clock that all nodes share (design, §6)."""
        row = await tx.row("SELECT floor(extract(epoch FROM clock_timestamp()))::bigint")
        return int(row[0]) if row else int(time.time())

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
        self._room.close()
        if self._lanes:
            await asyncio.wait(list(self._lanes), timeout=PATIENCE)
