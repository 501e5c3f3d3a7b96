"""Turns: one long command goes on in a round of the loop, whoever waits, and large ones run alone."""

from __future__ import annotations

import asyncio

from malleposte.services.turns import LARGE, Turns


async def test_each_gets_its_turn_in_a_round_of_its_own() -> None:
    turns = Turns()
    order: list[int] = []

    async def work(number: int) -> None:
        for _ in range(3):
            await turns.next()
            order.append(number)

    rounds: list[int] = []

    async def count() -> None:
        while len(order) < 12:
            before = len(order)
            await asyncio.sleep(0)
            rounds.append(len(order) - before)

    await asyncio.gather(count(), *(work(number) for number in range(4)))
    assert order == [0, 1, 2, 3] * 3
    assert max(rounds) == 1


async def test_one_that_gives_up_holds_nobody() -> None:
    turns = Turns()
    tasks = [asyncio.create_task(turns.next()) for _ in range(3)]
    await asyncio.sleep(0)
    for task in tasks[:2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert tasks[2].exception() is None
    await asyncio.wait_for(turns.next(), 5)


async def test_large_commands_run_one_after_the_other() -> None:
    turns = Turns()
    running: list[int] = []
    most: dict[int, int] = {}

    async def work(size: int) -> None:
        async with turns.large(size):
            running.append(size)
            for _ in range(5):
                await turns.next()
            most[size] = max(most.get(size, 0), running.count(size))
            running.remove(size)

    await asyncio.gather(*(work(size) for size in (LARGE, LARGE - 1) for _ in range(4)))
    assert most == {LARGE: 1, LARGE - 1: 4}
