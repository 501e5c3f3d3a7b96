"""fsck, new UIDs and facts by operations: findings as parcels, repairs, and what the server says."""

import msgspec
import pytest

from malleposte.operations.errors import OperationError
from malleposte.operations.server_examine import Examine, Facts
from malleposte.operations.store_fsck import Examined, Found, Fsck
from malleposte.operations.store_renew import RenewUids, UidsRenewed
from malleposte.store.commands import AddJob, FinishJob, LeaseJobs, SetAlias
from malleposte.store.results import Leased
from support.store import House, inbox
from unit.operations.desk import Desk, Tape


async def examined(desk: Desk, **how: object) -> tuple[Examined, list[Found]]:
    tape = Tape()
    done = await desk.call("store.fsck", Fsck(**how), Examined, tape)  # type: ignore[arg-type]
    return done, [msgspec.json.decode(head, type=Found) for head, _ in tape.sent]


async def damage(house: House, account: int) -> None:
    async with house.place.raw() as tx:
        await tx.run("UPDATE mailbox SET messages = messages + 5 WHERE id = $1", inbox(account))


async def test_a_good_store_has_no_findings(house: House, desk: Desk) -> None:
    await house.fill(await house.account("ada"), 3)
    done, found = await examined(desk, deep=True)
    assert (done.found, done.remaining, found) == (0, 0, [])


async def test_findings_are_named_and_repaired(house: House, desk: Desk) -> None:
    account = await house.account("ada")
    await house.fill(account, 3)
    await damage(house, account)
    done, found = await examined(desk)
    assert done.found == len(found) > 0
    assert done.remaining == done.found
    assert {(f.address, f.repairable) for f in found} == {("ada@example.org", True)}
    repaired, _ = await examined(desk, repair=True)
    assert (repaired.repaired, repaired.remaining) == (repaired.found, 0)
    again, _ = await examined(desk, repair=True)
    assert again.found == 0


async def test_only_the_accounts_named(house: House, desk: Desk) -> None:
    ada, bob = await house.account("ada"), await house.account("bob")
    await damage(house, ada)
    done, _ = await examined(desk, addresses=("bob@example.org",))
    assert done.found == 0
    done, _ = await examined(desk, addresses=("ada@example.org",), repair=True)
    assert done.found > 0
    assert bob


async def test_an_fsck_nobody_waits_for_ends(house: House, desk: Desk) -> None:
    await house.account("ada")
    with pytest.raises(OperationError, match="went away"):
        await desk.call("store.fsck", Fsck(), Examined, Tape(gone=True))


async def test_new_uidvalidity_for_one_account_or_all(house: House, desk: Desk) -> None:
    ada, bob = await house.account("ada"), await house.account("bob")
    validity = "SELECT uidvalidity FROM mailbox WHERE id = $1"
    before = [await house.value(validity, inbox(one)) for one in (ada, bob)]
    one = await desk.call("store.renew-uids", RenewUids(address="ada@example.org"), UidsRenewed)
    assert (one.accounts, one.mailboxes) == (1, 6)
    assert await house.value(validity, inbox(ada)) > before[0]
    assert await house.value(validity, inbox(bob)) == before[1]
    every = await desk.call("store.renew-uids", RenewUids(), UidsRenewed)
    assert (every.accounts, every.mailboxes) == (2, 12)
    assert await house.value(validity, inbox(bob)) > before[1]
    numbers = await house.account("eve")
    assert numbers > 1 << 20, "accounts made since the copy may have any of the numbers before"


async def test_facts_for_the_doctor(house: House, desk: Desk) -> None:
    nobody = await desk.call("server.examine", Examine(), Facts)
    assert nobody.unreached == ("abuse@example.org", "postmaster@example.org")
    ada = await house.account("ada", role="owner")
    await desk.context.store.submit(SetAlias(address="info@example.org", accounts_=(ada,)))
    async with house.place.raw() as tx:
        await tx.run("DELETE FROM credential")
    facts = await desk.call("server.examine", Examine(), Facts)
    assert facts.unreached == ()
    assert facts.administrators == ("ada@example.org",)
    assert (facts.without_password, facts.without_password_first) == (1, ("ada@example.org",))
    assert facts.schema == facts.schema_known
    assert facts.dialect == house.place.dialect
    if facts.dialect == "postgres":
        assert facts.database["fsync"] in ("on", "off")
        assert facts.database["synchronous_commit"]


async def test_jobs_that_fail_again_and_again_are_facts(house: House, desk: Desk) -> None:
    await house.store.submit(AddJob(kind="k", key="x", payload=b"", run_at=0))
    for _ in range(3):
        (job,) = (
            await house.do(LeaseJobs(holder="h", kinds=("k",), limit=1, seconds=60), Leased)
        ).jobs
        await house.store.submit(
            FinishJob(job=job.id, epoch=job.epoch, retry_in=1, error="no luck")
        )
        house.clock.turn(1)
    facts = await desk.call("server.examine", Examine(), Facts)
    assert [(j.kind, j.key, j.attempts, j.error) for j in facts.failed_jobs] == [
        ("k", "x", 3, "no luck")
    ]
