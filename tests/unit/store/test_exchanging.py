"""ExchangeMailboxes: two mailboxes have each other's place, with all that is below and beside them."""

from malleposte.store.commands import ExchangeMailboxes, SetRights, Subscribe
from malleposte.store.execute.mailboxes import MAX_DEPTH
from malleposte.store.read import mailboxes
from malleposte.store.results import Done
from support.store import House, inbox


def exchange(actor: int, one: int, other: int) -> ExchangeMailboxes:
    return ExchangeMailboxes(actor=actor, one=one, other=other)


async def paths(house: House, account: int) -> dict[int, str]:
    return {box.id: box.path for box in await mailboxes.mailboxes(house.store.reader, account)}


async def test_two_have_each_others_place_at_once(house: House) -> None:
    account = await house.account()
    a, top = await house.mailbox(account, "a"), await house.mailbox(account, "top")
    below = await house.mailbox(account, "low", parent=a)
    b = await house.mailbox(account, "b", parent=top)
    await house.do(Subscribe(account=account, name="b", mailbox=b, subscribed=False), Done)
    before = await house.info(a)
    done = await house.do(exchange(account, a, b), Done)
    found = await paths(house, account)
    assert [found[one] for one in (a, below, b)] == ["top/b", "top/b/low", "a"]
    after = await house.info(a)
    assert (after.uidvalidity, after.modseq) == (before.uidvalidity, done.modseq)
    assert (await house.info(b)).modseq == done.modseq
    # Names stay subscribed, as after RENAME: what comes under one is.
    assert (await house.info(b)).subscribed
    assert await mailboxes.subscriptions(house.store.reader, account) == ["a/low"]


async def test_what_cannot_be_exchanged_stays(house: House) -> None:
    account, reader = await house.account(), await house.account()
    a, b = await house.mailbox(account, "a"), await house.mailbox(account, "b")
    low = await house.mailbox(account, "x", "low", parent=a)
    theirs = await house.mailbox(reader, "c")
    for one, other, reason in (
        (a, low, "loop"),
        (low, a, "loop"),
        (a, inbox(account), "reserved"),
        (a, a, "no-such-mailbox"),
        (a, theirs, "no-such-mailbox"),
        (a, a + 99, "no-such-mailbox"),
    ):
        assert await house.refused(exchange(account, one, other)) == reason
    assert await house.refused(exchange(reader, a, b)) == "no-such-mailbox"
    for box in (a, b):
        await house.grant(box, reader, "lrkxa")
    assert await house.refused(exchange(reader, a, b)) == "no-rights"
    names = [str(n) for n in range(MAX_DEPTH - 1)]
    deep = await house.mailbox(account, *names, "end")
    assert await house.refused(exchange(account, a, deep)) == "limit"


async def test_readers_names_follow_both(house: House) -> None:
    account, reader = await house.account(), await house.account()
    a, b = await house.mailbox(account, "a"), await house.mailbox(account, "b")
    for box in (a, b):
        await house.do(
            SetRights(actor=account, mailbox=box, grantee=reader, letters="lr", owner_shown="ann"),
            Done,
        )
    await house.do(exchange(account, a, b), Done)
    rows = await house.rows("SELECT name, mailbox FROM subscription WHERE account = $1", reader)
    assert sorted(rows) == [("ann/a", b), ("ann/b", a)]
