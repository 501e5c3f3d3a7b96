"""The queue by the command line: listed with reasons, held, released, sent elsewhere, removed; audited."""

import msgspec
import pytest

from malleposte.delivery.outbound import RelaySettings
from malleposte.operations.accounts import AccountStatus, DisableAccount, EnableAccount
from malleposte.operations.errors import OperationError
from malleposte.operations.queue import ListQueue, QueuePage
from malleposte.operations.queue_acts import (
    HoldQueued,
    OfQueued,
    QueueChanged,
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
    SetForward,
    SetOrganisation,
    TakeQueued,
)
from malleposte.store.results import Delivered, Done, Taken
from support.store import House, deliver
from unit.operations.desk import Desk

ADA = "ada@example.org"


async def send(
    house: House,
    account: int,
    *addresses: str,
    held: str = "",
    number: int = 0,
    route: str = "",
) -> None:
    organisation = await house.value("SELECT organisation FROM account WHERE id = $1", account)
    relays = tuple(Relay(address=a, route=route or a.rpartition("@")[2]) for a in addresses)
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
    assert len((await listed(desk, domain="Slow.example")).messages) == 1
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
        (HoldQueued(messages=(1,), recipient="a@b.example"), "no such message"),
        (HoldQueued(messages=(1,), domain="b.example"), "of which all are meant"),
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


async def test_mail_by_a_relay_is_found_by_its_recipients_domain(house: House, desk: Desk) -> None:
    ada = await house.account("ada")
    await send(house, ada, "x@far.example", route="relay:smart.example:587")
    await send(house, ada, "y@near.example", held="too much")
    assert [
        m.recipients[0].address for m in (await listed(desk, domain="far.example")).messages
    ] == ["x@far.example"]
    (held,) = (await listed(desk, domain="near.example")).messages
    assert held.held == "too much"


async def test_what_is_not_there_is_refused_and_said_so_in_the_audit(
    house: House, desk: Desk
) -> None:
    for name, request in (
        ("queue.retry", RetryQueued(messages=(99,))),
        ("queue.hold", HoldQueued(messages=(99,))),
        ("queue.release", ReleaseQueued(messages=(99,))),
        ("queue.remove", RemoveQueued(messages=(99,))),
    ):
        with pytest.raises(OperationError) as refused:
            await desk.call(name, request, QueueChanged)
        assert refused.value.text == (
            "there is no such message in the queue (any more): 99; what became of one,"
            " `malleposte trace` tells"
        )
    rows = await house.rows("SELECT DISTINCT outcome FROM audit")
    assert rows == [("refused",)]


async def test_held_mail_is_not_tried_but_released(house: House, desk: Desk) -> None:
    ada = await house.account("ada")
    await send(house, ada, "x@a.example", held="too much")
    (message,) = (await listed(desk)).messages
    with pytest.raises(OperationError, match=f"queue release {message.id}"):
        await desk.call("queue.retry", RetryQueued(messages=(message.id,)), QueueChanged)


async def test_all_to_a_domain(house: House, desk: Desk) -> None:
    ada, bob = await house.account("ada"), await house.account("bob")
    await send(house, ada, "x@far.example", "y@near.example")
    await send(house, bob, "z@far.example")

    async def act(name: str, request: OfQueued) -> int:
        return (await desk.call(name, request, QueueChanged)).recipients

    assert await act("queue.hold", HoldQueued(domain="Far.example")) == 2
    both = ReleaseQueued(domain="far.example", sender="bob@example.org")
    assert await act("queue.release", both) == 1
    assert await act("queue.retry", RetryQueued(domain="far.example")) == 1
    assert await act("queue.retry", RetryQueued(sender="ada@example.org")) == 1
    assert await act("queue.remove", RemoveQueued(domain="far.example")) == 2
    (left,) = (await listed(desk)).messages
    assert [one.address for one in left.recipients] == ["y@near.example"]


async def test_a_retry_goes_by_the_way_of_today(house: House) -> None:
    desk = Desk(house.store, smart_host=lambda: RelaySettings(host="smart.example"))
    ada = await house.account("ada")
    await send(house, ada, "x@far.example", "ada@example.org")
    await desk.call("queue.retry", RetryQueued(messages=(1,)), QueueChanged)
    routes = await house.rows("SELECT route FROM queue_recipient ORDER BY n")
    # The second one's domain became one of ours meanwhile.
    assert routes == [("relay:smart.example:587",), ("here:",)]


async def redirected(house: House, desk: Desk, to: str) -> str:
    (message,) = (await listed(desk)).messages
    request = RedirectQueued(messages=(message.id,), recipient="x@far.example", to=to)
    await desk.call("queue.redirect", request, QueueChanged)
    route: str = await house.value("SELECT route FROM queue_recipient WHERE state = 0")
    return route


async def test_a_copy_goes_to_one_of_ours(house: House, desk: Desk) -> None:
    ada, _ = await house.account("ada"), await house.account("bob")
    await send(house, ada, "x@far.example")
    assert await redirected(house, desk, "bob@example.org") == "here:"


async def test_a_copy_goes_by_the_smart_host(house: House) -> None:
    desk = Desk(house.store, smart_host=lambda: RelaySettings(host="smart.example"))
    await send(house, await house.account("ada"), "x@far.example")
    assert await redirected(house, desk, "y@near.example") == "relay:smart.example:587"


async def test_a_copy_goes_nowhere_that_has_nobody_or_leads_back(house: House, desk: Desk) -> None:
    ada, bob = await house.account("ada"), await house.account("bob")
    await house.do(SetOrganisation(organisation=1, forwarding="anywhere"), Done)
    await house.do(SetForward(account=bob, addresses=("x@far.example",), keep=True), Done)
    await send(house, ada, "x@far.example")
    for to, words in (
        ("nobody@example.org", "nobody here gets"),
        ("bob@example.org", "leads to x@far.example again"),
        ("x@far.example", "already"),
    ):
        with pytest.raises(OperationError, match=words):
            await redirected(house, desk, to)


async def test_a_suspended_account_sends_nothing_and_is_told_of(house: House, desk: Desk) -> None:
    ada = await house.account("ada")
    await send(house, ada, "x@a.example", "y@b.example")
    asked = DisableAccount(address=ADA)
    done = await desk.call("account.disable", asked, AccountStatus)
    assert (done.account.status, done.held) == ("suspended", 2)
    (message,) = (await listed(desk, held=True)).messages
    assert message.held == "the account is suspended"
    for release in (ReleaseQueued(messages=(message.id,)), ReleaseQueued(sender=ADA)):
        with pytest.raises(OperationError, match="account enable"):
            await desk.call("queue.release", release, QueueChanged)
    all_of = ReleaseQueued(domain="a.example")
    assert (await desk.call("queue.release", all_of, QueueChanged)).recipients == 0
    again = await desk.call("account.enable", EnableAccount(address=ADA), AccountStatus)
    assert again.held == 2
    done_ = await desk.call("queue.release", ReleaseQueued(sender=ADA), QueueChanged)
    assert done_.recipients == 2
    details = [line[4] for line in await desk.audit() if line[1] == "account.disable"]
    assert details == [{}, {"held": 2}]  # begun, done


async def test_where_nothing_is_sent_that_is_said(house: House) -> None:
    desk = Desk(house.store, sends=False)
    await send(house, await house.account("ada"), "x@a.example")
    assert (await listed(desk)).rests
    assert (await desk.call("queue.retry", RetryQueued(messages=(1,)), QueueChanged)).rests
