"""Runs the store's jobs: rows with a lease, each of which may be run twice.

Whether anything is due is a read; only then is a lease taken, so that an idle server writes nothing. A
job that fails is tried again later and later; its last error stands in its row for ``doctor``.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

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
MARGIN = 10
"""Seconds of a lease in which what became of the job is recorded."""
AT_ONCE = 10
LOOK_EVERY = 1.0
FIRST_RETRY, LAST_RETRY = 5, 3600
_ANY_DUE = both(
    "SELECT 1 FROM job WHERE run_at <= {now} AND until <= {now} LIMIT 1",
    # The database's clock, as that of the leases; on SQLite it is this machine's.
    now=Sql(sqlite="unixepoch()", postgres="floor(extract(epoch FROM now()))::bigint"),
)


class JobRunner:
    """One for each worker; ``kinds`` maps a job's kind to what runs it. Jobs of a kind run one after
    another, kinds beside each other: what waits for a slow server holds up its own kind alone."""

    def __init__(self, store: Store, holder: str, kinds: Mapping[str, Run]) -> None:
        self._store = store
        self._holder = holder
        self._kinds = dict(kinds)
        self._busy: set[str] = set()
        self._done = asyncio.Event()

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._done.clear()
                try:
                    while leased := await self._lease():
                        for kind, jobs in _by_kind(leased).items():
                            self._busy.add(kind)
                            group.create_task(self._run_kind(kind, jobs))
                except StoreError as error:
                    log.warning("jobs wait for the store", reason=str(error))
                    await asyncio.sleep(5)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY):
                        await self._done.wait()

    async def run_due(self) -> int:
        """Run jobs that are due, to their end; how many."""
        leased = await self._lease()
        await asyncio.gather(*(self._run_jobs(jobs) for jobs in _by_kind(leased).values()))
        return len(leased)

    async def _lease(self) -> Sequence[LeasedJob]:
        """Jobs that are due, of kinds of which none runs."""
        idle = tuple(kind for kind in self._kinds if kind not in self._busy)
        if not idle or await self._store.reader.row(_ANY_DUE) is None:
            return ()
        leased = await self._store.submit(
            LeaseJobs(holder=self._holder, kinds=idle, limit=AT_ONCE, seconds=LEASE)
        )
        return leased.jobs if isinstance(leased, Leased) else ()

    async def _run_kind(self, kind: str, jobs: Sequence[LeasedJob]) -> None:
        try:
            await self._run_jobs(jobs)
        except StoreError as error:
            log.warning("jobs wait for the store", reason=str(error))
            await asyncio.sleep(5)
        finally:
            self._busy.discard(kind)
            self._done.set()

    async def _run_jobs(self, jobs: Sequence[LeasedJob]) -> None:
        until = asyncio.get_running_loop().time() + LEASE
        for job in jobs:
            left = until - asyncio.get_running_loop().time()
            if left < LEASE / 2:
                return  # the others took long: it is left to its lease
            await self._run_one(job, left - MARGIN)

    async def _run_one(self, job: LeasedJob, seconds: float) -> None:
        retry_in, words = 0, ""
        try:
            async with asyncio.timeout(seconds):
                await self._kinds[job.kind](job)
        except Exception as error:  # noqa: BLE001 - whatever a job does, the runner goes on
            retry_in = min(FIRST_RETRY * 2 ** min(job.attempts, 12), LAST_RETRY)
            words = f"{type(error).__name__}: {error}"
            log.warning("a job failed", kind=job.kind, key=job.key, reason=words, retry_in=retry_in)
        await self._store.submit(
            FinishJob(job=job.id, epoch=job.epoch, retry_in=retry_in, error=words)
        )


def _by_kind(jobs: Sequence[LeasedJob]) -> Mapping[str, Sequence[LeasedJob]]:
    found: dict[str, list[LeasedJob]] = {}
    for job in jobs:
        found.setdefault(job.kind, []).append(job)
    return found


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
