"""Room: bounds on what is under way, first come first served, nothing forgotten."""

import asyncio

import pytest

from malleposte.store import TemporaryFailure
from malleposte.store.room import Room


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_commands_are_bounded_and_served_in_order() -> None:
    room = Room(2, 1000)
    order: list[int] = []

    async def enter(n: int) -> None:
        await room.enter(1)
        order.append(n)

    tasks = [asyncio.create_task(enter(n)) for n in range(5)]
    await settle()
    assert order == [0, 1]
    for n in range(2, 5):
        room.leave(1)
        await settle()
        assert order == list(range(n + 1))
    await asyncio.gather(*tasks)
    assert room.inside == 2


async def test_octets_are_bounded() -> None:
    room = Room(100, 10)
    await room.enter(6)
    small = asyncio.create_task(room.enter(5))
    after = asyncio.create_task(room.enter(1))
    await settle()
    assert not small.done()
    assert not after.done(), "nobody overtakes"
    room.leave(6)
    await settle()
    assert small.done()
    assert after.done()
    assert room.octets == 6


async def test_one_command_always_fits() -> None:
    room = Room(10, 10)
    await room.enter(1000)
    other = asyncio.create_task(room.enter(1))
    await settle()
    assert not other.done()
    room.leave(1000)
    await asyncio.wait_for(other, 1)


async def test_a_waiter_that_gives_up_takes_no_room_along() -> None:
    room = Room(1, 1000)
    await room.enter(1)
    first = asyncio.create_task(room.enter(1))
    second = asyncio.create_task(room.enter(1))
    await settle()
    # Let in and cancelled before it ran: its room must go to the next.
    room.leave(1)
    first.cancel()
    await asyncio.wait_for(second, 1)
    assert room.inside == 1
    assert first.cancelled()


async def test_a_large_waiter_that_gives_up_lets_the_small_ones_in() -> None:
    room = Room(10, 10)
    await room.enter(5)
    large = asyncio.create_task(room.enter(9))
    small = asyncio.create_task(room.enter(5))
    await settle()
    assert not small.done()
    large.cancel()
    await asyncio.wait_for(small, 1)


async def test_closing_tells_those_who_wait_and_those_who_come() -> None:
    room = Room(1, 1000)
    await room.enter(1)
    waiting = asyncio.create_task(room.enter(1))
    await settle()
    room.close()
    with pytest.raises(TemporaryFailure):
        await waiting
    with pytest.raises(TemporaryFailure):
        await room.enter(1)
    room.leave(1)
    assert room.inside == 0
