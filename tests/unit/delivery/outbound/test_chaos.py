"""Servers that do anything at any step, workers that die at any moment: nothing is lost, each try has
one outcome."""

import asyncio
import random

import pytest

from malleposte.delivery.outbound.settings import LEASE, Concurrency
from support.scripted_smtp import DROP, GARBAGE, Manner, Replies
from unit.delivery.outbound.outside import Outside

MESSAGES = 30
TROUBLES = (DROP, GARBAGE, "421 4.3.2 closing", "451 4.3.0 not now")


def moods(chance: random.Random) -> dict[str, Replies]:
    """For some steps some troubles among good replies."""
    usual = {
        "GREETING": "220 hi",
        "MAIL": "250 2.1.0 ok",
        "RCPT": "250 2.1.5 ok",
        "CONTENT": "250 2.0.0 ok",
    }
    found: dict[str, Replies] = {}
    for step in chance.sample(sorted(usual), 2):
        found[step] = [
            chance.choice(TROUBLES) if chance.random() < 0.3 else usual[step] for _ in range(200)
        ]
    return found


@pytest.mark.parametrize("seed", range(4))
async def test_nothing_is_lost(outside_both: Outside, seed: int) -> None:
    outside = outside_both
    chance = random.Random(seed)
    outside.house.clock.stop()
    servers = [await outside.server(number, Manner(slow=0.001)) for number in (1, 2)]
    outside.zone.add("there.example", mx=["10 a.example.", "20 b.example."])
    outside.zone.add("a.example", a="127.0.0.1")
    outside.zone.add("b.example", a="127.0.0.2")
    for number in range(MESSAGES):
        await outside.queue(
            f"a{number}@there.example", f"b{number}@there.example", data=b"message %d" % number
        )
    bounds = Concurrency(first=4, each=4, idle=0.05)
    for _ in range(6):
        for server in servers:
            server.manner.steps = moods(chance)
        try:
            async with outside.sending(concurrency=bounds):
                await asyncio.sleep(chance.random() * 0.3)
                if chance.random() < 0.7:
                    raise Died
        except Died:
            pass
        outside.house.clock.turn(LEASE + 3_600)
    for server in servers:
        server.manner.steps = {}
    while await outside.house.value("SELECT count(*) FROM queue_recipient WHERE state = 0"):
        outside.house.clock.turn(5 * 3_600)
        await outside.go(concurrency=bounds)
    delivered: dict[str, int] = {}
    attempts = await outside.attempts()
    for attempt in attempts:
        delivered[attempt.address] = delivered.get(attempt.address, 0) + (
            attempt.outcome == "delivered"
        )
    assert delivered == {f"{kind}{n}@there.example": 1 for kind in "ab" for n in range(MESSAGES)}
    assert len({(a.address, a.attempt) for a in attempts}) == len(attempts)
    accepted = [r for server in servers for taken in server.accepted for r in taken.recipients]
    assert set(accepted) == set(delivered), "what is recorded as delivered was taken"
    assert await outside.house.rows("SELECT * FROM queue_message") == []


class Died(Exception):
    """The worker is gone."""
