"""``malleposte trace``: a message is found by whoever asks with what they know of it, and shown with what
became of each recipient."""

from typing import Any

import msgspec
import pytest

from malleposte.cli.commands.trace import _became
from malleposte.delivery.trace_header import shown_id
from malleposte.operations.errors import OperationError
from malleposte.operations.traces import FindTraces, Traced, TracePage
from malleposte.store.commands import (
    DELIVERED,
    WAITS,
    ChangeQueued,
    Closing,
    Deliver,
    Filing,
    Handing,
    Outcome,
    RecordOutcomes,
    Relay,
    TakeQueued,
)
from malleposte.store.read import traces
from malleposte.store.results import Delivered, Done, Taken
from support.store import House, deliver
from unit.operations.desk import Desk

DAY = 86_400


def number(second: int, count: int = 0) -> int:
    return traces.first_of(second) + count


async def came(
    house: House,
    second: int,
    to: dict[str, list[int]],
    *,
    sender: str = "x@elsewhere.example",
    count: int = 0,
    handings: tuple[Handing, ...] = (),
    **record: Any,
) -> str:
    """A message that came; its number as people see it."""
    trace = number(second, count)
    written = {"peer": "192.0.2.1", "size": 4_000, **record}
    written["to"] = [(address, accounts, "", "") for address, accounts in to.items()]
    command: Deliver = msgspec.structs.replace(
        deliver(trace_id=trace),
        sender=sender,
        filings=tuple(Filing(account=a, prefix=b"") for ids in to.values() for a in ids),
        trace=msgspec.msgpack.encode(written),
        handings=handings,
    )
    await house.do(command, Delivered)
    return shown_id(trace)


async def found(desk: Desk, **how: Any) -> list[Traced]:
    page = await desk.call("trace.find", FindTraces(**how), TracePage)
    assert page.below == "", "all of it fits one page"
    return list(page.traces)


async def test_found_by_what_people_know_of_it(house: House, desk: Desk) -> None:
    ada = await house.account("ada")
    now = int(house.clock.time())
    old = await came(house, now - 3 * DAY, {"ada@example.org": [ada]}, sender="Bill@Shop.example")
    login = await came(house, now - 60, {"carl@far.example": []}, login="ada@example.org")
    last = await came(house, now, {"Ada@example.org": [ada]}, sender="")

    async def numbers(**how: Any) -> list[str]:
        return [one.id for one in await found(desk, **how)]

    assert await numbers() == [last, login, old], "the newest first"
    assert await numbers(sender="bill@") == [old]
    assert await numbers(sender="ada@example.org") == [login], "who had signed in is who sent"
    assert await numbers(recipient="ADA@") == [last, old]
    assert await numbers(recipient="far.example") == [login]
    assert await numbers(since=now - DAY) == [last, login]
    assert await numbers(until=now - DAY) == [old]
    assert await numbers(id=old) == [old]
    assert await numbers(id=shown_id(number(now, 7))) == []
    assert await numbers(sender="100%", recipient="_") == []


async def test_found_by_message_id(house: House, desk: Desk) -> None:
    ada = await house.account("ada")
    now = int(house.clock.time())
    this = await came(house, now, {"ada@example.org": [ada]})
    (row,) = await house.rows("SELECT message_id FROM trace")
    await house.damage("UPDATE trace SET message_id = 'abc.1@shop.example'")
    await came(house, now, {"ada@example.org": [ada]}, count=1)
    assert row is not None
    for text in ("abc.1@shop.example", "<abc.1@shop.example>", "abc.1"):
        assert [one.id for one in await found(desk, message_id=text)] == [this]


async def test_what_became_of_each_recipient(house: House, desk: Desk) -> None:
    house.clock.stop()
    ada = await house.account("ada")
    now = int(house.clock.time())
    organisation = await house.value("SELECT organisation FROM account WHERE id = $1", ada)
    handing = Handing(
        organisation=organisation,
        account=ada,
        sender="ada@example.org",
        relays=tuple(
            Relay(address=f"{name}@far.example", route="far.example") for name in ("gone", "slow")
        ),
        expires_at=now + 1000,
    )
    to = {"ada@example.org": [ada], "gone@far.example": [], "slow@far.example": []}
    await came(house, now, to, handings=(handing,), login="ada@example.org")
    taken = await house.do(TakeQueued(routes=9, each=9, seconds=60), Taken)
    (message,) = taken.messages
    outcomes = (
        Outcome(
            message=message.id, n=0, attempt=1, state=DELIVERED, said="250 ok", host="mx [::1]"
        ),
        Outcome(message=message.id, n=1, attempt=1, state=WAITS, due_at=now + 300, said="452 full"),
    )
    await house.do(RecordOutcomes(outcomes=outcomes, routes=()), Done)
    (one,) = await found(desk)
    assert (one.login, one.peer, one.size) == ("ada@example.org", "192.0.2.1", 4_000)
    filed, gone, slow = one.recipients
    assert (filed.state, filed.accounts) == ("filed", ("ada@example.org",))
    assert (gone.state, gone.said, gone.message) == ("delivered", "250 ok", 0)
    assert gone.attempts[0].host == "mx [::1]"
    assert (slow.state, slow.said, slow.next, slow.message) == (
        "waits",
        "452 full",
        now + 300,
        message.id,
    )
    assert [attempt.outcome for attempt in slow.attempts] == ["deferred"]


async def test_what_scripts_did_is_shown_with_the_recipient(house: House, desk: Desk) -> None:
    """One who was sent a copy by somebody's script is shown, too, and so is an account that is gone."""
    ada, bob, cid = [await house.account(name) for name in ("ada", "bob", "cid")]
    became = {
        ada: [("filed", "Work/Lists"), ("sent on", "cid@example.org")],
        cid: [("filed", "Archive")],
        99: [("discarded", "")],
    }
    now = int(house.clock.time())
    await came(house, now, {"both@example.org": [ada, bob]}, became=became)
    (one,) = await found(desk)
    both, third, gone = one.recipients
    assert [(c.account, c.what, c.where) for c in both.copies] == [
        ("ada@example.org", "filed", "Work/Lists"),
        ("ada@example.org", "sent on", "cid@example.org"),
    ]
    assert (third.address, third.state) == ("cid@example.org", "filed")
    assert [(c.what, c.where) for c in third.copies] == [("filed", "Archive")]
    assert [(c.account, c.what) for c in gone.copies] == [("account 99, deleted", "discarded")]
    assert _became(both) == (
        "in bob@example.org, in the mailbox Work/Lists (ada@example.org),"
        " sent on to cid@example.org by a script (ada@example.org)"
    )
    assert _became(third) == "in the mailbox Archive"


@pytest.mark.parametrize(
    ("fates", "shown"),
    [
        ([("filed", "Junk")], "in the mailbox Junk"),
        ([("discarded", "")], "discarded by a script"),
        ([("rejected", "")], "rejected by a script, its sender was told by mail"),
        ([("sent on", "x@far.example")], "sent on to x@far.example by a script"),
        ([], "in the mailbox"),
    ],
)
async def test_the_words_for_it(
    house: House, desk: Desk, fates: list[tuple[str, str]], shown: str
) -> None:
    ada = await house.account("ada")
    became = {ada: fates} if fates else {}
    await came(house, int(house.clock.time()), {"ada@example.org": [ada]}, became=became)
    (one,) = await found(desk)
    assert _became(one.recipients[0]) == shown


async def test_a_full_mailbox_took_nothing(house: House, desk: Desk) -> None:
    """It is not shown as filed, whatever address led to it."""
    ada, full = await house.account("ada"), await house.account("full", quota=5)
    now = int(house.clock.time())
    to = {"ada@example.org": [ada], "all@example.org": [ada, full], "info@example.org": [full]}
    trace = number(now)
    command: Deliver = msgspec.structs.replace(
        deliver(trace_id=trace),
        filings=tuple(Filing(account=a, prefix=b"") for a in (ada, full)),
        trace=msgspec.msgpack.encode({"to": [(a, ids, "", "") for a, ids in to.items()]}),
        one_answer=False,
    )
    await house.do(command, Delivered)
    (one,) = await found(desk)
    states = [(r.address, r.state, r.said) for r in one.recipients]
    assert states == [
        ("ada@example.org", "filed", ""),
        ("all@example.org", "refused", "over-quota"),
        ("info@example.org", "refused", "over-quota"),
    ]
    assert one.recipients[1].accounts == ("ada@example.org", "full@example.org")


async def test_page_after_page(house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is missed or doubled, whatever a statement and a call may look at."""
    monkeypatch.setattr("malleposte.store.read.traces.SLICE", 3)
    monkeypatch.setattr("malleposte.operations.traces.LOOKED_AT", 4)
    ada = await house.account("ada")
    now = int(house.clock.time())
    to = {"ada@example.org": [ada]}
    came_in = [await came(house, now - n // 2, to, count=99 - n % 2) for n in range(11)]
    wanted = [came_in[n] for n in range(11)]
    seen: list[str] = []
    below = ""
    for _ in range(20):
        request = FindTraces(recipient="ada", below=below, limit=2)
        page = await desk.call("trace.find", request, TracePage)
        seen += [one.id for one in page.traces]
        below = page.below
        if not below:
            break
    assert seen == wanted


async def test_what_cannot_be_read_is_shown_all_the_same(house: House, desk: Desk) -> None:
    ada = await house.account("ada")
    this = await came(house, int(house.clock.time()), {"ada@example.org": [ada]})
    for record in (b"", b"\xc1", msgspec.msgpack.encode([1])):
        await house.damage("UPDATE trace SET record = $1", record)
        (one,) = await found(desk)
        assert (one.id, one.recipients) == (this, ())


@pytest.mark.parametrize("wrong", ["zzz", "-1", "f" * 17, "1 2"])
async def test_no_number(desk: Desk, wrong: str) -> None:
    with pytest.raises(OperationError, match="Received line"):
        await found(desk, id=wrong)


async def test_who_looks_is_written_down(house: House, desk: Desk) -> None:
    await found(desk, sender="ada")
    rows = await house.rows("SELECT actor FROM audit WHERE operation = 'trace.find'")
    assert len(rows) == 1


async def test_the_next_try_is_when_the_way_is_open_again(house: House, desk: Desk) -> None:
    house.clock.stop()
    ada = await house.account("ada")
    now = int(house.clock.time())
    organisation = await house.value("SELECT organisation FROM account WHERE id = $1", ada)
    handing = Handing(
        organisation=organisation,
        account=ada,
        sender="ada@example.org",
        relays=(Relay(address="x@far.example", route="far.example"),),
        expires_at=now + 1000,
    )
    await came(house, now, {"x@far.example": []}, handings=(handing,))
    closed = Closing(route="far.example", until=now + 900, said="nobody answers there")
    await house.do(RecordOutcomes(outcomes=(), routes=(closed,)), Done)
    ((recipient,),) = [one.recipients for one in await found(desk)]
    assert (recipient.state, recipient.next, recipient.said) == (
        "waits",
        now + 900,
        "nobody answers there",
    )


async def test_whose_forward_it_is_and_in_the_order_of_time(house: House, desk: Desk) -> None:
    house.clock.stop()
    ada = await house.account("ada")
    now = int(house.clock.time())
    organisation = await house.value("SELECT organisation FROM account WHERE id = $1", ada)
    handing = Handing(
        organisation=organisation,
        account=ada,
        sender="ada@example.org",
        relays=(Relay(address="x@far.example", route="far.example"),),
        expires_at=now + 1000,
        by="ada@example.org",
    )
    onward = [("x@far.example", "ada@example.org")]
    await came(house, now, {"ada@example.org": [ada]}, handings=(handing,), onward=onward)
    ((message,),) = await house.rows("SELECT id FROM queue_message")
    for act in ("hold", "release"):
        house.clock.turn(60)
        command = ChangeQueued(messages=(message,), act=act, said="local:0")
        await house.do(command, Done)
    (filed, forwarded) = (await found(desk))[0].recipients
    assert (filed.by, forwarded.by) == ("", "ada@example.org")
    assert [one.outcome for one in forwarded.attempts] == ["held", "released"]
