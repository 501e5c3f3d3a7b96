"""Identities and submissions in the store: bounded, apart by account, gone with it."""

import pytest

from malleposte.store.commands import (
    AddSubmission,
    CancelSubmission,
    DeleteAccount,
    DropIdentity,
    DropSubmission,
    PurgeAccount,
    PutIdentity,
    SeedIdentities,
)
from malleposte.store.commands.submissions import MAX_OCTETS
from malleposte.store.execute import submissions as executing
from malleposte.store.read import submissions
from malleposte.store.results import Done
from support.store import House


def submission(account: int, trace: int = 7) -> AddSubmission:
    return AddSubmission(
        account=account, identity=1, email=2, thread=3, send_at=4, trace=trace, state=b"{}"
    )


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
    made = [(await house.do(submission(account), Done)).count for _ in range(4)]
    kept = await submissions.listed(house.store.reader, account)
    assert [one.n for one in kept] == made[2:]


async def test_what_changed_is_told_in_pieces(house: House) -> None:
    account, reader = await house.account(), house.store.reader
    first, second, third = [(await house.do(submission(account), Done)).count for _ in range(3)]
    since = await submissions.modseq(reader, "email_submission", account)
    await house.do(DropSubmission(account=account, n=first), Done)
    fourth = (await house.do(submission(account), Done)).count
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
    n = (await house.do(submission(account), Done)).count
    assert await house.refused(CancelSubmission(account=account, n=n)) == "cannot-unsend"
    assert await house.refused(CancelSubmission(account=other, n=n)) == "no-such-submission"
    assert await house.refused(DropSubmission(account=other, n=n)) == "no-such-submission"


async def test_they_go_with_their_account(house: House) -> None:
    account = await house.account()
    await house.do(submission(account), Done)
    await house.do(PutIdentity(account=account, address="a@x", state=b"{}"), Done)
    await house.do(DeleteAccount(account=account), Done)
    while (await house.do(PurgeAccount(account=account), Done)).more:
        pass
    assert await house.rows("SELECT n FROM identity") == []
    assert await house.rows("SELECT n FROM email_submission") == []
