"""What is recent to whom: each message to the first session that claims it, on both databases."""

import asyncio

import pytest

from malleposte.store.commands import SYSTEM, ClaimRecent, DeleteMailbox
from malleposte.store.read import mailboxes as read
from malleposte.store.results import Claimed, Done
from support.store import House, inbox


def claim(mailbox: int, upto: int, actor: int = SYSTEM) -> ClaimRecent:
    return ClaimRecent(actor=actor, mailbox=mailbox, upto=upto)


async def claimed(house: House, mailbox: int, upto: int) -> tuple[int, int]:
    answer = await house.do(claim(mailbox, upto), Claimed)
    return answer.first, answer.last


async def test_each_message_is_claimed_once(house: House) -> None:
    account = await house.account()
    box = inbox(account)
    assert await claimed(house, box, 1) == (1, 0), "nothing was there"
    await house.fill(account, 3)
    assert await claimed(house, box, 2) == (1, 2)
    assert await claimed(house, box, 3) == (3, 3)
    assert await claimed(house, box, 3) == (4, 3)
    assert await claimed(house, box, 1) == (4, 3)
    # Past what is there nothing can be claimed: it is not there to be told of.
    assert await claimed(house, box, 99) == (4, 3)
    await house.fill(account, 1)
    assert await claimed(house, box, 99) == (4, 4)
    assert (await house.info(box)).recent_from == 5


async def test_of_many_who_claim_at_once_one_gets_each(house: House) -> None:
    account = await house.account()
    box = inbox(account)
    await house.fill(account, 5)
    answers = await asyncio.gather(*[claimed(house, box, 1 + n % 5) for n in range(20)])
    uids = [uid for first, last in answers for uid in range(first, last + 1)]
    assert sorted(uids) == [1, 2, 3, 4, 5]


async def test_a_claim_is_no_change_that_others_hear_of(house: House) -> None:
    """HIGHESTMODSEQ and the account's modseq stay (RFC 7162 §3.1.1: the flag is the session's)."""
    account = await house.account()
    box = inbox(account)
    await house.fill(account, 2)
    before = await house.info(box)
    head = await read.modseq(house.store.reader, account)
    await claimed(house, box, 2)
    after = await house.info(box)
    assert (after.modseq, after.message_modseq) == (before.modseq, before.message_modseq)
    assert await read.modseq(house.store.reader, account) == head


async def test_it_stands_between_other_changes_of_a_batch(house: House) -> None:
    """The row of a mailbox is changed in memory by a delivery and by a claim."""
    account = await house.account()
    box = inbox(account)
    await asyncio.gather(house.fill(account, 3), *[claimed(house, box, n) for n in (1, 2, 3, 3)])
    assert await claimed(house, box, 3) in ((1, 3), (2, 3), (3, 3), (4, 3))
    info = await house.info(box)
    assert (info.messages, info.uidnext, info.recent_from) == (3, 4, 4)


async def test_who_may_not_read_claims_nothing(house: House) -> None:
    account, other = await house.account(), await house.account()
    box = inbox(account)
    await house.fill(account, 1)
    assert await house.refused(claim(box, 1, other)) in ("no-rights", "no-such-mailbox")
    await house.grant(box, other, "l")
    assert await house.refused(claim(box, 1, other)) == "no-rights"
    await house.grant(box, other, "lr")
    answer = await house.do(claim(box, 1, other), Claimed)
    assert (answer.first, answer.last) == (1, 1)
    assert await house.refused(claim(box + 70, 1)) == "no-such-mailbox"


async def test_the_number_of_recent_messages(house: House) -> None:
    """Of several mailboxes at once; what was expunged does not count."""
    account = await house.account()
    box, sent = inbox(account), await house.standard(account, "sent")
    await house.fill(account, 4)
    await house.fill(account, 2, sent)
    await claimed(house, box, 1)
    await house.expunge(box, ((3, 3),), marked=False)
    reader = house.store.reader

    async def counts() -> dict[int, int]:
        return await read.recent(reader, await read.mailboxes(reader, account))

    assert await counts() == {box: 2, sent: 2}
    await claimed(house, sent, 2)
    assert await counts() == {box: 2}
    await claimed(house, box, 4)
    assert await counts() == {}
    assert await read.recent_from(reader, box) == 5
    await house.do(DeleteMailbox(actor=SYSTEM, mailbox=sent), Done)
    assert await read.recent_from(reader, sent) > 1 << 31


async def test_many_are_counted_in_slices(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await house.account()
    box = inbox(account)
    await house.fill(account, 9)
    await claimed(house, box, 1)
    await house.expunge(box, ((4, 5),), marked=False)
    reader = house.store.reader
    boxes = await read.mailboxes(reader, account)
    for size in (1, 3, 8, 100):
        monkeypatch.setattr(read, "_COUNTED", size)
        assert await read.recent(reader, boxes) == {box: 6}
