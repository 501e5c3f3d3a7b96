"""Copies made before a mailbox was shared: whoever may flag one cannot flag the other from then on."""

import pytest

from malleposte.runtime import parting as job
from malleposte.runtime.jobs import JobRunner
from malleposte.store.commands import ClaimRecent, PartCopies, RenameMailbox
from malleposte.store.execute import parting
from malleposte.store.execute.parting import PART_JOB
from malleposte.store.flags import FLAGGED, SEEN
from malleposte.store.read.mailboxes import vanished
from malleposte.store.results import Claimed, Done
from support.store import House, inbox


async def emails(house: House, mailbox: int) -> list[int]:
    rows = await house.rows("SELECT email FROM membership WHERE mailbox = $1 ORDER BY uid", mailbox)
    return [row[0] for row in rows]


async def waiting(house: House) -> int:
    return int(await house.value("SELECT count(*) FROM job WHERE kind = $1", PART_JOB))


async def run_jobs(house: House) -> int:
    async def run(leased: object) -> None:
        await job.part_copies(house.store, leased)  # type: ignore[arg-type]

    return await JobRunner(house.store, "w", {PART_JOB: run}).run_due()


async def test_a_copy_parts_when_others_may_set_flags(house: House) -> None:
    owner, bob = await house.account(), await house.account()
    box, private = await house.mailbox(owner, "box"), await house.mailbox(owner, "private")
    for n in range(3):
        await house.append(private, data=b"%d" % n, flags=FLAGGED | SEEN, keywords=("k",))
    await house.append(box, data=b"only here")
    await house.copy(private, box, ((1, 2),))
    await house.flag(box, ((2, 2),), deleted=True)
    before, threads = await emails(house, private), await house.email(private, 1)
    used = await house.value("SELECT used_bytes FROM account_head WHERE account = $1", owner)
    await house.grant(box, bob, "lrswi")
    assert await emails(house, private) == before, "what it was copied from stays as it is"
    assert await house.uids(private) == [1, 2, 3]
    assert await house.uids(box) == [1, 4, 5], "an EMAILID is one UID's for ever"
    there = await emails(house, box)
    assert not set(there) & set(before)
    assert [await house.bytes_of(email) for email in there] == [b"only here", b"0", b"1"]
    copy = await house.email(box, 4)
    assert (copy["flags"], copy["keywords"], copy["deleted"]) == (FLAGGED | SEEN, "k", 1)
    assert (copy["thread"], copy["mailboxes"]) == (threads["thread"], 1)
    assert (await house.email(private, 1))["mailboxes"] == 1
    # Whoever synchronises hears of all of it.
    highest = (await house.info(box)).message_modseq
    assert copy["modseq"] == (await house.email(private, 1))["modseq"] == highest
    assert (await house.info(private)).message_modseq == highest
    gone, complete = await vanished(house.store.reader, owner, box, highest - 1)
    assert (gone, complete) == ([(2, 3)], True)
    info = await house.info(box)
    assert (info.messages, info.unseen, info.deleted) == (3, 1, 1)
    more = await house.value("SELECT used_bytes FROM account_head WHERE account = $1", owner)
    assert more == used + 2, "the octets of two copies"
    assert await waiting(house) == 0
    # And that is what it is for.
    await house.flag(box, mode="=", actor=bob, flags=0)
    assert (await house.email(private, 1))["flags"] == FLAGGED | SEEN
    await house.flag(private, flags=0, mode="=")
    assert (await house.email(box, 1))["flags"] == 0


@pytest.mark.parametrize("letters", ["lr", "lrs", "lrstei"])
async def test_who_sets_no_flags_for_others_parts_nothing(house: House, letters: str) -> None:
    owner, bob = await house.account(), await house.account()
    box, private = await house.mailbox(owner, "box"), await house.mailbox(owner, "private")
    await house.append(private)
    await house.copy(private, box)
    await house.grant(box, bob, letters)
    assert await emails(house, box) == await emails(house, private)
    assert await waiting(house) == 0
    await house.grant(box, bob, f"{letters}w")
    assert await emails(house, box) != await emails(house, private)


async def test_copies_with_the_same_writers_stay_together(house: House) -> None:
    """Mailboxes below the one that is shared leave with it; those that are shared alike do not part."""
    owner, bob, eve = [await house.account() for _ in range(3)]
    box, private = await house.mailbox(owner, "box"), await house.mailbox(owner, "private")
    below, alike = await house.mailbox(owner, "below", parent=box), await house.mailbox(owner, "a")
    await house.grant(alike, bob, "lrw")
    await house.append(private)
    await house.copy(private, box)
    await house.copy(box, below)
    await house.grant(box, bob, "lrw")
    assert await emails(house, box) == await emails(house, below) != await emails(house, private)
    assert await waiting(house) == 1, "below there may be more"
    assert await run_jobs(house) == 1
    assert await emails(house, box) == await emails(house, below)
    assert (await house.email(box, 2))["mailboxes"] == 2
    assert await house.uids(below) == [2]
    # Someone else may write to one of the two: they part.
    await house.grant(below, eve, "lrw")
    assert await emails(house, box) != await emails(house, below)
    # Nobody may any more: the same person may write to neither, or to both.
    await house.grant(below, eve, "")
    assert await waiting(house) == 0


async def test_copies_below_part_by_the_job(house: House) -> None:
    owner, bob = await house.account(), await house.account()
    box, private = await house.mailbox(owner, "box"), await house.mailbox(owner, "private")
    below = await house.mailbox(owner, "below", parent=box)
    own_list = await house.mailbox(owner, "own list", parent=box)
    for _ in range(3):
        await house.append(private)
    await house.copy(private, below)
    await house.copy(private, own_list)
    await house.grant(own_list, bob, "lr")
    await house.grant(box, bob, "lrw")
    assert await emails(house, below) == await emails(house, private)
    assert await run_jobs(house) == 1
    assert not set(await emails(house, below)) & set(await emails(house, private))
    assert await emails(house, own_list) == await emails(house, private)
    assert await house.uids(below) == [4, 5, 6]
    assert await waiting(house) == 0


async def test_a_mailbox_that_is_moved_below_a_shared_one_parts(house: House) -> None:
    owner, bob = await house.account(), await house.account()
    shared, private = await house.mailbox(owner, "shared"), await house.mailbox(owner, "private")
    box = await house.mailbox(owner, "box")
    await house.grant(shared, bob, "lrw")
    await house.append(private)
    await house.copy(private, box)
    rename = RenameMailbox(actor=owner, mailbox=box, parent=shared, path=("box",))
    await house.do(rename, Done)
    assert await emails(house, box) != await emails(house, private)
    # Back again nothing parts, for nothing is held twice.
    rename = RenameMailbox(actor=owner, mailbox=box, parent=0, path=("box",))
    await house.do(rename, Done)
    assert await house.uids(box) == [2]


async def test_marks_of_readers_go_along(house: House) -> None:
    owner, bob, eve = [await house.account() for _ in range(3)]
    box, private = await house.mailbox(owner, "box"), await house.mailbox(owner, "private")
    await house.append(private)
    await house.copy(private, box)
    await house.grant(box, bob, "lrs")
    await house.flag(box, actor=bob, flags=SEEN)
    await house.grant(box, eve, "lrw")
    ((email, seen),) = await house.rows(
        "SELECT email, seen FROM reader_seen WHERE reader = $1 AND email IN (SELECT email FROM"
        " membership WHERE mailbox = $2)",
        bob,
        box,
    )
    assert ([email], seen) == (await emails(house, box), SEEN)


async def test_many_part_in_slices(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """However they are cut, each parts once, and what is not done yet is the job's."""
    owner, bob = await house.account(), await house.account()
    box, private = await house.mailbox(owner, "box"), await house.mailbox(owner, "private")
    for n in range(7):
        await house.append(private, data=b"%d" % n)
    await house.copy(private, box)
    monkeypatch.setattr(parting, "PARTED", 2)
    await house.grant(box, bob, "lrw")
    private_ones = set(await emails(house, private))
    assert len(private_ones & set(await emails(house, box))) == 5
    assert await waiting(house) == 1
    assert await house.fsck() == []
    # One more command, and whoever ran the job is gone: the next one begins anew.
    done = await house.do(PartCopies(mailbox=box), Done)
    assert (done.more, done.count) == (True, 4)
    assert await house.fsck() == []
    assert await run_jobs(house) == 1
    assert not private_ones & set(await emails(house, box))
    assert await house.uids(box) == [*range(8, 15)]
    contents = [await house.bytes_of(email) for email in await emails(house, box)]
    assert contents == [b"%d" % n for n in range(7)]
    assert await house.do(PartCopies(mailbox=box), Done) == Done(count=14)


async def test_a_change_while_the_job_runs_is_seen_to(house: House) -> None:
    owner, bob, eve = [await house.account() for _ in range(3)]
    top = await house.mailbox(owner, "top")
    box = await house.mailbox(owner, "box", parent=top)
    await house.append(inbox(owner))
    await house.copy(inbox(owner), box)
    await house.grant(top, bob, "lrw")
    again: list[int] = []

    async def run(leased: object) -> None:
        await job.part_copies(house.store, leased)  # type: ignore[arg-type]
        if not again:
            await house.grant(top, eve, "lrw")
            again.append(await waiting(house))

    runner = JobRunner(house.store, "w", {PART_JOB: run})
    assert await runner.run_due() == 1
    assert again == [2]
    assert await runner.run_due() == 1
    assert await waiting(house) == 0


async def test_what_no_session_was_told_of_is_as_many_as_before(house: House) -> None:
    owner, bob = await house.account(), await house.account()
    box, private = await house.mailbox(owner, "box"), await house.mailbox(owner, "private")
    await house.append(private)
    await house.copy(private, box)
    await house.do(ClaimRecent(actor=owner, mailbox=box, upto=1), Claimed)
    await house.grant(box, bob, "lrw")
    info = await house.info(box)
    assert info.recent_from == info.uidnext
