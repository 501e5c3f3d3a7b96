"""Jobs, leases, secrets, audit."""

import time
from types import SimpleNamespace

import msgspec
import pytest

from malleposte.store import PermanentFailure
from malleposte.store.commands import (
    AddJob,
    Audited,
    CreateDomain,
    FinishJob,
    LeaseJobs,
    PutSecret,
    RecordAudit,
    SetRights,
    TakeLease,
)
from malleposte.store.results import Created, Done, Leased, LeasedJob, LeaseTaken, Refused
from support.store import House, Place, inbox


def add(key: str, *, kind: str = "k", run_at: int = 0) -> AddJob:
    return AddJob(kind=kind, key=key, payload=key.encode(), run_at=run_at)


async def lease(
    house: House, holder: str = "h", *kinds: str, limit: int = 10
) -> tuple[LeasedJob, ...]:
    command = LeaseJobs(holder=holder, kinds=kinds or ("k",), limit=limit, seconds=60)
    return (await house.do(command, Leased)).jobs


async def test_a_job_waits_once_under_its_key(house: House) -> None:
    assert (await house.do(add("a"), Done)).count == 1
    assert (await house.do(add("a", run_at=99), Done)).count == 0
    assert await house.rows("SELECT key, payload, run_at FROM job") == [("a", b"a", 0)]


async def test_due_jobs_are_leased_in_order(house: House) -> None:
    now = house.clock.stop()
    for key, run_at in (("late", now), ("early", now - 5), ("not yet", now + 5)):
        await house.do(add(key, run_at=run_at), Done)
    await house.do(add("other", kind="other"), Done)
    jobs = await lease(house)
    assert [(j.key, j.payload, j.epoch, j.attempts) for j in jobs] == [
        ("early", b"early", 1, 1),
        ("late", b"late", 1, 1),
    ]
    assert await lease(house) == ()
    house.clock.turn(5)
    assert [j.key for j in await lease(house, "h", "k", "other", limit=1)] == ["other"]


async def test_a_job_of_a_holder_who_died_is_due_again(house: House) -> None:
    house.clock.stop()
    await house.do(add("a"), Done)
    (first,) = await lease(house, "one")
    house.clock.turn(60)
    (second,) = await lease(house, "two")
    assert (second.id, second.epoch, second.attempts) == (first.id, 2, 2)
    late = FinishJob(job=first.id, epoch=first.epoch)
    assert await house.refused(late) == "lease-lost"
    await house.do(FinishJob(job=second.id, epoch=second.epoch), Done)
    assert await house.rows("SELECT * FROM job") == []


async def test_a_job_that_failed_waits_for_its_next_try(house: House) -> None:
    house.clock.stop()
    await house.do(add("a"), Done)
    (job,) = await lease(house)
    await house.do(FinishJob(job=job.id, epoch=job.epoch, retry_in=30, error="x" * 5000), Done)
    assert await lease(house) == ()
    assert await house.rows("SELECT length(last_error), holder, until FROM job") == [(1000, "", 0)]
    house.clock.turn(30)
    ((again),) = await lease(house)
    assert again.attempts == 2


async def test_a_finished_job_can_be_added_again(house: House) -> None:
    await house.do(add("a"), Done)
    (job,) = await lease(house)
    await house.do(FinishJob(job=job.id, epoch=job.epoch), Done)
    assert (await house.do(add("a"), Done)).count == 1
    (again,) = await lease(house)
    assert again.id > job.id


async def test_a_named_lease_has_one_holder(house: House) -> None:
    now = house.clock.stop()

    async def take(holder: str) -> tuple[int, int]:
        taken = await house.do(TakeLease(name="n", holder=holder, seconds=60), LeaseTaken)
        return taken.epoch, taken.until

    assert await take("one") == (1, now + 60)
    assert await take("two") == (0, 0)
    house.clock.turn(30)
    assert await take("one") == (1, now + 90), "renewed"
    house.clock.turn(60)
    assert await take("two") == (2, now + 150), "a new holder is a new epoch"
    assert await take("one") == (0, 0)


async def test_secrets_are_kept_replaced_removed(house: House) -> None:
    for sealed in (b"one", b"two"):
        await house.do(PutSecret(name="dkim", sealed=sealed, key_id="k1"), Done)
    assert await house.rows("SELECT name, sealed, key_id FROM secret") == [("dkim", b"two", "k1")]
    assert (await house.do(PutSecret(name="dkim", sealed=b"", key_id=""), Done)).count == 1
    assert await house.rows("SELECT * FROM secret") == []
    assert (await house.do(PutSecret(name="dkim", sealed=b"", key_id=""), Done)).count == 0


async def test_a_fresh_secret_never_takes_anothers_place(house: House) -> None:
    await house.do(PutSecret(name="dkim", sealed=b"one", key_id="k1", fresh=True), Done)
    again = PutSecret(name="dkim", sealed=b"two", key_id="k1", fresh=True)
    assert await house.refused(again) == "exists"
    assert await house.value("SELECT sealed FROM secret") == b"one"


async def test_the_audit_only_grows(house: House) -> None:
    for n in range(2):
        await house.do(RecordAudit(actor="a", operation=f"op{n}", target="t", outcome="done"), Done)
    rows = await house.rows("SELECT operation, details FROM audit ORDER BY id")
    assert rows == [("op0", "{}"), ("op1", "{}")]
    statements = ["UPDATE audit SET actor = 'b'", "DELETE FROM audit"]
    if house.place.dsn:
        statements.append("TRUNCATE audit")
    for statement in statements:
        with pytest.raises((PermanentFailure, Exception), match="append-only"):
            await house.attempt(statement)
    assert len(await house.rows("SELECT * FROM audit")) == 2


async def test_an_act_and_its_line_are_there_together_or_not_at_all(house: House) -> None:
    line = RecordAudit(actor="local:0", operation="domain.add", target="x", outcome="done")
    made = await house.store.submit(Audited(act=CreateDomain(name="new.example"), line=line))
    assert isinstance(made, Created)
    again = await house.store.submit(Audited(act=CreateDomain(name="new.example"), line=line))
    assert isinstance(again, Refused)
    assert len(await house.rows("SELECT * FROM audit")) == 1
    broken = msgspec.structs.replace(line, outcome=None)  # which the column does not take
    with pytest.raises(PermanentFailure):
        await house.store.submit(Audited(act=CreateDomain(name="other.example"), line=broken))
    assert await house.rows("SELECT name FROM domain WHERE name = 'other.example'") == []


async def test_a_change_of_rights_adds_what_was_and_what_is_to_its_line(house: House) -> None:
    """Only the act can tell it: another may have changed it a moment before. It is no other act's."""
    owner, reader = await house.account(), await house.account()
    line = RecordAudit(
        actor="a", operation="mailbox.rights", target="t", outcome="done", details='{"who":"r"}'
    )
    for letters, mode in (("lr", "="), ("r", "-")):
        act = SetRights(
            actor=owner, mailbox=inbox(owner), grantee=reader, letters=letters, mode=mode
        )
        await house.do(Audited(act=act, line=line), Done)
    await house.do(Audited(act=CreateDomain(name="new.example"), line=line), Created)
    refused = SetRights(actor=reader, mailbox=inbox(owner), grantee=reader, letters="a")
    await house.do(Audited(act=refused, line=line), Refused)
    rows = await house.rows("SELECT details FROM audit ORDER BY id")
    assert [msgspec.json.decode(row[0]) for row in rows] == [
        {"who": "r", "before": "", "after": "lr"},
        {"who": "r", "before": "lr", "after": "l"},
        {"who": "r"},
    ]


@pytest.mark.postgres
@pytest.mark.parametrize("place", ["postgres"], indirect=True)
@pytest.mark.parametrize("wrong", [3600, -3600], ids=["ahead", "behind"])
async def test_leases_and_jobs_go_by_the_database_s_clock(
    place: Place, monkeypatch: pytest.MonkeyPatch, wrong: int
) -> None:
    """A node whose clock is wrong neither takes what another holds nor leaves what is due."""
    async with place.open() as store:
        for key, run_at in (("held", 0), ("due", 1), ("not yet", int(time.time()) + 600)):
            await store.submit(add(key, run_at=run_at))
        mine = await store.submit(TakeLease(name="n", holder="one", seconds=60))
        assert isinstance(mine, LeaseTaken)
        assert mine.epoch == 1
        leased = await store.submit(LeaseJobs(holder="one", kinds=("k",), limit=1, seconds=60))
        assert isinstance(leased, Leased)
        assert [job.key for job in leased.jobs] == ["held"]
        fake = SimpleNamespace(time=lambda: time.time() + wrong, monotonic=time.monotonic)
        monkeypatch.setattr("malleposte.store.postgres_writer.time", fake)
        taken = await store.submit(TakeLease(name="n", holder="two", seconds=60))
        assert taken == LeaseTaken(epoch=0, until=0)
        again = await store.submit(LeaseJobs(holder="two", kinds=("k",), limit=9, seconds=60))
        assert isinstance(again, Leased)
        (job,) = again.jobs
        assert job.key == "due"
        await store.submit(FinishJob(job=job.id, epoch=job.epoch, retry_in=300, error="x"))
        row = await store.reader.row(
            "SELECT run_at - extract(epoch FROM now()) FROM job WHERE key = 'due'"
        )
        assert row is not None
        assert 0 < row[0] <= 300
