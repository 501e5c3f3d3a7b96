"""The loop over the queue, on both databases: what is due goes, once, and what became of it is kept;
whatever dies meanwhile, nothing is lost, and only what was sent whole may arrive twice."""

import asyncio
import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
import structlog

from malleposte.delivery.outbound import Dispatcher, Settled
from malleposte.delivery.outbound.settings import LEASE, Concurrency, Schedule
from malleposte.store import TemporaryFailure
from malleposte.store.commands import ChangeQueued, RecordOutcomes, Report
from malleposte.store.results import Done
from support.scripted_smtp import SILENCE, Manner, Replies
from unit.delivery.outbound.outside import CONTENT, DAY, Outside, until

HOUR = 3_600


async def test_a_message_goes_and_leaves_the_queue(outside_both: Outside) -> None:
    outside = outside_both
    server = await outside.server()
    outside.domain()
    await outside.queue("a@there.example", "b@there.example")
    attempts = await outside.go()
    assert [(a.address, a.outcome) for a in attempts] == [
        ("a@there.example", "delivered"),
        ("b@there.example", "delivered"),
    ]
    assert attempts[0].said == "mx.there.example took it: «250 2.0.0 queued as 1»"
    assert attempts[0].host == f"mx.there.example [127.0.0.1]:{outside.port}, without TLS"
    (taken,) = server.taken
    assert taken.content == b"Received: here\r\n" + CONTENT
    assert taken.recipients == ["a@there.example", "b@there.example"]
    assert await outside.house.rows("SELECT * FROM queue_message") == []


async def test_the_envelope_goes_as_it_was_given(outside: Outside) -> None:
    server = await outside.server()
    outside.domain()
    wishes = {"notify": "SUCCESS,FAILURE", "original": "rfc822;old+me@example.org"}
    await outside.queue("a@there.example", relay=wishes, ret="HDRS", envelope="QQ 1")
    await outside.go()
    assert server.commands[1:3] == [
        f"MAIL FROM:<me@example.org> SIZE={len(CONTENT) + 16} RET=HDRS ENVID=QQ+201",
        "RCPT TO:<a@there.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;old+2Bme@example.org",
    ]


async def test_what_is_deferred_goes_later(outside_both: Outside) -> None:
    outside = outside_both
    outside.house.clock.stop()
    await outside.server(1, Manner(steps={"RCPT": ["450 4.7.1 greylisted", "250 ok"]}))
    outside.domain()
    await outside.queue("a@there.example")
    async with outside.sending() as dispatcher:
        await outside.until_attempted(1)
        outside.house.clock.turn(260)
        dispatcher.wake()
        await asyncio.sleep(0.1)
        assert len(await outside.attempts()) == 1, "not before its time"
        outside.house.clock.turn(80)
        dispatcher.wake()
        await outside.until_attempted(2)
    assert [(a.attempt, a.outcome) for a in await outside.attempts()] == [
        (1, "deferred"),
        (2, "delivered"),
    ]


async def test_what_is_queued_here_goes_at_once(outside: Outside) -> None:
    await outside.server()
    outside.domain()
    async with outside.sending() as dispatcher:
        await asyncio.sleep(0.1)
        await outside.queue("a@there.example")
        dispatcher.wake()
        async with asyncio.timeout(0.8):
            await outside.until_attempted(1)
        await until(lambda: empty(dispatcher))


async def empty(dispatcher: Dispatcher) -> bool:
    return dispatcher.in_hand == 0


async def test_what_others_queue_goes_within_moments(outside: Outside) -> None:
    await outside.server()
    outside.domain()
    async with outside.sending():
        await asyncio.sleep(0.1)
        await outside.queue("a@there.example")
        async with asyncio.timeout(2):
            await outside.until_attempted(1)


async def test_a_new_message_passes_a_queue_that_stands(outside: Outside) -> None:
    await outside.server(1, Manner(steps={"MAIL": SILENCE}))
    await outside.server(2)
    outside.domain("slow.example", 1)
    outside.domain("quick.example", 2)
    for number in range(60):
        await outside.queue(f"u{number}@slow.example", data=b"%d" % number)
    timeouts = dataclasses.replace(outside.settings().timeouts, mail=60.0)
    async with outside.sending(patience=0.1, timeouts=timeouts) as dispatcher:
        await until(lambda: busy(dispatcher))
        await outside.queue("a@quick.example")
        dispatcher.wake()
        async with asyncio.timeout(1):
            await outside.until_attempted(1)
        # What stands holds little: more of its recipients are taken when it gets on.
        assert dispatcher.in_hand <= 21


async def busy(dispatcher: Dispatcher) -> bool:
    return dispatcher.in_hand >= 20


async def test_a_person_has_it_tried_again_at_once(outside: Outside) -> None:
    server = await outside.server(1, Manner(steps={"GREETING": "421 4.3.2 busy"}))
    outside.domain()
    await outside.queue("a@there.example")
    await outside.go()
    assert "there.example" in await outside.routes()
    server.manner.steps = {}
    ((message,),) = await outside.house.rows("SELECT id FROM queue_message")
    await outside.house.do(ChangeQueued(messages=(message,), act="retry"), Done)
    async with outside.sending():
        await outside.until_attempted(3)
    outcomes = [a.outcome for a in await outside.attempts()]
    assert sorted(outcomes) == ["deferred", "delivered", "retried"]


async def test_the_log_has_a_line_for_each_message_and_answer(outside: Outside) -> None:
    await outside.server(1, Manner(steps={"RCPT": ["250 ok"] * 12 + ["550 5.1.1 no"]}))
    outside.domain()
    await outside.queue(*(f"u{number}@there.example" for number in range(13)))
    await outside.queue("a@dead.example", data=b"2")
    outside.zone.add("dead.example", mx="10 mx.dead.example.")
    with structlog.testing.capture_logs() as lines:
        await outside.go()
    told = {line["event"]: line for line in lines}
    assert sorted(line["event"] for line in lines) == [
        "route_closed",
        "smtp_deferred",
        "smtp_failed",
        "smtp_sent",
    ]
    sent = told["smtp_sent"]
    assert (sent["id"], len(sent["recipients"]), sent["more"]) == ("1", 10, 2)
    assert told["smtp_failed"]["recipients"] == ["u12@there.example"]
    assert told["route_closed"]["route"] == "dead.example"
    assert "mx.dead.example does not exist" in told["smtp_deferred"]["said"]


# Age ---------------------------------------------------------------------------------------------


async def test_a_sender_is_warned_once_and_told_in_the_end(outside_both: Outside) -> None:
    outside = outside_both
    outside.house.clock.stop()
    await outside.server(1, Manner(steps={"RCPT": "450 4.2.0 not now"}))
    outside.domain()
    await outside.queue("a@there.example", "b@there.example")
    told: list[tuple[str, str, str, bool]] = []

    def reporting(settled: Sequence[Settled]) -> Sequence[Report]:
        told.extend((s.recipient.address, s.status, s.reply, s.outcome.warned) for s in settled)
        return [
            Report(
                kind="bounce", key=f"{s.message.id}/{s.recipient.n}/{s.outcome.state}", payload=b""
            )
            for s in settled
        ]

    reply = "450 4.2.0 not now"
    for after, expected in (
        (0, []),
        (4 * HOUR, [("a", "4.2.0", reply, True), ("b", "4.2.0", reply, True)]),
        (8 * HOUR, []),
        (5 * DAY, [("a", "5.4.7", reply, False), ("b", "5.4.7", reply, False)]),
    ):
        outside.house.clock.turn(after)
        await outside.go(reporting=reporting)
        assert sorted((a[0].partition("@")[0], *a[1:]) for a in told) == expected
        told.clear()
    keys = await outside.house.rows("SELECT kind, key FROM job ORDER BY id")
    assert sorted(key for _, key in keys) == ["1/0/0", "1/0/3", "1/1/0", "1/1/3"]
    assert await outside.house.rows("SELECT * FROM queue_message") == []


async def test_all_that_is_old_is_told_of_though_the_way_is_closed(outside: Outside) -> None:
    """The way is looked at once; what expired or is to be warned about is taken up all the same, and
    what is young is left as it was."""
    outside.house.clock.stop()
    server = await outside.server(1, Manner(steps={"GREETING": "421 4.3.2 busy"}))
    outside.domain()
    for number in range(25):
        await outside.queue(f"old{number}@there.example", data=b"old %d" % number)
    outside.house.clock.turn(4 * DAY)
    for number in range(25):
        await outside.queue(f"warn{number}@there.example", data=b"warn %d" % number)
    outside.house.clock.turn(1 * DAY)
    for number in range(25):
        await outside.queue(f"new{number}@there.example", data=b"new %d" % number)
    await outside.go(tries=50, ahead=10, concurrency=Concurrency(first=1))
    attempts = [a for a in await outside.attempts() if not a.address.startswith("new")]
    assert sorted((a.address.rstrip("0123456789@.thexamplr")[:3], a.outcome) for a in attempts) == (
        [("old", "failed")] * 25 + [("war", "deferred")] * 25
    )
    assert server.connections == 1
    assert (await outside.routes())["there.example"][1] == 1
    warned = "SELECT count(*) FROM queue_recipient WHERE warned = 1"
    assert await outside.house.value(warned) == 25
    assert await outside.house.value("SELECT count(*) FROM queue_recipient") == 50


async def test_many_that_can_never_go_all_fail(outside: Outside) -> None:
    for number in range(60):
        await outside.queue(f"u{number}@gone.example", data=b"%d" % number)
    attempts = await outside.go(ahead=10)
    assert {(a.outcome, a.said) for a in attempts} == {
        ("failed", "there is no domain gone.example")
    }
    assert len(attempts) == 60


# Ends --------------------------------------------------------------------------------------------


async def test_stopping_ends_what_is_under_way_and_gives_back_the_rest(
    outside_both: Outside,
) -> None:
    outside = outside_both
    server = await outside.server(1, Manner(slow=0.1))
    outside.domain()
    for number in range(15):
        await outside.queue(f"u{number}@there.example", data=b"%d" % number)
    async with outside.sending(concurrency=Concurrency(first=2, each=2)):
        await until(lambda: taking(server))
    done = len(server.accepted)
    attempts = await outside.attempts()
    assert 1 <= done < 15
    assert [a.outcome for a in attempts] == ["delivered"] * done, "of the others nothing is said"
    now = int(outside.house.clock.time())
    rows = await outside.house.rows(
        "SELECT due_at <= $1 FROM queue_recipient WHERE state = 0", now + 1
    )
    assert [bool(row[0]) for row in rows] == [True] * (15 - done), "they need not wait for a lease"
    server.manner.slow = 0
    await outside.go()
    assert len(server.accepted) == 15


async def taking(server: Any) -> bool:
    return len(server.accepted) >= 1


STEPS = ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "CONTENT", "AFTER"]


@pytest.mark.parametrize("step", STEPS)
async def test_a_worker_that_dies_loses_nothing(outside_both: Outside, step: str) -> None:
    """At each step, and after the answer to the content and before the commit."""
    outside = outside_both
    outside.house.clock.stop()
    can = ("8BITMIME",)  # without PIPELINING: each step is waited for
    steps: dict[str, Replies] = {} if step == "AFTER" else {step: SILENCE}
    server = await outside.server(1, Manner(can=can, steps=steps))
    outside.domain()
    await outside.queue("a@there.example")
    store, submit = outside.house.store, outside.house.store.writer.submit
    timeouts = dataclasses.replace(
        outside.settings().timeouts,
        **dict.fromkeys(("greeting", "hello", "mail", "rcpt", "data", "content"), 60.0),
    )
    recording = asyncio.Event()

    async def dying(command: Any, fd: int | None = None) -> Any:
        if isinstance(command, RecordOutcomes):
            recording.set()
            await asyncio.sleep(3_600)
        return await submit(command, fd)

    store.writer.submit = dying  # type: ignore[method-assign]
    try:
        async with outside.sending(timeouts=timeouts):
            if step == "AFTER":
                await recording.wait()
            else:
                await until(lambda: came_to(server, step))
            raise Died
    except Died:
        pass
    finally:
        del store.writer.submit
    assert await outside.attempts() == []
    server.manner.steps = {}
    # Until the lease is over nobody has it.
    outside.house.clock.turn(LEASE - 10)
    async with outside.sending():
        await asyncio.sleep(0.1)
    assert await outside.attempts() == []
    outside.house.clock.turn(20)
    (attempt,) = await outside.go()
    assert (attempt.attempt, attempt.outcome) == (2, "delivered")
    twice = step in ("CONTENT", "AFTER")
    assert len(server.taken) == (2 if twice else 1), "twice only after the end of the content"
    assert await outside.house.rows("SELECT * FROM queue_message") == []


class Died(Exception):
    """The worker is gone."""


async def came_to(server: Any, step: str) -> bool:
    if step == "GREETING":
        return bool(server.connections)
    if step == "CONTENT":
        return bool(server.taken)
    return any(command.startswith(step) for command in server.commands)


# The store and our own defects ---------------------------------------------------------------------


async def test_a_store_that_is_away_is_waited_for_and_nothing_new_is_begun(
    outside: Outside,
) -> None:
    server = await outside.server()
    outside.domain()
    for number in range(8):
        await outside.queue(f"u{number}@there.example", data=b"%d" % number)
    writer = outside.house.store.writer
    submit, away = writer.submit, True
    refused = 0

    async def failing(command: Any, fd: int | None = None) -> Any:
        nonlocal refused
        if isinstance(command, RecordOutcomes) and away:
            refused += 1
            raise TemporaryFailure("the database fails over")
        return await submit(command, fd)

    writer.submit = failing  # type: ignore[method-assign]
    async with outside.sending(concurrency=Concurrency(first=1, each=1, idle=0.3)):
        await until(lambda: at_least(lambda: refused, 3))
        sent = len(server.accepted)
        assert sent < 8
        await asyncio.sleep(0.2)
        assert len(server.accepted) <= sent + 1, "what is sent and not recorded is sent twice"
        away = False
        await outside.until_attempted(8)
    assert len(server.accepted) == 8
    assert {(a.attempt, a.outcome) for a in await outside.attempts()} == {(1, "delivered")}


async def at_least(value: Any, wanted: int) -> bool:
    return bool(value() >= wanted)


async def test_a_report_that_cannot_be_made_stops_no_outcome_and_no_other_report(
    outside: Outside,
) -> None:
    await outside.server(1, Manner(steps={"RCPT": "550 5.1.1 no"}))
    outside.domain()
    await outside.queue("a@there.example", "b@there.example")

    def reporting(settled: Sequence[Settled]) -> Sequence[Report]:
        if any(s.recipient.address.startswith("a") for s in settled):
            raise KeyError("a defect")
        return [Report(kind="bounce", key="b", payload=b"")]

    attempts = await outside.go(reporting=reporting)
    assert [a.outcome for a in attempts] == ["failed", "failed"]
    assert await outside.house.rows("SELECT key FROM job") == [("b",)]


async def test_a_defect_in_one_delivery_stops_no_other(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    from malleposte.delivery.outbound import lane, transaction

    server = await outside.server()
    outside.domain()
    for number in range(6):
        await outside.queue(f"u{number}@there.example", data=b"%d" % number)
    offer = transaction.offer

    async def broken(connection: Any, parcel: Any, *rest: Any) -> Any:
        if parcel.recipients[0].address.startswith("u2@"):
            raise ZeroDivisionError
        return await offer(connection, parcel, *rest)

    monkeypatch.setattr(lane, "offer", broken)
    attempts = await outside.go(concurrency=Concurrency(first=1, each=1))
    bad = [a for a in attempts if a.outcome != "delivered"]
    assert [(a.address, a.outcome, a.said) for a in bad] == [
        ("u2@there.example", "deferred", "a defect of this server stopped it (ZeroDivisionError)")
    ]
    assert len(server.accepted) == 5


async def test_content_that_cannot_be_read_never_passes_for_the_whole(outside: Outside) -> None:
    server = await outside.server()
    outside.domain()
    await outside.queue("a@there.example", data=b"x" * 300_000)
    await outside.queue("b@there.example")
    ((blob,),) = await outside.house.rows("SELECT id FROM blob WHERE place = 'file'")
    path = outside.house.store.blobs / f"{blob % 256:02x}" / str(blob)
    await asyncio.to_thread(path.write_bytes, path.read_bytes()[:-100])
    outside.house.damaged = True
    attempts = {a.address: a for a in await outside.go()}
    assert attempts["b@there.example"].outcome == "delivered"
    bad = attempts["a@there.example"]
    assert bad.outcome == "deferred"
    assert bad.said.startswith("its content could not be read from the store")
    assert [taken.recipients for taken in server.taken] == [["b@there.example"]]


async def test_a_schedule_can_be_set(outside: Outside) -> None:
    outside.house.clock.stop()
    await outside.server(1, Manner(steps={"RCPT": "450 4.2.0 not now"}))
    outside.domain()
    await outside.queue("a@there.example")
    await outside.go(schedule=Schedule(first=60))
    now = int(outside.house.clock.time())
    due = await outside.house.value("SELECT due_at FROM queue_recipient")
    assert 54 <= due - now <= 66
