"""The queue: what leaves is kept with the delivery, taken by lease, and ends with one outcome each."""

import msgspec
import pytest

from malleposte.store.commands import (
    DELIVERED,
    FAILED,
    WAITS,
    ChangeQueued,
    Closing,
    Handing,
    Outcome,
    RecordOutcomes,
    Relay,
    Report,
    Reroute,
    Rerouted,
    SetAccount,
    SweepBlobs,
    TakeQueued,
)
from malleposte.store.read.queue import numbers, routed
from malleposte.store.results import Delivered, Done, Swept, Taken, TakenMessage
from support.store import House, deliver

HOUR = 3_600
LEASE = 600


async def handing(house: House, *addresses: str, **more: object) -> Handing:
    accounts = await house.rows("SELECT id, organisation FROM account")
    if not accounts:
        await house.account()
        accounts = await house.rows("SELECT id, organisation FROM account")
    relays = tuple(Relay(address=a, route=a.rpartition("@")[2]) for a in addresses)
    values = {
        "organisation": accounts[0][1],
        "account": accounts[0][0],
        "sender": "me@example.org",
        "relays": relays,
        "expires_at": int(house.clock.time()) + 5 * 24 * HOUR,
        "prefix": b"Received: here\r\n",
        **more,
    }
    return Handing(**values)


async def send(
    house: House, *addresses: str, trace: int = 7, data: bytes = b"x", **more: object
) -> None:
    copies = (await handing(house, *addresses, **more),)
    command = msgspec.structs.replace(deliver(trace_id=trace, data=data), handings=copies)
    await house.do(command, Delivered)


async def take(
    house: House, *skip: str, routes: int = 10, each: int = 10
) -> tuple[TakenMessage, ...]:
    command = TakeQueued(routes=routes, each=each, seconds=LEASE, skip=skip)
    return (await house.do(command, Taken)).messages


def outcome(message: TakenMessage, n: int, state: int, **more: object) -> Outcome:
    (one,) = [r for r in message.recipients if r.n == n]
    values = {"message": message.id, "n": n, "attempt": one.attempt, "state": state, **more}
    return Outcome(**values)  # type: ignore[arg-type]


def shown(taken: tuple[TakenMessage, ...]) -> list[tuple[str, int]]:
    return [(r.address, r.attempt) for message in taken for r in message.recipients]


async def test_what_leaves_is_kept_with_what_is_filed_here(house: House) -> None:
    account = await house.account()
    command = deliver(account, trace_id=9, data=b"both ways")
    copies = (await handing(house, "a@there.example", "b@there.example"),)
    command = msgspec.structs.replace(command, handings=copies)
    filed = await house.do(command, Delivered)
    assert not filed.filed[0].refused
    (message,) = await take(house)
    assert shown((message,)) == [("a@there.example", 1), ("b@there.example", 1)]
    assert (message.trace, message.sender, message.prefix) == (
        9,
        "me@example.org",
        b"Received: here\r\n",
    )
    assert message.size == len(b"both ways") + len(message.prefix)
    # A thousand recipients or two: the content is one.
    assert await house.rows("SELECT count(*) FROM blob") == [(1,)]


async def test_it_may_leave_without_being_filed(house: House) -> None:
    await send(house, "a@there.example")
    assert shown(await take(house)) == [("a@there.example", 1)]


async def test_a_lease_is_for_one_until_it_is_over(house: House) -> None:
    house.clock.stop()
    await send(house, "a@there.example")
    (first,) = await take(house)
    assert await take(house) == ()
    house.clock.turn(LEASE)
    (second,) = await take(house)
    assert shown((second,)) == [("a@there.example", 2)]
    # Who comes after the lease has gone to another says nothing any more, and exactly one outcome counts.
    told = Report(kind="report", key="k", payload=b"", tries=((first.id, 0, 1),))
    late = RecordOutcomes(outcomes=(outcome(first, 0, FAILED),), reports=(told,))
    assert (await house.do(late, Done)).count == 0
    assert await house.rows("SELECT * FROM job") == []
    now = RecordOutcomes(outcomes=(outcome(second, 0, DELIVERED),))
    assert (await house.do(now, Done)).count == 1
    assert (await house.do(now, Done)).count == 0
    assert await house.rows("SELECT attempt, outcome FROM trace_attempt") == [(2, "delivered")]


async def test_a_message_stays_until_its_last_recipient_is_done(house: House) -> None:
    house.clock.stop()
    await send(house, "a@there.example", "b@there.example", "c@there.example")
    (message,) = await take(house)
    later = int(house.clock.time()) + HOUR
    await house.do(
        RecordOutcomes(
            outcomes=(
                outcome(message, 0, DELIVERED, said="250 ok", host="mx.there.example, TLS"),
                outcome(message, 1, WAITS, due_at=later, said="452 full", warned=True),
                outcome(message, 2, FAILED, said="550 no such user"),
            ),
            reports=(Report(kind="report", key="7", payload=b"p"),),
        ),
        Done,
    )
    assert await take(house) == ()
    house.clock.turn(HOUR)
    (again,) = await take(house)
    assert shown((again,)) == [("b@there.example", 2)]
    assert again.recipients[0].warned
    await house.do(RecordOutcomes(outcomes=(outcome(again, 1, DELIVERED),)), Done)
    for table in ("queue_message", "queue_recipient"):
        assert await house.rows(f"SELECT * FROM {table}") == []
    words = "SELECT address, attempt, outcome, said FROM trace_attempt ORDER BY address, attempt"
    assert await house.rows(words) == [
        ("a@there.example", 1, "delivered", "250 ok"),
        ("b@there.example", 1, "deferred", "452 full"),
        ("b@there.example", 2, "delivered", ""),
        ("c@there.example", 1, "failed", "550 no such user"),
    ]
    assert await house.rows("SELECT kind, key, payload FROM job") == [("report", "7", b"p")]


async def test_routes_take_turns_and_a_large_one_hides_no_other(house: House) -> None:
    house.clock.stop()
    for number in range(5):
        await send(house, f"u{number}@busy.example", trace=number + 1, data=b"%d" % number)
    house.clock.turn(1)
    await send(house, "a@quiet.example", trace=99, data=b"quiet")
    taken = await take(house, each=2)
    assert sorted(shown(taken)) == [
        ("a@quiet.example", 1),
        ("u0@busy.example", 1),
        ("u1@busy.example", 1),
    ]
    assert shown(await take(house, "quiet.example", each=2)) == [
        ("u2@busy.example", 1),
        ("u3@busy.example", 1),
    ]
    assert await take(house, "busy.example") == ()
    only = TakeQueued(routes=9, each=9, seconds=LEASE, only=("quiet.example", "none.example"))
    assert (await house.do(only, Taken)).messages == ()
    only = TakeQueued(routes=9, each=9, seconds=LEASE, only=("busy.example",))
    assert shown((await house.do(only, Taken)).messages) == [("u4@busy.example", 1)]


async def test_a_closed_route_costs_one_row_and_opens_again(house: House) -> None:
    house.clock.stop()
    await send(house, "a@dead.example")
    (message,) = await take(house)
    now = int(house.clock.time())
    again = outcome(message, 0, WAITS, due_at=now)
    closed = Closing(route="dead.example", until=now + HOUR, said="no route to host")
    await house.do(RecordOutcomes(outcomes=(again,), routes=(closed,)), Done)
    # What is sent meanwhile waits as well, and the queue says when.
    await send(house, "b@dead.example", trace=8, data=b"y")
    answer = await house.do(TakeQueued(routes=9, each=9, seconds=LEASE), Taken)
    assert (answer.messages, answer.due_at) == ((), now + HOUR)
    await house.do(RecordOutcomes(outcomes=(), routes=(closed,)), Done)
    assert await house.rows("SELECT failures, said FROM queue_route") == [(2, "no route to host")]
    house.clock.turn(HOUR)
    taken = await take(house)
    assert sorted(shown(taken)) == [("a@dead.example", 2), ("b@dead.example", 1)]
    open_again = Closing(route="dead.example")
    outcomes = tuple(outcome(message, 0, DELIVERED) for message in taken)
    await house.do(RecordOutcomes(outcomes=outcomes, routes=(open_again,)), Done)
    assert await house.rows("SELECT * FROM queue_route") == []


async def test_how_often_a_way_failed_is_told_until_it_works(house: House) -> None:
    house.clock.stop()
    for failures in (0, 1, 2):
        if not failures:
            await send(house, "a@dead.example")
        (message,) = await take(house)
        assert [r.failures for r in message.recipients] == [failures]
        now = int(house.clock.time())
        again = outcome(message, 0, WAITS, due_at=now, said="nobody answers")
        closed = Closing(route="dead.example", until=now + HOUR, said="nobody answers")
        await house.do(RecordOutcomes(outcomes=(again,), routes=(closed,)), Done)
        house.clock.turn(HOUR)
    (message,) = await take(house)
    again = outcome(message, 0, WAITS, due_at=now, said="try later")
    await house.do(RecordOutcomes(outcomes=(again,), routes=(Closing(route="dead.example"),)), Done)
    (message,) = await take(house)
    assert [r.failures for r in message.recipients] == [0]


async def test_what_was_not_tried_is_given_back_as_it_was(house: House) -> None:
    house.clock.stop()
    await send(house, "a@there.example")
    (message,) = await take(house)
    now = int(house.clock.time())
    await house.do(
        RecordOutcomes(outcomes=(outcome(message, 0, WAITS, due_at=now, said="452 full"),)), Done
    )
    (message,) = await take(house)
    given_back = RecordOutcomes(outcomes=(outcome(message, 0, WAITS, due_at=now),))
    assert (await house.do(given_back, Done)).count == 1
    assert await house.rows("SELECT said FROM queue_recipient") == [("452 full",)]
    assert await house.rows("SELECT attempt, said FROM trace_attempt") == [(1, "452 full")]
    assert shown(await take(house)) == [("a@there.example", 3)]


async def test_what_is_sent_later_is_not_due_before(house: House) -> None:
    now = house.clock.stop()
    later = Relay(address="a@there.example", route="there.example", due_at=now + HOUR)
    await send(house, relays=(later,))
    answer = await house.do(TakeQueued(routes=9, each=9, seconds=LEASE), Taken)
    assert (answer.messages, answer.due_at) == ((), now + HOUR)
    house.clock.turn(HOUR)
    assert shown(await take(house)) == [("a@there.example", 1)]


@pytest.mark.parametrize("kept", [True, False])
async def test_content_stays_while_it_is_queued(house: House, kept: bool) -> None:
    house.clock.stop()
    await send(house, "a@there.example")
    (message,) = await take(house)
    house.clock.turn(100 * HOUR)
    if not kept:
        await house.do(RecordOutcomes(outcomes=(outcome(message, 0, FAILED),)), Done)
        # Who reports on it still finds it.
        assert (await house.do(SweepBlobs(), Swept)).count == 0
        house.clock.turn(100 * HOUR)
    assert (await house.do(SweepBlobs(), Swept)).count == (0 if kept else 1)


# What people do --------------------------------------------------------------------------------------


async def act(house: House, act: str, *messages: int, **more: object) -> int:
    command = ChangeQueued(messages=messages, act=act, **more)  # type: ignore[arg-type]
    return (await house.do(command, Done)).count


async def test_held_at_sending_until_released(house: House) -> None:
    await send(house, "a@there.example", held="more than 500 recipients an hour")
    assert await take(house) == ()
    ((message,),) = await house.rows("SELECT id FROM queue_message")
    assert await act(house, "retry", message) == 0
    assert await act(house, "release", message, said="admin@example.org") == 1
    assert shown(await take(house)) == [("a@there.example", 1)]
    assert await house.rows("SELECT outcome, said FROM trace_attempt") == [
        ("released", "admin@example.org")
    ]
    assert await house.rows("SELECT held FROM queue_message") == [("",)]


async def test_hold_keeps_what_waits(house: House) -> None:
    await send(house, "a@there.example", "b@there.example")
    ((message,),) = await house.rows("SELECT id FROM queue_message")
    assert await act(house, "hold", message, n=1) == 1
    assert shown(await take(house)) == [("a@there.example", 1)]


async def test_retry_opens_the_way_and_is_at_once(house: House) -> None:
    now = house.clock.stop()
    await send(house, "a@dead.example")
    (message,) = await take(house)
    again = outcome(message, 0, WAITS, due_at=now + HOUR)
    closed = Closing(route="dead.example", until=now + HOUR, said="away")
    await house.do(RecordOutcomes(outcomes=(again,), routes=(closed,)), Done)
    assert await act(house, "retry", message.id) == 1
    assert shown(await take(house)) == [("a@dead.example", 2)]


async def test_redirect_sends_elsewhere(house: House) -> None:
    await send(house, "a@wrong.example", "b@there.example")
    ((message,),) = await house.rows("SELECT id FROM queue_message")
    assert await house.refused(ChangeQueued(messages=(message,), act="redirect")) == "bad-name"
    done = await act(
        house, "redirect", message, n=0, address="a@right.example", route="right.example"
    )
    assert done == 1
    assert sorted(shown(await take(house))) == [("a@right.example", 1), ("b@there.example", 1)]


async def test_remove_leaves_the_rest_and_then_nothing(house: House) -> None:
    await send(house, "a@there.example", "b@there.example")
    ((message,),) = await house.rows("SELECT id FROM queue_message")
    assert await act(house, "remove", message, n=0) == 1
    assert shown(await take(house)) == [("b@there.example", 1)]
    assert await act(house, "remove", message) == 1
    assert await house.rows("SELECT * FROM queue_recipient") == []
    assert await act(house, "remove", message) == 0
    assert await house.refused(ChangeQueued(messages=(message,), act="eat")) == "bad-name"


async def test_a_redirected_copy_is_told_of_at_the_address_it_had(house: House) -> None:
    await send(house, "a@wrong.example")
    ((message,),) = await house.rows("SELECT id FROM queue_message")
    where = {"address": "a@right.example", "route": "right.example"}
    await act(house, "redirect", message, n=0, said="to a@right.example, by ada", **where)
    assert await house.rows("SELECT address, outcome, said FROM trace_attempt") == [
        ("a@wrong.example", "redirected", "to a@right.example, by ada")
    ]


async def test_one_released_leaves_the_reason_of_the_others(house: House) -> None:
    await send(house, "a@there.example", "b@there.example", held="too much")
    ((message,),) = await house.rows("SELECT id FROM queue_message")
    assert await act(house, "release", message, n=1) == 1
    assert await house.rows("SELECT held FROM queue_message") == [("too much",)]
    assert await act(house, "release", message) == 1
    assert await house.rows("SELECT held FROM queue_message") == [("",)]


async def test_only_recipients_of_a_domain(house: House) -> None:
    await send(house, "a@one.example", "b@two.example", "c@sub.one.example")
    await send(house, "d@ONE.example")
    (first,), (second,) = await house.rows("SELECT id FROM queue_message ORDER BY id")
    assert await numbers(house.store.reader, after=0, domain="one.example", limit=9) == [
        first,
        second,
    ]
    assert await numbers(house.store.reader, after=first, domain="two.example", limit=9) == []
    assert await act(house, "hold", first, second, domain="one.example") == 2
    assert sorted(shown(await take(house))) == [("b@two.example", 1), ("c@sub.one.example", 1)]


async def test_retried_by_another_way(house: House) -> None:
    now = house.clock.stop()
    await send(house, "a@old.example")
    (message,) = await take(house)
    again = outcome(message, 0, WAITS, due_at=now + HOUR)
    closed = Closing(route="old.example", until=now + HOUR, said="away")
    await house.do(RecordOutcomes(outcomes=(again,), routes=(closed,)), Done)
    new = Rerouted(message=message.id, n=0, route="relay:new.example:587")
    assert await act(house, "retry", message.id, routes=(new,)) == 1
    ((one,),) = [m.recipients for m in await take(house)]
    assert (one.route, one.attempt) == ("relay:new.example:587", 2)


async def test_a_try_that_is_given_back_goes_another_way(house: House) -> None:
    now = house.clock.stop()
    await send(house, "a@old.example")
    (message,) = await take(house)
    other = outcome(message, 0, WAITS, due_at=now, route="relay:new.example:587")
    await house.do(RecordOutcomes(outcomes=(other,)), Done)
    ((one,),) = [m.recipients for m in await take(house)]
    assert one.route == "relay:new.example:587"


async def test_routes_are_chosen_again(house: House) -> None:
    """What failed by the old way is tried at once, what is sent later waits, what is held stays held."""
    now = house.clock.stop()
    await send(house, "a@old.example")
    (message,) = await take(house)
    again = outcome(message, 0, WAITS, due_at=now + HOUR, said="away")
    await house.do(RecordOutcomes(outcomes=(again,)), Done)
    later = (await handing(house, "b@old.example")).relays[0]
    later = msgspec.structs.replace(later, due_at=now + HOUR)
    await send(house, "b@old.example", relays=(later,))
    await send(house, "c@old.example", held="too much")
    waiting = await routed(house.store.reader, (0, -1), limit=9)
    assert [one.address[0] for one in waiting] == ["a", "b", "c"]
    assert waiting[1:] == await routed(
        house.store.reader, (waiting[0].message, waiting[0].n), limit=9
    )
    moves = tuple(Rerouted(message=w.message, n=w.n, route="new.example") for w in waiting)
    assert (await house.do(Reroute(moves=moves), Done)).count == 3
    assert shown(await take(house)) == [("a@old.example", 2)]
    house.clock.turn(HOUR)
    assert shown(await take(house)) == [("a@old.example", 3), ("b@old.example", 1)]
    assert await house.rows("SELECT DISTINCT route FROM queue_recipient") == [("new.example",)]


async def test_what_a_suspended_account_writes_is_held(house: House) -> None:
    account = await house.account("ada")
    organisation = await house.value("SELECT organisation FROM account WHERE id = $1", account)
    await house.do(SetAccount(account=account, status="suspended"), Done)
    who = {"account": account, "organisation": organisation}
    await send(house, "a@there.example", **who)
    await send(house, "b@there.example", by="ada@example.org", **who)  # sent on, not written
    assert shown(await take(house)) == [("b@there.example", 1)]
    assert await house.rows("SELECT held FROM queue_message ORDER BY id") == [
        ("the account is suspended",),
        ("",),
    ]
