"""Runs the store's jobs: rows with a lease, each of which may be run twice.

Whether anything is due is a read; only then is a lease taken, so that an idle server writes nothing. A
job that fails is tried again later and later; its last error stands in its row for ``doctor``.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog

from malleposte.store import Store, StoreError
from malleposte.store.commands import FinishJob, LeaseJobs, TakeLease
from malleposte.store.dialect import Sql, both
from malleposte.store.results import Leased, LeasedJob, LeaseTaken

log = structlog.get_logger("jobs")

Run = Callable[[LeasedJob], Awaitable[None]]
Task = Callable[[], Awaitable[object]]

LEASE = 300
"""Seconds a job may take; past it another worker may run it again."""
AT_ONCE = 10
LOOK_EVERY = 1.0
FIRST_RETRY, LAST_RETRY = 5, 3600
_ANY_DUE = both(
    "SELECT 1 FROM job WHERE run_at <= {now} AND until <= {now} LIMIT 1",
    # The database's clock, as that of the leases; on SQLite it is this machine's.
    now=Sql(sqlite="unixepoch()", postgres="floor(extract(epoch FROM now()))::bigint"),
)


class JobRunner:
    """One for each worker; ``kinds`` maps a job's kind to what runs it."""

    def __init__(self, store: Store, holder: str, kinds: Mapping[str, Run]) -> None:
        self._store = store
        self._holder = holder
        self._kinds = dict(kinds)

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                while await self.run_due():
                    pass
            except StoreError as error:
                log.warning("jobs wait for the store", reason=str(error))
                await asyncio.sleep(5)

    async def run_due(self) -> int:
        """Run the jobs that are due; how many."""
        due = await self._store.reader.row(_ANY_DUE)
        if due is None:
            return 0
        leased = await self._store.submit(
            LeaseJobs(holder=self._holder, kinds=tuple(self._kinds), limit=AT_ONCE, seconds=LEASE)
        )
        if not isinstance(leased, Leased):
            return 0
        for job in leased.jobs:
            await self._run_one(job)
        return len(leased.jobs)

    async def _run_one(self, job: LeasedJob) -> None:
        retry_in, words = 0, ""
        try:
            async with asyncio.timeout(LEASE - 10):
                await self._kinds[job.kind](job)
        except Exception as error:  # noqa: BLE001 - whatever a job does, the runner goes on
            retry_in = min(FIRST_RETRY * 2 ** min(job.attempts, 12), LAST_RETRY)
            words = f"{type(error).__name__}: {error}"
            log.warning("a job failed", kind=job.kind, key=job.key, reason=words, retry_in=retry_in)
        await self._store.submit(
            FinishJob(job=job.id, epoch=job.epoch, retry_in=retry_in, error=words)
        )


class Upkeep:
    """Work there is one of in a cluster: run by whoever holds the lease, each task every so often."""

    def __init__(
        self,
        store: Store,
        holder: str,
        tasks: Mapping[str, tuple[float, Task]],
    ) -> None:
        self._store = store
        self._holder = holder
        self._tasks = dict(tasks)
        self._due = {
            name: time.monotonic() + min(60.0, every) for name, (every, _) in self._tasks.items()
        }

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            await asyncio.sleep(5)
            now = time.monotonic()
            for name, (every, task) in self._tasks.items():
                if now < self._due[name]:
                    continue
                self._due[name] = now + every
                try:
                    lease = await self._store.submit(
                        TakeLease(
                            name=f"upkeep:{name}", holder=self._holder, seconds=int(every * 0.9)
                        )
                    )
                    if isinstance(lease, LeaseTaken) and lease.epoch:
                        await task()
                except StoreError as error:
                    log.warning("upkeep waits for the store", task=name, reason=str(error))
                except Exception:
                    log.exception("upkeep failed", task=name)
