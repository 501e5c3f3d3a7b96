"""Expunge: memberships end, tombstones tell of it, the rest stays recoverable."""

import pytest

from malleposte.store.commands import Expunge
from malleposte.store.execute.ranges import compact, encode
from malleposte.store.flags import SEEN
from support.store import ALL, House, inbox, rendered


async def test_expunge_of_marked_messages(house: House) -> None:
    account = await house.account()
    box = inbox(account)
    await house.fill(account, 5)
    await house.flag(box, ((2, 3), (5, 5)), deleted=True)
    await house.flag(box, ((3, 4),), flags=SEEN)
    answer = await house.expunge(box, ((1, 4),), marked=True)
    assert answer.uids == (2, 3)
    assert await house.uids(box) == [1, 4, 5]
    info = await house.info(box)
    assert (info.messages, info.unseen, info.deleted, info.uidnext) == (3, 2, 1, 6)
    assert info.message_modseq == answer.modseq


async def test_expunge_without_marks(house: House) -> None:
    """JMAP's destroy, and UID ranges of a service that knows what it does."""
    account = await house.account()
    await house.fill(account, 3)
    assert (await house.expunge(inbox(account), ((2, 9),))).uids == (2, 3)


async def test_nothing_to_expunge_is_no_change(house: House) -> None:
    account = await house.account()
    await house.fill(account, 2)
    before = await house.snapshot()
    answer = await house.expunge(inbox(account), marked=True)
    assert (answer.uids, answer.modseq) == ((), 0)
    assert await house.snapshot() == before


async def test_uids_become_tombstones_as_ranges(house: House) -> None:
    account = await house.account()
    box = inbox(account)
    await house.fill(account, 6)
    answer = await house.expunge(box, ((1, 3), (5, 5)))
    assert await house.tombstones(account, "uid") == [
        (box, answer.modseq, 1, 3),
        (box, answer.modseq, 5, 5),
    ]


async def test_an_email_in_another_mailbox_lives_on(house: House) -> None:
    account = await house.account()
    box, archive = inbox(account), await house.standard(account, "archive")
    filed = await house.deliver(account)
    await house.copy(box, archive)
    answer = await house.expunge(box)
    assert await house.uids(archive) == [1]
    assert (await house.email(archive, 1))["mailboxes"] == 1
    assert await house.tombstones(account, "email") == []
    assert await house.rows("SELECT * FROM recoverable") == []
    # It changed for the other mailbox too: its mailboxIds did.
    assert (await house.email(archive, 1))["modseq"] == answer.modseq
    assert (await house.info(archive)).message_modseq == answer.modseq
    assert await house.bytes_of(filed.email)


async def test_an_email_without_a_mailbox_is_recoverable(house: House) -> None:
    account = await house.account()
    filed = await house.deliver(account, data=b"come back")
    now = house.clock.stop()
    answer = await house.expunge(inbox(account), until=now + 77)
    assert await house.rows("SELECT email, account, mailbox, at, until FROM recoverable") == [
        (filed.email, account, inbox(account), now, now + 77)
    ]
    assert await house.tombstones(account, "email") == [
        (0, answer.modseq, filed.email, filed.email)
    ]
    assert await house.bytes_of(filed.email) == b"come back"
    assert await house.value("SELECT used_bytes + used_emails FROM account_head") == 0


async def test_a_thread_dies_with_its_last_email(house: House) -> None:
    account = await house.account()
    for n, references in enumerate(((), ("0",))):
        await house.deliver(account, about=rendered(message_id=str(n), references=references))
    thread = (await house.email(inbox(account), 1))["thread"]
    await house.expunge(inbox(account), ((1, 1),))
    assert await house.tombstones(account, "thread") == []
    answer = await house.expunge(inbox(account), ((2, 2),))
    assert await house.tombstones(account, "thread") == [(0, answer.modseq, thread, thread)]


async def test_rights_and_refusals(house: House) -> None:
    account, other = await house.account(), await house.account()
    await house.fill(account, 1)
    await house.grant(inbox(account), other, "lrswit")
    command = Expunge(actor=other, mailbox=inbox(account), uids=ALL, marked=False)
    assert await house.refused(command) == "no-rights"
    assert (
        await house.refused(Expunge(actor=0, mailbox=account << 32 | 99, uids=ALL))
        == "no-such-mailbox"
    )


async def test_too_many_at_once(house: House) -> None:
    """One past the bound is enough to know; built by a statement, for deliveries would take long."""
    account = await house.account()
    filed = await house.deliver(account)
    house.damaged = True
    async with house.place.raw() as tx:
        numbers = "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 5001)"
        await tx.run(
            f"{numbers} INSERT INTO membership (mailbox, uid, email, deleted, saved_at)"
            " SELECT $1, i, $2, 0, 0 FROM n",
            inbox(account),
            filed.email,
        )
    command = Expunge(actor=0, mailbox=inbox(account), uids=ALL, marked=False)
    assert await house.refused(command) == "limit"


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ((), "[]"),
        (((1, 3), (5, 6)), "[[1,3],[5,6]]"),
        (((5, 6), (1, 3)), "[[1,3],[5,6]]"),
        (((1, 5), (2, 3), (5, 9)), "[[1,9]]"),
        (((1, 2), (3, 4)), "[[1,4]]"),
        (((9, 1), (2, 2)), "[[2,2]]"),
    ],
)
def test_ranges_are_sorted_and_joined(ranges: list[tuple[int, int]], expected: str) -> None:
    assert encode(ranges) == expected


def test_numbers_become_ranges() -> None:
    assert compact([]) == []
    assert compact([1, 2, 3, 7, 9, 10]) == [(1, 3), (7, 7), (9, 10)]
