"""How many connections there are, to one and to all."""

import asyncio

from malleposte.delivery.outbound.pool import REFUSED, Limit, Slots
from malleposte.delivery.outbound.settings import Concurrency


async def test_slots_go_round() -> None:
    slots = Slots(2)
    called: list[str] = []
    assert slots.take("a", lambda: None)
    assert slots.take("b", lambda: None)
    for name in ("c", "d"):
        assert not slots.take(name, lambda name=name: called.append(name))  # type: ignore[misc]
    assert slots.wanted
    slots.give()
    await asyncio.sleep(0)
    assert called == ["c"]
    assert slots.take("c", lambda: None)
    slots.give()
    await asyncio.sleep(0)
    assert called == ["c", "d"]
    assert not slots.wanted


async def test_who_has_one_waits_for_no_other_and_takes_none_from_who_waits() -> None:
    slots = Slots(2)
    called: list[str] = []
    assert slots.take("a", lambda: None)
    assert slots.take("a", lambda: None, have=1)
    assert not slots.take("a", lambda: called.append("a"), have=2)
    assert not slots.yields()
    assert not slots.take("b", lambda: called.append("b"))
    assert slots.wanted
    assert not slots.take("c", lambda: called.append("c"))
    slots.give()
    assert not slots.take("a", lambda: None, have=1), "c waits for its first"
    await asyncio.sleep(0)
    assert called == ["b"]


async def test_who_idles_gives_way() -> None:
    slots = Slots(1)
    assert slots.take("a", lambda: None)
    idle = asyncio.get_running_loop().create_future()
    slots.idle(idle)
    called: list[str] = []
    assert not slots.take("b", lambda: called.append("b"))
    assert idle.result() is False
    assert not slots.wanted, "nobody else need give way for it"
    slots.give()
    await asyncio.sleep(0)
    assert called == ["b"]


async def test_one_gives_way_for_each_who_waits() -> None:
    slots = Slots(1)
    called: list[str] = []
    assert slots.take("a", lambda: None)
    assert not slots.take("b", lambda: called.append("b"))
    assert not slots.take("c", lambda: called.append("c"))
    assert [slots.yields() for _ in range(3)] == [True, True, False]
    slots.give()
    await asyncio.sleep(0)
    assert called == ["b"]
    slots.forget("c")
    slots.pass_on()
    await asyncio.sleep(0)
    assert called == ["b"]


async def test_who_needs_none_any_more_is_not_called() -> None:
    slots = Slots(0)
    called: list[int] = []
    slots.take("a", lambda: called.append(1))
    slots.forget("a")
    slots.give()
    await asyncio.sleep(0)
    assert called == []


async def test_a_limit_grows_slowly_and_shrinks_quickly() -> None:
    limit = Limit(Concurrency(first=4, each=6))
    assert limit.now == 4
    for _ in range(3):
        limit.worked()
    assert limit.now == 4
    for _ in range(9):
        limit.worked()
    assert limit.now == 6
    limit.failed()
    assert limit.now == 3
    for _ in range(5):
        limit.failed()
    assert limit.now == 1


async def test_a_limit_that_was_met_holds_for_a_while() -> None:
    limit = Limit(Concurrency(first=4, each=20))
    now = asyncio.get_running_loop().time()
    limit.at_most(3, now)
    for _ in range(10):
        limit.worked()
    assert limit.now == 3
    limit.at_most(3, now - REFUSED - 1)
    for _ in range(4):
        limit.worked()
    assert limit.now == 4


async def test_guests_have_half_and_others_the_rest() -> None:
    """Hundreds of servers that are slow on purpose, named by forged senders, leave the rest alone."""
    slots = Slots(10)
    called: list[str] = []
    for number in range(300):
        slots.take(f"slow{number}", lambda n=number: called.append(f"slow{n}"), guest=True)  # type: ignore[misc]
    assert not slots.wanted, "nobody gives way for guests that may not have more"
    assert all(slots.take(f"known{number}", lambda: None) for number in range(5))
    assert not slots.take("known5", lambda: called.append("known5"))
    slots.give()
    await asyncio.sleep(0)
    assert called == ["known5"]
    assert slots.take("known5", lambda: None)
    slots.give(guest=True)
    await asyncio.sleep(0)
    assert called == ["known5", "slow5"], "one guest for another"
    assert slots.take("slow5", lambda: None, guest=True)
    assert not slots.take("slow0", lambda: None, have=1, guest=True)
    slots.known(1)  # one of the guests took a message
    slots.give()
    await asyncio.sleep(0)
    assert called == ["known5", "slow5", "slow6"]
    assert slots.take("slow6", lambda: None, guest=True)
    slots.forget("slow7")
    slots.give(guest=True)
    await asyncio.sleep(0)
    assert called[-1] == "slow8"
