"""The queue by the command line: listed with reasons, held, released, sent elsewhere, removed; audited."""

import msgspec
import pytest

from malleposte.operations.errors import OperationError
from malleposte.operations.queue import (
    HoldQueued,
    ListQueue,
    QueueChanged,
    QueuePage,
    RedirectQueued,
    ReleaseQueued,
    RemoveQueued,
    RetryQueued,
)
from malleposte.store.commands import (
    WAITS,
    Closing,
    Handing,
    Outcome,
    RecordOutcomes,
    Relay,
    TakeQueued,
)
from malleposte.store.results import Delivered, Done, Taken
from support.store import House, deliver
from unit.operations.desk import Desk

ADA = "ada@example.org"


async def send(
    house: House, account: int, *addresses: str, held: str = "", number: int = 0
) -> None:
    organisation = await house.value("SELECT organisation FROM account WHERE id = $1", account)
    relays = tuple(Relay(address=a, route=a.rpartition("@")[2]) for a in addresses)
    handing = Handing(
        organisation=organisation,
        account=number or account,
        sender=ADA,
        relays=relays,
        expires_at=int(house.clock.time()) + 1000,
        held=held,
    )
    command = msgspec.structs.replace(deliver(trace_id=5), handings=(handing,))
    await house.do(command, Delivered)


async def listed(desk: Desk, **how: object) -> QueuePage:
    return await desk.call("queue.list", ListQueue(**how), QueuePage)  # type: ignore[arg-type]


async def test_what_waits_is_listed_with_the_reason(house: House, desk: Desk) -> None:
    house.clock.stop()
    ada, bob = await house.account("ada"), await house.account("bob")
    await send(house, ada, "x@slow.example", "y@dead.example")
    await send(house, bob, "z@fine.example")
    await send(house, bob, "h@fine.example", held="more than 500 an hour")
    taken = await house.do(TakeQueued(routes=9, each=9, seconds=60), Taken)
    (message,) = [one for one in taken.messages if one.account == ada]
    now = int(house.clock.time())
    outcomes = tuple(
        Outcome(message=message.id, n=n, attempt=1, state=WAITS, due_at=now + 300, said=said)
        for n, said in ((0, "452 4.2.2 full"), (1, "nobody answers"))
    )
    closed = Closing(route="dead.example", until=now + 900, said="no route to host")
    await house.do(RecordOutcomes(outcomes=outcomes, routes=(closed,)), Done)

    page = await listed(desk)
    assert (page.waiting, page.held, page.more) == (3, 1, False)
    assert [(m.sender, len(m.recipients), m.held) for m in page.messages] == [
        (ADA, 2, ""),
        (ADA, 1, ""),
        (ADA, 1, "more than 500 an hour"),
    ]
    slow, dead = page.messages[0].recipients
    assert (slow.address, slow.said, slow.way, slow.due_at) == (
        "x@slow.example",
        "452 4.2.2 full",
        "",
        now + 300,
    )
    assert (dead.address, dead.way, dead.due_at) == (
        "y@dead.example",
        "no route to host",
        now + 900,
    )
    assert [len(m.recipients) for m in (await listed(desk, sender=ADA)).messages] == [2]
    assert len((await listed(desk, route="Slow.example")).messages) == 1
    assert [m.held for m in (await listed(desk, held=True)).messages] == ["more than 500 an hour"]
    first = await listed(desk, limit=2)
    assert first.more
    rest = await listed(desk, after=first.messages[-1].id)
    assert len(rest.messages) == 1
    with pytest.raises(OperationError, match="one of them"):
        await listed(desk, sender=ADA, held=True)
    with pytest.raises(OperationError, match="there is no account"):
        await listed(desk, sender="nobody@example.org")


async def test_what_a_domain_sends_on_is_listed_and_released_by_its_name(
    house: House, desk: Desk
) -> None:
    """Mail by its aliases and groups has no account that sent it."""
    ada = await house.account("ada")
    domain = await house.value("SELECT id FROM domain WHERE name = 'example.org'")
    await send(house, ada, "x@a.example", held="too much")
    await send(house, ada, "y@b.example", held="too much", number=-domain)
    (shown,) = (await listed(desk, sender="Example.org")).messages
    assert shown.recipients[0].address == "y@b.example"
    released = ReleaseQueued(messages=(), sender="example.org")
    assert (await desk.call("queue.release", released, QueueChanged)).recipients == 1
    assert len((await listed(desk, held=True)).messages) == 1
    with pytest.raises(OperationError, match="there is no domain"):
        await listed(desk, sender="nowhere.example")


async def test_held_released_tried_and_removed(house: House, desk: Desk) -> None:
    ada = await house.account("ada")
    await send(house, ada, "x@a.example", "y@b.example")
    (message,) = (await listed(desk)).messages
    held = HoldQueued(messages=(message.id,), why="looks stolen")
    assert (await desk.call("queue.hold", held, QueueChanged)).recipients == 2
    assert (await desk.call("queue.hold", held, QueueChanged)).recipients == 0
    (shown,) = (await listed(desk, held=True)).messages
    assert (shown.held, shown.recipients[0].state) == ("looks stolen", "held")
    released = ReleaseQueued(messages=(message.id,), recipient="Y@b.example")
    assert (await desk.call("queue.release", released, QueueChanged)).recipients == 1
    retried = RetryQueued(messages=(message.id,))
    assert (await desk.call("queue.retry", retried, QueueChanged)).recipients == 1
    elsewhere = RedirectQueued(messages=(message.id,), recipient="x@a.example", to="x@C.example")
    assert (await desk.call("queue.redirect", elsewhere, QueueChanged)).recipients == 1
    (shown,) = (await listed(desk)).messages
    assert [(r.address, r.route) for r in shown.recipients] == [
        ("x@c.example", "c.example"),
        ("y@b.example", "b.example"),
    ]
    removed = RemoveQueued(messages=(message.id,))
    assert (await desk.call("queue.remove", removed, QueueChanged)).recipients == 2
    assert (await listed(desk)).messages == ()
    with pytest.raises(OperationError, match="no such message"):
        await desk.call("queue.remove", removed, QueueChanged)
    lines = await house.rows("SELECT operation, outcome FROM audit ORDER BY id")
    assert [line[0] for line in lines] == [
        "queue.hold",
        "queue.hold",
        "queue.release",
        "queue.retry",
        "queue.redirect",
        "queue.remove",
        "queue.remove",
    ]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (HoldQueued(messages=()), "say which messages"),
        (HoldQueued(messages=tuple(range(1, 1002))), "at most 1000"),
        (HoldQueued(messages=(1, 2), recipient="a@b.example"), "of one message"),
        (HoldQueued(messages=(1,), recipient="a@b.example"), "no message of this number"),
    ],
)
async def test_what_makes_no_sense_is_said(desk: Desk, request_: HoldQueued, words: str) -> None:
    with pytest.raises(OperationError, match=words):
        await desk.call("queue.hold", request_, QueueChanged)


async def test_a_redirection_names_one_copy(desk: Desk) -> None:
    with pytest.raises(OperationError, match="name one message"):
        await desk.call(
            "queue.redirect", RedirectQueued(messages=(1,), to="a@b.example"), QueueChanged
        )
