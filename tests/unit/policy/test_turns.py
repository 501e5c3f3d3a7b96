"""So many at a time, in order, and nobody's place is lost or kept for ever."""

import asyncio

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from malleposte.policy.turns import Turns


async def test_so_many_at_a_time_and_in_order() -> None:
    turns, order, running, most = Turns(2), [], 0, 0

    async def one(number: int) -> None:
        nonlocal running, most
        async with turns.turn("a", 10):
            order.append(number)
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*[one(n) for n in range(20)])
    assert order == list(range(20))
    assert most == 2
    assert len(turns) == 0


async def test_keys_do_not_wait_for_each_other() -> None:
    turns = Turns(1)
    async with turns.turn("a", 10), turns.turn("b", 10):
        assert len(turns) == 2


async def test_waiting_ends_after_its_time() -> None:
    turns = Turns(1)
    async with turns.turn("a", 10):
        with pytest.raises(TimeoutError):
            async with turns.turn("a", 0.001):
                raise AssertionError
    async with turns.turn("a", 0.001):
        pass
    assert len(turns) == 0


@given(
    st.lists(
        st.tuples(st.sampled_from(["come", "go", "leave", "leave as called"]), st.integers(0, 9)),
        max_size=60,
    )
)
@settings(deadline=None)
def test_no_turn_is_lost_whoever_leaves(steps: list[tuple[str, int]]) -> None:
    asyncio.run(_play(steps))


async def _play(steps: list[tuple[str, int]]) -> None:
    turns = Turns(2)
    inside: set[asyncio.Task[None]] = set()
    ends: dict[asyncio.Task[None], asyncio.Event] = {}

    async def one(end: asyncio.Event) -> None:
        task = asyncio.current_task()
        assert task is not None
        async with turns.turn("a", 100):
            inside.add(task)
            try:
                await end.wait()
            finally:
                inside.discard(task)

    for step, number in steps:
        alive = [task for task in ends if not task.done()]
        if step == "come":
            end = asyncio.Event()
            ends[asyncio.create_task(one(end))] = end
        elif alive:
            task = alive[number % len(alive)]
            if step == "go":
                ends[task].set()
            elif step == "leave":
                task.cancel()
            else:  # his turn is given to him in the very round in which he leaves
                for other in list(inside):
                    ends[other].set()
                task.cancel()
        for _ in range(4):
            await asyncio.sleep(0)
        alive = [task for task in ends if not task.done()]
        assert len(inside) == min(2, len(alive))
    for end in ends.values():
        end.set()
    await asyncio.gather(*ends, return_exceptions=True)
    assert len(turns) == 0
