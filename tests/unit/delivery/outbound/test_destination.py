"""Connections to one destination and to all: how many, how long, and whom they carry."""

import asyncio
from typing import Any

import pytest

from malleposte.delivery.outbound import TlsPolicy
from malleposte.delivery.outbound.guests import BUSY
from malleposte.delivery.outbound.settings import Concurrency
from support.scripted_smtp import DROP, Manner, ScriptedServer
from unit.delivery.outbound.outside import Outside, until
from unit.delivery.outbound.test_tls_table import Demands


async def many(outside: Outside, count: int, domain: str = "there.example") -> None:
    for number in range(count):
        await outside.queue(f"u{number}@{domain}", data=b"%d %s" % (number, domain.encode()))


async def nobody(server: ScriptedServer) -> bool:
    return server.now == 0


async def failed(outside: Outside, times: int) -> bool:
    return (await outside.routes()).get("there.example", (0, 0, ""))[1] == times


async def all_delivered(outside: Outside, count: int, **settings: Any) -> None:
    attempts = await outside.go(**settings)
    assert [a.said for a in attempts if a.outcome != "delivered"] == []
    assert len(attempts) == count


async def test_connections_grow_with_success_up_to_the_bound(outside: Outside) -> None:
    server = await outside.server(1, Manner(slow=0.01))
    outside.domain()
    await many(outside, 60)
    await all_delivered(outside, 60, concurrency=Concurrency(first=2, each=6, idle=0.3))
    assert 2 < server.most <= 6


async def test_a_server_that_takes_few_connections_gets_few_and_nobody_waits(
    outside: Outside,
) -> None:
    server = await outside.server(1, Manner(slow=0.01, sessions=3))
    outside.domain()
    await many(outside, 40)
    await all_delivered(outside, 40, concurrency=Concurrency(first=10, each=20, idle=0.3))
    assert server.connections < 30, "it is not asked for more again and again"
    assert await outside.routes() == {}


async def test_a_connection_carries_many_messages(outside: Outside) -> None:
    server = await outside.server()
    outside.domain()
    await many(outside, 30)
    await all_delivered(outside, 30, concurrency=Concurrency(first=1, each=1, idle=0.3))
    assert server.connections == 1


async def test_a_connection_carries_so_many_messages_and_no_more(outside: Outside) -> None:
    server = await outside.server()
    outside.domain()
    await many(outside, 30)
    bounds = Concurrency(first=1, each=1, messages=10, idle=0.3)
    await all_delivered(outside, 30, concurrency=bounds)
    assert server.connections == 3
    assert server.commands.count("QUIT") == 3


async def test_it_is_kept_for_the_next_message_and_then_closed(outside: Outside) -> None:
    server = await outside.server()
    outside.domain()
    async with outside.sending() as dispatcher:
        for number in range(2):
            await outside.queue(f"a{number}@there.example", data=b"%d" % number)
            dispatcher.wake()
            await outside.until_attempted(number + 1)
        assert server.connections == 1
        await until(lambda: nobody(server))
        assert server.commands[-1] == "QUIT"


@pytest.mark.parametrize("then", [DROP, "421 4.7.0 so many and no more"])
async def test_a_server_that_ends_a_session_costs_no_message_a_try(
    outside: Outside, then: str
) -> None:
    server = await outside.server(1, Manner(after=5, then=then))
    outside.domain()
    await many(outside, 20)
    await all_delivered(outside, 20, concurrency=Concurrency(first=1, each=1, idle=0.3))
    assert 4 <= server.connections <= 5
    assert len(server.accepted) == 20


async def test_recipients_go_together_up_to_a_hundred(outside: Outside) -> None:
    server = await outside.server()
    outside.domain()
    await outside.queue(*(f"u{number}@there.example" for number in range(250)))
    await all_delivered(outside, 250)
    # Twenty are tried at first; then as many as fit.
    sizes = [len(taken.recipients) for taken in server.accepted]
    assert sum(sizes) == 250
    assert max(sizes) == 100


async def test_domains_of_the_same_servers_go_in_one_transaction(outside: Outside) -> None:
    server = await outside.server()
    outside.domain()
    outside.zone.add("other.example", mx="5 MX.there.example.")
    outside.zone.records["there.example", "MX"] = ["5 mx.there.example."]
    await outside.queue("a@there.example", "b@other.example", "c@there.example")
    await all_delivered(outside, 3)
    assert [sorted(taken.recipients) for taken in server.accepted] == [
        ["a@there.example", "b@other.example", "c@there.example"]
    ]


async def test_domains_of_different_policies_share_nothing(outside: Outside) -> None:
    server = await outside.server()
    outside.domain()
    outside.zone.add("other.example", mx="10 mx.there.example.")
    await outside.queue("a@there.example", "b@other.example")
    await all_delivered(outside, 2, policies=Demands(TlsPolicy()))
    assert sorted(taken.recipients for taken in server.accepted) == [
        ["a@there.example"],
        ["b@other.example"],
    ]


async def test_connections_to_everybody_are_bounded_and_all_get_their_turn(
    outside: Outside,
) -> None:
    for number in range(1, 7):
        await outside.server(number, Manner(slow=0.005))
        outside.domain(f"d{number}.example", number)
        await many(outside, 10, f"d{number}.example")
    most = 0
    async with outside.sending(concurrency=Concurrency(most=2, idle=0.3)) as dispatcher:
        while len(await outside.attempts()) < 60:
            most = max(most, sum(server.now for server in outside.servers.values()))
            await asyncio.sleep(0.002)
        assert dispatcher.connections <= 2
    assert all(len(server.accepted) == 10 for server in outside.servers.values())
    assert most <= 4, "two, and two that are saying goodbye"
    opened = sum(server.connections for server in outside.servers.values())
    assert opened <= 20, "a turn is longer than a message"


async def test_one_looks_at_a_way_that_failed_before(outside: Outside) -> None:
    server = await outside.server(1, Manner(steps={"GREETING": "421 4.3.2 busy"}))
    outside.domain()
    outside.house.clock.stop()
    await many(outside, 12)
    await outside.go(tries=1)
    assert (await outside.routes())["there.example"][1] == 1
    before = server.connections
    outside.house.clock.turn(140)
    async with outside.sending():
        await until(lambda: failed(outside, 2))
    assert server.connections == before + 1
    pause, failures, _ = (await outside.routes())["there.example"]
    assert 200 < pause < 280
    assert failures == 2
    # It works again: everything goes, and its failures are forgotten.
    server.manner.steps = {}
    outside.house.clock.turn(300)
    waiting = await outside.house.value("SELECT count(*) FROM queue_recipient")
    await all_delivered(outside, waiting)
    assert await outside.routes() == {}


async def test_sessions_that_break_again_and_again_close_the_way(outside: Outside) -> None:
    await outside.server(1, Manner(steps={"MAIL": DROP}))
    outside.domain()
    await many(outside, 10)
    await outside.go(tries=3, concurrency=Concurrency(first=1, each=1, idle=0.3))
    assert "closed the connection (at MAIL FROM)" in (await outside.routes())["there.example"][2]
    assert len(await outside.attempts()) == 3, (
        "the others are not tried, and nothing is said of them"
    )


async def test_an_address_that_broke_off_is_tried_last(outside: Outside) -> None:
    first = await outside.server(1, Manner(steps={"MAIL": DROP}))
    second = await outside.server(2)
    outside.zone.add("there.example", mx="10 mx.there.example.")
    outside.zone.add("mx.there.example", a=["127.0.0.1", "127.0.0.2"])
    async with outside.sending(concurrency=Concurrency(first=1, each=1, idle=0.0)) as dispatcher:
        for number in range(6):
            await outside.queue(f"a{number}@there.example", data=b"%d" % number)
            dispatcher.wake()
            await outside.until_attempted(number + 1)
    assert first.connections <= 1
    assert len(second.accepted) >= 5


async def test_ipv6_and_the_source_address(outside: Outside) -> None:
    server = await outside.server()
    outside.zone.add("there.example", mx="10 mx.there.example.")
    outside.zone.add("mx.there.example", a="127.0.0.1", aaaa="::1")
    await outside.queue("a@there.example")
    # Nobody listens at ::1: the other family is tried at once.
    (attempt,) = await outside.go(ipv6=True, source_ipv4="127.0.0.9")
    assert attempt.outcome == "delivered"
    assert server.peers == ["127.0.0.9"]
    six = type(server)(Manner())
    await six.start("::1", outside.port)
    try:
        await outside.queue("b@there.example", data=b"6")
        (attempt,) = await outside.go(ipv6=True)
        assert attempt.host.startswith(f"mx.there.example [::1]:{outside.port}")
        assert len(six.accepted) == 1
    finally:
        await six.close()


async def test_a_source_address_that_is_not_ours_is_named(outside: Outside) -> None:
    await outside.server()
    outside.domain()
    await outside.queue("a@there.example")
    (attempt,) = await outside.go(source_ipv4="192.0.2.1")
    assert attempt.outcome == "deferred"
    assert "assign requested address" in attempt.said or "192.0.2.1" in attempt.said


async def test_servers_that_are_slow_on_purpose_leave_room_for_other_mail(outside: Outside) -> None:
    """Reports to forged senders keep as many lanes as guests may have waiting for ever, and fill their half
    of the hand; what somebody here writes goes at once, also where nobody is known yet."""
    await outside.server(1)
    outside.domain()
    slow = await outside.server(2, Manner(slow=60.0))
    for number in range(30):
        outside.domain(f"slow{number}.example", 2)
        for n in range(5):
            await outside.queue(f"{n}@slow{number}.example", sender="", account=0)
    bounds = Concurrency(most=6, first=1, idle=0.3)
    async with outside.sending(
        concurrency=bounds, in_hand=100, ahead=5, patience=0.1
    ) as dispatcher:

        async def jammed() -> bool:
            return slow.now == 3 and dispatcher.in_hand >= 40

        await until(jammed)
        await outside.queue("u@there.example")
        dispatcher.wake()
        await outside.until_attempted(1)
        assert dispatcher.in_hand <= 50
        (first,) = await outside.attempts()
        assert (first.address, first.outcome) == ("u@there.example", "delivered")
        assert slow.now == 3
    said = {words for _, _, words in (await outside.routes()).values()}
    assert BUSY in said
