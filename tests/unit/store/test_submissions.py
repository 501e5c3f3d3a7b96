"""Identities and submissions in the store: bounded, apart by account, gone with it."""

import pytest
from msgspec import structs

from malleposte.store.commands import (
    CancelSubmission,
    DeleteAccount,
    Deliver,
    DropIdentity,
    DropSubmission,
    NoteProgress,
    PurgeAccount,
    PutIdentity,
    SeedIdentities,
    Submitted,
)
from malleposte.store.commands.submissions import MAX_OCTETS
from malleposte.store.execute import submissions as executing
from malleposte.store.read import submissions
from malleposte.store.results import Delivered, Done
from support.store import House, deliver


def delivery(account: int, *to: int, trace: int = 7) -> Deliver:
    kept = Submitted(account=account, identity=1, email=2, thread=3, send_at=4, state=b"{}")
    return structs.replace(deliver(*to, trace_id=trace), submitted=kept)


async def submission(house: House, account: int) -> int:
    await house.do(delivery(account), Delivered)
    kept = await submissions.of_trace(house.store.reader, account, 7)
    assert kept is not None
    return kept.n


async def test_defaults_are_made_once_and_not_again_after_they_went(house: House) -> None:
    account = await house.account()
    seed = SeedIdentities(
        account=account, identities=(("a@x", b"{}"), ("a@x", b"{}"), ("b@x", b""))
    )
    assert (await house.do(seed, Done)).count == 2
    first, second = await submissions.identities(house.store.reader, account)
    assert (first.address, second.address) == ("a@x", "b@x")
    await house.do(DropIdentity(account=account, n=first.n), Done)
    assert (await house.do(seed, Done)).count == 0
    assert [one.n for one in await submissions.identities(house.store.reader, account)] == [
        second.n
    ]
    assert await house.refused(DropIdentity(account=account, n=first.n)) == "no-such-identity"


async def test_they_are_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await house.account()
    monkeypatch.setattr(executing, "MAX_IDENTITIES", 1)
    monkeypatch.setattr(executing, "MAX_SUBMISSIONS", 2)
    await house.do(PutIdentity(account=account, address="a@x", state=b"{}"), Done)
    more = PutIdentity(account=account, address="b@x", state=b"{}")
    assert await house.refused(more) == "limit"
    long = PutIdentity(account=account, address="b@x", state=b"x" * (MAX_OCTETS + 1))
    assert await house.refused(long) == "too-long"
    made = [await submission(house, account) for _ in range(4)]
    kept = await submissions.listed(house.store.reader, account)
    assert [one.n for one in kept] == made[2:]


async def test_what_changed_is_told_in_pieces(house: House) -> None:
    account, reader = await house.account(), house.store.reader
    first, second, third = [await submission(house, account) for _ in range(3)]
    since = await submissions.modseq(reader, "email_submission", account)
    await house.do(DropSubmission(account=account, n=first), Done)
    fourth = await submission(house, account)
    moved = await submissions.moved(reader, "email_submission", account, since, 1)
    assert (moved.destroyed, moved.created, moved.more) == ([first], [], True)
    moved = await submissions.moved(reader, "email_submission", account, moved.modseq, 1)
    assert (moved.destroyed, moved.created, moved.more) == ([], [fourth], False)
    assert [one.n for one in await submissions.latest(reader, account, 9)] == [
        fourth,
        third,
        second,
    ]


async def test_nobody_undoes_what_is_not_in_the_queue_or_anothers(house: House) -> None:
    account, other = await house.account(), await house.account()
    n = await submission(house, account)
    assert await house.refused(CancelSubmission(account=account, n=n)) == "cannot-unsend"
    assert await house.refused(CancelSubmission(account=other, n=n)) == "no-such-submission"
    assert await house.refused(DropSubmission(account=other, n=n)) == "no-such-submission"


async def test_they_go_with_their_account(house: House) -> None:
    account = await house.account()
    await submission(house, account)
    await house.do(PutIdentity(account=account, address="a@x", state=b"{}"), Done)
    await house.do(DeleteAccount(account=account), Done)
    while (await house.do(PurgeAccount(account=account), Done)).more:
        pass
    assert await house.rows("SELECT n FROM identity") == []
    assert await house.rows("SELECT n FROM email_submission") == []


async def test_what_nobody_took_was_not_submitted(house: House) -> None:
    account, full = await house.account(), await house.account(quota=1)
    (filed,) = (await house.do(delivery(account, full), Delivered)).filed
    assert filed.refused == "over-quota"
    assert await house.rows("SELECT n FROM email_submission") == []
    good = await house.account()
    await house.do(delivery(account, full, good), Delivered)
    # Nothing of it is in the queue, so nothing more comes of it.
    assert await house.rows("SELECT account, trace, ended FROM email_submission") == [
        (account, 7, 1)
    ]
    assert not await submissions.some_moved(house.store.reader, account)
    assert (await house.do(NoteProgress(account=account), Done)).count == 0
