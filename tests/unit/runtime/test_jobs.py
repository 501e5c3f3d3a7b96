"""Jobs: run once if all goes well, again if not, and never lost with whoever held them."""

import asyncio

import pytest

from malleposte.runtime.jobs import JobRunner, Upkeep
from malleposte.store import Store
from malleposte.store.commands import AddJob, LeaseJobs
from malleposte.store.results import Leased, LeasedJob


async def rows(store: Store) -> list[tuple[object, ...]]:
    return await store.reader.rows("SELECT kind, key, attempts, last_error FROM job ORDER BY id")


async def add(store: Store, key: str, *, kind: str = "greet", run_at: int = 0) -> None:
    await store.submit(AddJob(kind=kind, key=key, payload=b"hello", run_at=run_at))


async def test_due_jobs_run_and_go(store: Store) -> None:
    seen: list[LeasedJob] = []

    async def greet(job: LeasedJob) -> None:
        seen.append(job)

    for key in ("a", "b"):
        await add(store, key)
    await add(store, "later", run_at=1 << 40)
    await add(store, "unknown", kind="something else")
    runner = JobRunner(store, "me", {"greet": greet})
    while await runner.run_due():
        pass
    assert [(job.key, job.payload) for job in seen] == [("a", b"hello"), ("b", b"hello")]
    assert [row[1] for row in await rows(store)] == ["later", "unknown"]


async def test_a_job_of_a_kind_and_key_waits_once(store: Store) -> None:
    await add(store, "a")
    await add(store, "a")
    assert len(await rows(store)) == 1


async def test_a_failure_is_kept_and_tried_later(store: Store) -> None:
    async def fail(job: LeasedJob) -> None:
        raise ValueError("no luck")

    await add(store, "a")
    runner = JobRunner(store, "me", {"greet": fail})
    assert await runner.run_due() == 1
    assert await runner.run_due() == 0
    ((_, _, attempts, error),) = await rows(store)
    assert attempts == 1
    assert "no luck" in str(error)


async def test_who_dies_loses_the_job_to_another(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(store, "a")
    taken = await store.submit(LeaseJobs(holder="dead", kinds=("greet",), limit=5, seconds=1))
    assert isinstance(taken, Leased)
    assert len(taken.jobs) == 1
    seen: list[LeasedJob] = []

    async def greet(job: LeasedJob) -> None:
        seen.append(job)

    runner = JobRunner(store, "alive", {"greet": greet})
    assert await runner.run_due() == 0
    for _ in range(40):
        if await runner.run_due():
            break
        await asyncio.sleep(0.1)
    assert [job.epoch for job in seen] == [2]
    assert await rows(store) == []


async def test_a_slow_kind_holds_up_no_other(store: Store) -> None:
    """A server that takes TLS reports slowly held up bounces, notices and vacation replies."""
    gate, seen = asyncio.Event(), asyncio.Queue[str]()

    async def slow(job: LeasedJob) -> None:
        await gate.wait()
        await seen.put(job.key)

    async def quick(job: LeasedJob) -> None:
        await seen.put(job.key)

    for number in range(30):  # more than are leased at a time
        await add(store, f"slow{number}", kind="slow")
    await add(store, "first", kind="quick")
    running = asyncio.create_task(JobRunner(store, "me", {"slow": slow, "quick": quick}).run())
    try:
        async with asyncio.timeout(10):
            assert await seen.get() == "first"
            await add(store, "second", kind="quick")
            assert await seen.get() == "second"
            gate.set()
            keys = [await seen.get() for _ in range(30)]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert keys == [f"slow{number}" for number in range(30)]


async def test_what_others_of_its_kind_left_no_time_is_left_to_its_lease(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Begun late, it would still run when another worker begins it again."""
    monkeypatch.setattr("malleposte.runtime.jobs.LEASE", 2)
    monkeypatch.setattr("malleposte.runtime.jobs.MARGIN", 0)
    seen: list[str] = []

    async def slow(job: LeasedJob) -> None:
        seen.append(job.key)
        await asyncio.sleep(1.2)

    for key in ("a", "b"):
        await add(store, key)
    assert await JobRunner(store, "me", {"greet": slow}).run_due() == 2
    assert seen == ["a"]
    assert [row[:2] for row in await rows(store)] == [("greet", "b")]


async def test_a_task_of_upkeep_runs_on_one_node_only(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def upkeep(name: str) -> Upkeep:
        async def task() -> None:
            ran.append(name)

        keeper = Upkeep(store, name, {"sweep": (1000.0, task)})
        keeper._due["sweep"] = 0.0
        return keeper

    real = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda seconds: real(0.01))
    tasks = [asyncio.create_task(upkeep(name).run()) for name in ("a", "b", "c")]
    await real(0.3)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert len(ran) == 1
