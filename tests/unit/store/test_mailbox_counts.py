"""Counts of mailboxes: what a look at all memberships gives, small and large, after each change."""

import pytest

from malleposte.store import mailbox_counts
from malleposte.store.flags import DRAFT, SEEN
from malleposte.store.mailbox_counts import Counts
from malleposte.store.read import mailboxes
from support.store import House, inbox, rendered


async def counted(house: House, account: int) -> dict[int, Counts]:
    boxes = await mailboxes.mailboxes(house.store.reader, account)
    return await house.store.counts.of(boxes)


async def expected(house: House, account: int) -> dict[int, Counts]:
    found: dict[int, Counts] = {}
    for box in await mailboxes.mailboxes(house.store.reader, account):
        rows = await house.rows(
            "SELECT e.thread, e.flags FROM membership m JOIN email e ON e.id = m.email"
            " WHERE m.mailbox = $1 AND m.deleted = 0",
            box.id,
        )
        unread = [thread for thread, flags in rows if not flags & (SEEN | DRAFT)]
        threads = {thread for thread, _ in rows}
        found[box.id] = Counts(len(rows), len(unread), len(threads), len(set(unread)))
    return found


@pytest.mark.parametrize("large", [1, 2_000])
async def test_counts_follow_what_happens(
    house: House, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    monkeypatch.setattr(mailbox_counts, "LARGE", large)
    monkeypatch.setattr(mailbox_counts, "AT_ONCE", 3)
    account = await house.account()
    box = await house.mailbox(account, "Box")
    assert await counted(house, account) == await expected(house, account)
    for n in range(6):
        parent = ("0@x",) if n in (2, 3) else ()
        about = rendered(message_id=f"{n}@x", references=parent)
        await house.deliver(account, about=about, mailbox=box if n % 2 else 0)
        assert await counted(house, account) == await expected(house, account)
    await house.flag(inbox(account), ((1, 2),), flags=SEEN)
    assert await counted(house, account) == await expected(house, account)
    await house.flag(inbox(account), ((3, 3),), flags=DRAFT)
    await house.flag(box, ((1, 1),), deleted=True)
    assert await counted(house, account) == await expected(house, account)
    await house.copy(inbox(account), box, ((2, 3),), move=True)
    await house.expunge(box, ((2, 2),))
    assert await counted(house, account) == await expected(house, account)
    assert (await counted(house, account))[inbox(account)].emails == 1


async def test_what_is_known_is_not_counted_again(house: House) -> None:
    account = await house.account()
    await house.fill(account, 3)
    before = await counted(house, account)
    boxes = await mailboxes.mailboxes(house.store.reader, account)
    await house.damage("UPDATE email SET flags = 1")  # past the change log: nobody can know
    assert await house.store.counts.of(boxes) == before
