"""PostgreSQL: what only several transactions at once, or a failing server, can do to the store."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from malleposte.store import PermanentFailure, TemporaryFailure
from malleposte.store.batch import Submission, execute
from malleposte.store.commands import (
    AddJob,
    ClaimRecent,
    PurgeRecoverable,
    Recover,
    SweepBlobs,
)
from malleposte.store.content import FRAME, in_file
from malleposte.store.errors import DatabaseDamaged, UnknownOutcome
from malleposte.store.postgres import PostgresTx, open_pool
from malleposte.store.postgres_writer import LANES, PostgresWriter
from malleposte.store.results import Claimed, Delivered, Done, Swept
from support.descriptors import exhausted
from support.postgres import Server
from support.store import Clock, House, Place, deliver, inbox

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("place", ["postgres"], indirect=True),
]

DAY = 86_400


@contextlib.asynccontextmanager
async def another(house: House) -> AsyncIterator[PostgresTx]:
    """A transaction of another node, under way; committed by the test or given up."""
    connection = await asyncpg.connect(house.place.dsn)
    try:
        await connection.execute("BEGIN")
        yield PostgresTx(connection)
    finally:
        await connection.close()


async def blocked(house: House, task: "asyncio.Task[Any]") -> None:
    """Wait until what a task does waits for a lock."""
    async with asyncio.timeout(10):
        while not await house.value(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ):
            assert not task.done(), task.result()
            await asyncio.sleep(0.005)


async def test_content_another_node_inserts_first(house: House) -> None:
    """One delivery alone, so that no halving of a batch helps: it must wait, look again and go on."""
    one, two = await house.account(), await house.account()
    async with another(house) as tx:
        await execute(tx, [Submission(5, 1, deliver(one, data=b"the same"))], 1)
        task = asyncio.create_task(house.do(deliver(two, data=b"the same"), Delivered))
        await blocked(house, task)
        await tx.connection.execute("COMMIT")
        assert (await task).filed[0].uid == 1
    assert await house.value("SELECT count(*) FROM blob") == 1
    assert await house.value("SELECT count(*) FROM email") == 2


async def test_how_long_a_command_waited_for_its_batch(house: House) -> None:
    """What is submitted while a transaction is under way waits for the next."""
    waited: list[float] = []
    one = await house.account()
    writer = PostgresWriter(await open_pool(house.place.dsn, size=3), waited=waited.append)
    async with another(house) as tx:
        await execute(tx, [Submission(5, 1, deliver(one))], 1)
        first = asyncio.create_task(writer.submit(deliver(one)))
        await blocked(house, first)
        second = asyncio.create_task(writer.submit(deliver(one)))
        await asyncio.sleep(0.1)
        await tx.connection.execute("COMMIT")
        await asyncio.gather(first, second)
    assert len(waited) == 2
    assert waited[0] >= 0
    assert waited[1] > 0.09
    await writer.close()
    await writer._pool.close()


async def test_content_a_sweep_is_taking_away(house: House) -> None:
    """A delivery that found it must not end with a message whose content is gone."""
    house.clock.stop()
    account = await house.account()
    await house.deliver(account, data=b"the same")
    await house.expunge(inbox(account), until=0)
    await house.do(PurgeRecoverable(), Done)
    house.clock.turn(3 * DAY)
    async with another(house) as tx:
        swept = await execute(tx, [Submission(5, 1, SweepBlobs())], int(house.clock.time()))
        assert swept.results
        task = asyncio.create_task(house.do(deliver(account, data=b"the same"), Delivered))
        await blocked(house, task)
        await tx.connection.execute("COMMIT")
        email = (await task).filed[0].email
    assert await house.bytes_of(email) == b"the same"


async def test_content_a_delivery_is_taking_back(house: House) -> None:
    """The other way round: the sweep that found it unused must leave it, and waits for nobody."""
    house.clock.stop()
    account = await house.account()
    await house.deliver(account, data=b"the same")
    await house.expunge(inbox(account), until=0)
    await house.do(PurgeRecoverable(), Done)
    house.clock.turn(3 * DAY)
    async with another(house) as tx:
        await execute(tx, [Submission(5, 1, deliver(account, data=b"the same"))], 1)
        # However long ago the delivery began.
        await tx.run("UPDATE blob SET touched_at = 0")
        async with asyncio.timeout(10):
            assert (await house.do(SweepBlobs(), Swept)).count == 0
        await tx.connection.execute("COMMIT")
    assert (await house.do(SweepBlobs(), Swept)).count == 0
    assert await house.value("SELECT count(*) FROM blob") == 1


async def test_an_email_recovered_while_it_is_due(house: House) -> None:
    """Whoever recovers first has it: the purge looks again once it holds the account."""
    account = await house.account()
    filed = await house.deliver(account)
    await house.expunge(inbox(account), until=0)
    async with another(house) as tx:
        command = Recover(actor=account, target=inbox(account), emails=(filed.email,))
        await execute(tx, [Submission(5, 1, command)], 1)
        task = asyncio.create_task(house.do(PurgeRecoverable(), Done))
        await blocked(house, task)
        await tx.connection.execute("COMMIT")
        assert (await task).count == 0
    assert await house.uids(inbox(account)) == [2]
    assert await house.bytes_of(filed.email)


async def test_the_same_key_at_once_on_two_connections(house: House) -> None:
    """The first try still commits somewhere when the second looks for its result in vain."""
    account = await house.account()
    writer = house.store.writer
    assert isinstance(writer, PostgresWriter)
    command = deliver(account)
    first = Submission(5, 1, command)
    async with another(house) as tx:
        outcome = await execute(tx, [first], 1)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        again = Submission(5, 1, command, again=True)
        task = asyncio.create_task(writer._settle([(again, future, 1e12)]))
        await blocked(house, task)
        await tx.connection.execute("COMMIT")
        await task
        assert outcome.results
        assert isinstance(future.result(), Delivered)
    assert await house.uids(inbox(account)) == [1]


# Commits whose outcome is unknown ---------------------------------------------------------------------


@pytest.fixture
async def own_house(postgres_server: Server, tmp_path: Path, clock: Clock) -> AsyncIterator[House]:
    """A house in a database of its own, whose schema a test may change."""
    dsn = await postgres_server.database()
    place = Place(tmp_path / "own", dsn)
    async with place.open() as store:
        house = House(store, place, clock)
        await house.domain("example.org")
        yield house
        if not house.damaged:
            assert await house.fsck() == []
    await postgres_server.drop(dsn)


WARN = """
CREATE SEQUENCE warnings;
CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF nextval('warnings') <= 2 THEN RAISE WARNING 'the standby was not waited for'; END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER warn AFTER INSERT OR UPDATE ON command_result
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION warn();
"""


async def test_a_warning_on_commit_is_no_success(own_house: House, place: Place) -> None:
    """RAISE at commit stands for "canceling wait for synchronous replication": sent again, run once."""
    account = await own_house.account()
    await own_house.attempt(WARN)
    answer = await own_house.do(deliver(account), Delivered)
    assert answer.filed[0].uid == 1
    assert await own_house.uids(inbox(account)) == [1]
    # The retry that found the result wrote it again: its commit is one that is waited for.
    assert await own_house.value("SELECT last_value FROM warnings") == 3


async def test_connections_that_break_lose_and_double_nothing(house: House) -> None:
    account = await house.account()
    answers: list[Delivered] = []
    broken = 0

    async def send(n: int) -> None:
        m = 0
        while broken < 6:
            m += 1
            command = deliver(account, data=b"%d %d" % (n, m))
            answers.append(await house.do(command, Delivered))

    async def break_connections() -> None:
        nonlocal broken
        connection = await asyncpg.connect(house.place.dsn)
        try:
            while broken < 6:
                # A new connection needs some time before its first transaction is through.
                await asyncio.sleep(0.1)
                rows = await connection.fetch(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
                    " current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
                )
                broken += bool(rows)
        finally:
            await connection.close()

    await asyncio.gather(break_connections(), *(send(n) for n in range(10)))
    given = sorted(a.filed[0].uid for a in answers)
    assert given == list(range(1, len(answers) + 1))
    assert await house.uids(inbox(account)) == given


async def test_a_database_that_is_away_too_long(
    own_house: House, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.store.postgres_writer.PATIENCE", 0.3)
    account = await own_house.account()
    async with another(own_house) as tx:
        await tx.run("LOCK TABLE account_head IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(UnknownOutcome):
            await own_house.do(deliver(account), Delivered)
    # It was not given up inside: now that it can, it takes effect, as an unknown outcome may.
    async with asyncio.timeout(10):
        while await own_house.uids(inbox(account)) != [1]:
            await asyncio.sleep(0.01)
    answer = await own_house.do(deliver(account), Delivered)
    assert answer.filed[0].uid == 2


# The writer's own -------------------------------------------------------------------------------------


async def test_a_caller_that_gave_up_before_its_turn_leaves_nothing(house: House) -> None:
    account = await house.account()
    writer = house.store.writer
    assert isinstance(writer, PostgresWriter)
    async with another(house) as tx:
        await tx.run("LOCK TABLE account_head IN ACCESS EXCLUSIVE MODE")
        busy = [asyncio.create_task(house.do(deliver(account), Delivered)) for _ in range(LANES)]
        await asyncio.sleep(0.05)
        late = asyncio.create_task(house.do(deliver(account), Delivered))
        await asyncio.sleep(0.01)
        late.cancel()
        with pytest.raises(asyncio.CancelledError):
            await late
        await tx.connection.execute("COMMIT")
    await asyncio.gather(*busy)
    await house.do(deliver(account), Delivered)
    assert await house.uids(inbox(account)) == [1, 2, 3]


async def test_a_descriptor_closed_too_soon_gives_no_one_elses_content(house: House) -> None:
    account = await house.account()
    data, other = os.urandom(FRAME + 1), os.urandom(FRAME + 2)
    what, descriptor = in_file(memoryview(data), house.store.blobs)
    async with another(house) as tx:
        await tx.run("LOCK TABLE account_head IN ACCESS EXCLUSIVE MODE")
        task = asyncio.create_task(house.store.submit(deliver(account, what=what), descriptor))
        await asyncio.sleep(0.05)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        os.close(descriptor)
        _, again = in_file(memoryview(other), house.store.blobs)
        assert again == descriptor, "the number was not used again: the test shows nothing"
        await tx.connection.execute("COMMIT")
    async with asyncio.timeout(10):
        while await house.uids(inbox(account)) != [1]:
            await asyncio.sleep(0.01)
    os.close(again)
    assert await house.bytes_of((await house.email(inbox(account), 1))["id"]) == data


async def test_no_descriptor_stays_open(house: House) -> None:
    account = await house.account()
    before = len(os.listdir("/proc/self/fd"))
    for n in range(5):
        what, descriptor = in_file(memoryview(os.urandom(FRAME + n + 1)), house.store.blobs)
        await house.do(deliver(account, what=what), Delivered, descriptor)
        os.close(descriptor)
    assert len(os.listdir("/proc/self/fd")) <= before + 3  # connections of the pool


async def test_bursts_and_pauses(house: House) -> None:
    """A lane that ends must not be counted on by whoever comes in that moment."""
    account = await house.account()
    for size in (1, 2, 3, 40, 1, 2):
        async with asyncio.timeout(20):
            await asyncio.gather(*(house.do(deliver(account), Delivered) for _ in range(size)))
    assert len(await house.uids(inbox(account))) == 49


async def test_what_waits_is_bounded(house: House) -> None:
    writer = house.store.writer
    assert isinstance(writer, PostgresWriter)
    account = await house.account()
    writer._room._commands = 3
    async with another(house) as tx:
        await tx.run("LOCK TABLE account_head IN ACCESS EXCLUSIVE MODE")
        tasks = [asyncio.create_task(house.do(deliver(account), Delivered)) for _ in range(9)]
        await asyncio.sleep(0.05)
        assert len(writer._unanswered) == 3
        await tx.connection.execute("COMMIT")
    await asyncio.gather(*tasks)
    assert len(await house.uids(inbox(account))) == 9


async def test_answered_results_are_not_kept(house: House) -> None:
    account = await house.account()
    for _ in range(13):
        await asyncio.gather(*(house.do(deliver(account), Delivered) for _ in range(100)))
    assert await house.value("SELECT count(*) FROM command_result") < 600


async def test_a_closed_writer_refuses(own_house: House, place: Place) -> None:
    writer = own_house.store.writer
    assert isinstance(writer, PostgresWriter)
    account = await own_house.account()
    task = asyncio.create_task(own_house.do(deliver(account), Delivered))
    await asyncio.sleep(0)
    await writer.close()
    assert (await task).filed[0].uid == 1
    with pytest.raises(TemporaryFailure):
        await own_house.store.submit(deliver(account))


@pytest.mark.parametrize("code", ["XX001", "XX002"])
async def test_damage_is_told_as_damage(house: House, code: str) -> None:
    """Whoever sends mail keeps it until a copy was put back."""
    with pytest.raises(DatabaseDamaged, match="put a copy back"):
        await house.store.reader.rows(
            f"DO $$ BEGIN RAISE EXCEPTION 'broken' USING ERRCODE = '{code}'; END $$"
        )


async def test_a_wrong_value_is_a_permanent_failure(house: House) -> None:
    with pytest.raises(PermanentFailure):
        await house.store.submit(AddJob(kind="k", key="k\0", payload=b"", run_at=1))


async def test_reads_of_a_database_that_is_away_are_temporary(
    own_house: House, place: Place
) -> None:
    await own_house.attempt("ALTER TABLE lease RENAME TO away")
    with pytest.raises(PermanentFailure):
        await own_house.rows("SELECT * FROM lease")
    await own_house.attempt("ALTER TABLE away RENAME TO lease")
    pool: asyncpg.Pool[Any] = own_house.store.reader.pool  # type: ignore[attr-defined]
    pool.terminate()
    with pytest.raises(TemporaryFailure):
        await own_house.rows("SELECT 1")
    own_house.damaged = True


async def test_no_free_descriptor_is_told_and_takes_no_room(house: House) -> None:
    writer = house.store.writer
    assert isinstance(writer, PostgresWriter)
    account = await house.account()
    what, descriptor = in_file(memoryview(os.urandom(FRAME + 1)), house.store.blobs)
    with exhausted(), pytest.raises(TemporaryFailure, match="Too many open files"):
        await house.store.submit(deliver(account, what=what), descriptor)
    assert writer._room.inside == 0
    assert writer._unanswered == set()
    await house.do(deliver(account, what=what), Delivered, descriptor)
    os.close(descriptor)


async def test_a_claim_of_recent_mail_wakes_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever idles hears of mail, not of who was told of it first."""
    account = await house.account()
    heard: list[set[int]] = []
    monkeypatch.setattr(house.store.writer, "_committed", heard.append)
    await house.deliver(account)
    assert heard == [{account}]
    await house.do(ClaimRecent(actor=account, mailbox=inbox(account), upto=1), Claimed)
    assert heard == [{account}]
