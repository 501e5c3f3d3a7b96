"""Counts of mailboxes: what a look at all memberships gives, small and large, after each change."""

from random import Random

import pytest

from malleposte.store import mailbox_counts, unread_threads
from malleposte.store.commands import ChangeEmails, EmailChange, SetMailbox
from malleposte.store.flags import DRAFT, SEEN
from malleposte.store.mailbox_counts import Counts
from malleposte.store.read import change_log, mailboxes
from malleposte.store.read.change_log import Point
from malleposte.store.results import Done, EmailsChanged
from malleposte.store.unread_threads import AllUnreadThreads
from support.store import House, inbox, rendered


async def counted(house: House, account: int) -> dict[int, Counts]:
    boxes = await mailboxes.mailboxes(house.store.reader, account)
    return await house.store.counts.of(boxes)


async def expected(house: House, account: int) -> dict[int, Counts]:
    """RFC 8621 §2 word for word, from all memberships."""
    boxes = await mailboxes.mailboxes(house.store.reader, account)
    held = {
        box.id: await house.rows(
            "SELECT e.thread, e.flags FROM membership m JOIN email e ON e.id = m.email"
            " WHERE m.mailbox = $1 AND m.deleted = 0",
            box.id,
        )
        for box in boxes
    }
    unread = {
        id_: [thread for thread, flags in rows if not flags & (SEEN | DRAFT)]
        for id_, rows in held.items()
    }
    trash = {box.id for box in boxes if box.role == "trash"}
    outside = {thread for id_ in held.keys() - trash for thread in unread[id_]}
    found: dict[int, Counts] = {}
    for id_, rows in held.items():
        threads = {thread for thread, _ in rows}
        shown = set(unread[id_]) if id_ in trash else threads & outside
        found[id_] = Counts(len(rows), len(unread[id_]), len(threads), len(shown))
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


async def test_a_thread_is_unread_wherever_it_shows_but_for_the_trash(house: House) -> None:
    account = await house.account()
    trash = await house.standard(account, "trash")
    sent, box = await house.standard(account, "sent"), await house.mailbox(account, "Box")
    await house.deliver(account, about=rendered(message_id="a@x"), flags=SEEN)
    await house.deliver(
        account, about=rendered(message_id="b@x", references=("a@x",)), mailbox=trash
    )
    # The example of RFC 8621 §2.
    found = await counted(house, account)
    assert (found[trash].unread_threads, found[inbox(account)].unread_threads) == (1, 0)
    await house.deliver(
        account, about=rendered(message_id="c@x", references=("a@x",)), mailbox=sent
    )
    found = await counted(house, account)
    assert (found[inbox(account)].unread_threads, found[sent].unread_threads) == (1, 1)
    # In the trash and elsewhere: it counts in both.
    await house.copy(trash, box)
    await house.flag(sent, flags=SEEN)
    found = await counted(house, account)
    assert [found[id_].unread_threads for id_ in (inbox(account), sent, box, trash)] == [1, 1, 1, 1]
    assert found == await expected(house, account)
    await house.do(SetMailbox(actor=account, account=account, mailbox=box, role="trash"), Done)
    assert await counted(house, account) == await expected(house, account)


@pytest.mark.parametrize("seed", range(3))
async def test_unread_threads_follow_any_change(house: House, seed: int) -> None:
    random = Random(seed)
    account = await house.account()
    boxes = [
        inbox(account),
        await house.standard(account, "trash"),
        await house.mailbox(account, "B"),
    ]
    for n in range(60):
        box = random.choice(boxes)
        uids = await house.uids(box)
        match random.randrange(8) if uids else 0:
            case 0 | 1:
                about = rendered(message_id=f"{n}@x", references=(f"{random.randrange(8)}@x",))
                await house.deliver(account, about=about, mailbox=box)
            case 2 | 3:
                uid = random.choice(uids)
                await house.flag(box, ((uid, uid),), random.choice("+-"), flags=SEEN)
            case 4:
                uid = random.choice(uids)
                await house.flag(box, ((uid, uid),), random.choice("+-"), deleted=True)
            case 5:
                uid = random.choice(uids)
                other = random.choice(boxes)
                if other != box:
                    await house.copy(box, other, ((uid, uid),), move=random.random() < 0.5)
            case 6:
                uid = random.choice(uids)
                await house.expunge(box, ((uid, uid),))
            case _:
                email = (await house.email(box, random.choice(uids)))["id"]
                # At once and for good: nothing in the store tells which thread it was of.
                gone = EmailChange(emails=(email,), destroy=True)
                command = ChangeEmails(actor=account, account=account, changes=(gone,))
                await house.do(command, EmailsChanged)
        if n % 3 == 0:
            assert await counted(house, account) == await expected(house, account)
    assert await counted(house, account) == await expected(house, account)


async def test_too_much_that_changed_is_counted_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread_threads, "CHANGES", 2)
    monkeypatch.setattr(unread_threads, "SLICE", 2)
    monkeypatch.setattr(unread_threads, "THREADS", 2)
    account = await house.account()
    await house.fill(account, 5)
    assert await counted(house, account) == await expected(house, account)
    await house.flag(inbox(account), ((1, 4),), flags=SEEN)
    found = await counted(house, account)
    assert found == await expected(house, account)
    assert found[inbox(account)].unread_threads == 1


async def test_accounts_not_asked_for_longest_are_forgotten(house: House) -> None:
    accounts = [await house.account() for _ in range(3)]
    known = AllUnreadThreads(house.store.reader, house.store.clock, kept=60)
    for account in accounts:
        await house.fill(account, 2)
        assert (await known.of(account))[inbox(account)] == 2
    assert (await known.of(accounts[0]))[inbox(accounts[0])] == 2
    assert len(known._known) == 1


async def test_a_reader_counts_what_he_sees_and_has_not_seen(house: House) -> None:
    account, reader = await house.account(), await house.account()
    box, hidden = await house.mailbox(account, "Box"), await house.mailbox(account, "Hidden")
    here = inbox(account)
    for mailbox in (here, box):
        await house.grant(mailbox, reader, "lrs")
    for n, mailbox in enumerate((here, box, hidden)):
        about = rendered(message_id=f"{n}@x", references=("0@x",))
        await house.deliver(account, about=about, mailbox=mailbox, flags=SEEN if n < 2 else 0)
    boxes = [await house.info(id_) for id_ in (here, box)]

    async def unread() -> list[tuple[int, int]]:
        found = await house.store.counts.for_reader(boxes, reader, (here, box))
        return [(found[one.id].unread, found[one.id].unread_threads) for one in boxes]

    # What is hidden from him is unread, and not his business.
    assert await unread() == [(0, 0), (0, 0)]
    assert (await counted(house, account))[here].unread_threads == 1
    await house.flag(box, mode="-", actor=reader, flags=SEEN)
    assert await unread() == [(0, 1), (1, 1)]
    await house.flag(box, actor=reader, flags=SEEN)
    assert await unread() == [(0, 0), (0, 0)]
    # What he marks in one is told of those that hold the thread, to him alone.
    since, db = Point(await mailboxes.modseq(house.store.reader, account)), house.store.reader
    await house.flag(box, mode="-", actor=reader, flags=SEEN)
    for actor, more in ((reader, [here, hidden]), (0, [])):
        found = await change_log.mailboxes(db, account, since, 10, threads=True, actor=actor)
        assert found is not None
        assert sorted(found.updated) == sorted([box, *more])
