"""Many commands in one transaction: each answered for itself, none executed twice, one bad one alone."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from malleposte.store import PermanentFailure, TemporaryFailure
from malleposte.store.batch import Submission, decode_result
from malleposte.store.commands import (
    AddJob,
    AnyCommand,
    CreateMailbox,
    PutSecret,
    RecordAudit,
    StoreFlags,
)
from malleposte.store.committer import Committer
from malleposte.store.postgres import open_pool
from malleposte.store.postgres_writer import PostgresWriter
from malleposte.store.results import AnyResult, Created, Delivered, Refused
from malleposte.store.sqlite import Sqlite
from support.store import ALL, House, append, deliver, inbox

Answer = AnyResult | TemporaryFailure | PermanentFailure


async def apply(house: House, submissions: Sequence[Submission]) -> list[Answer]:
    """Have submissions executed together, under keys of the test's choice."""
    writer = house.store.writer
    if house.place.dsn:
        assert isinstance(writer, PostgresWriter)
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[AnyResult]] = [loop.create_future() for _ in submissions]
        await writer._settle(
            [(s, f, loop.time() + 60) for s, f in zip(submissions, futures, strict=True)]
        )
        failures = [f.exception() for f in futures]
        return [f.result() if e is None else e for f, e in zip(futures, failures, strict=True)]  # type: ignore[misc]
    committer: Committer = writer._committer  # type: ignore[attr-defined]
    answers = committer.apply(list(submissions))
    return [decode_result(a) if isinstance(a, bytes) else a for a in answers]


def bad(account: int) -> AnyCommand:
    """A command that raises in both databases: no such value fits a column of 64 bits."""
    return AddJob(kind="k", key=str(account), payload=b"", run_at=1 << 80)


async def test_a_command_sent_again_is_answered_not_executed(house: House) -> None:
    account = await house.account()
    for command in (
        deliver(account),
        append(inbox(account)),
        CreateMailbox(actor=account, account=account, parent=0, path=("x",)),
        RecordAudit(actor="a", operation="o", target="t", outcome="done"),
    ):
        key = (9, hash(type(command)) & 0xFFFF)
        (first,) = await apply(house, [Submission(*key, command)])
        before = await house.snapshot()
        for _ in range(2):
            assert await apply(house, [Submission(*key, command, again=True)]) == [first]
        assert await house.snapshot() == before
    assert await house.value("SELECT count(*) FROM audit") == 1
    assert await house.uids(inbox(account)) == [1, 2]


async def test_a_command_sent_again_that_never_came_is_executed(house: House) -> None:
    account = await house.account()
    (answer,) = await apply(house, [Submission(9, 1, deliver(account), again=True)])
    assert isinstance(answer, Delivered)
    assert await house.uids(inbox(account)) == [1]


async def test_a_refusal_is_remembered_too(house: House) -> None:
    account = await house.account()
    command = CreateMailbox(actor=account, account=account, parent=0, path=("Sent",))
    (first,) = await apply(house, [Submission(9, 1, command)])
    assert isinstance(first, Refused)
    assert await apply(house, [Submission(9, 1, command, again=True)]) == [first]


async def test_some_of_a_batch_came_before(house: House) -> None:
    account = await house.account()
    commands = [deliver(account, data=b"%d" % n) for n in range(6)]
    first = await apply(house, [Submission(9, n, commands[n]) for n in (0, 2, 4)])
    both = await apply(house, [Submission(9, n, commands[n], again=True) for n in range(6)])
    assert [both[n] for n in (0, 2, 4)] == first
    assert await house.uids(inbox(account)) == [1, 2, 3, 4, 5, 6]
    assert sorted(a.filed[0].uid for a in both if isinstance(a, Delivered)) == [1, 2, 3, 4, 5, 6]


async def test_one_key_twice_in_a_batch_runs_once(house: House) -> None:
    """A worker whose connection broke sends all again while the first copies still wait."""
    account = await house.account()
    command = deliver(account)
    answers = await apply(
        house,
        [
            Submission(9, 1, command),
            Submission(9, 2, deliver(account)),
            Submission(9, 1, command, again=True),
        ],
    )
    assert answers[0] == answers[2]
    assert len(await house.uids(inbox(account))) == 2


async def test_keys_of_two_workers_do_not_meet(house: House) -> None:
    account = await house.account()
    await apply(house, [Submission(9, 1, deliver(account)), Submission(10, 1, deliver(account))])
    assert await house.uids(inbox(account)) == [1, 2]


@pytest.mark.parametrize("at", range(5))
async def test_one_bad_command_fails_alone(house: House, at: int) -> None:
    account = await house.account()
    commands: list[AnyCommand] = [
        deliver(account),
        append(inbox(account)),
        PutSecret(name="s", sealed=b"x", key_id="k"),
        deliver(account),
    ]
    commands.insert(at, bad(account))
    answers = await apply(house, [Submission(9, n, c) for n, c in enumerate(commands)])
    assert [isinstance(a, PermanentFailure) for a in answers] == [n == at for n in range(5)]
    assert len(await house.uids(inbox(account))) == 3
    assert await house.value("SELECT count(*) FROM secret") == 1


async def test_a_failed_command_leaves_no_result(house: House) -> None:
    account = await house.account()
    (answer,) = await apply(house, [Submission(9, 1, bad(account))])
    assert isinstance(answer, PermanentFailure)
    good = deliver(account)
    (answer,) = await apply(house, [Submission(9, 1, good, again=True)])
    assert isinstance(answer, Delivered)


async def test_commands_of_a_batch_see_each_other_in_order(house: House) -> None:
    account = await house.account()
    box = inbox(account)
    flag = StoreFlags(actor=0, mailbox=box, uids=ALL, mode="+", flags=1)
    make = CreateMailbox(actor=account, account=account, parent=0, path=("x",))
    commands: list[AnyCommand] = [deliver(account), flag, make, deliver(account), flag]
    answers = await apply(house, [Submission(9, n, c) for n, c in enumerate(commands)])
    made = answers[2]
    assert isinstance(made, Created)
    (late,) = await apply(house, [Submission(9, 9, append(made.id))])
    assert getattr(late, "uid", 0) == 1
    assert (await house.info(box)).unseen == 0
    assert await house.rows("SELECT flags FROM email ORDER BY id") == [(1,), (1,), (0,)]


async def test_deliveries_around_a_new_mailbox(house: House) -> None:
    """A mailbox looked for in vain earlier in the same transaction is found once it is made."""
    account = await house.account()
    number = await house.value("SELECT next_mailbox FROM account_head")
    coming = account << 32 | number
    make = CreateMailbox(actor=account, account=account, parent=0, path=("x",))
    commands: list[AnyCommand] = [
        deliver(account, mailbox=coming),
        make,
        deliver(account, mailbox=coming),
    ]
    answers = await apply(house, [Submission(9, n, c) for n, c in enumerate(commands)])
    mailboxes = [a.filed[0].mailbox for a in answers if isinstance(a, Delivered)]
    assert mailboxes == [inbox(account), coming]


# PostgreSQL, several nodes ------------------------------------------------------------------------

Opener = Callable[[], Awaitable[PostgresWriter]]


@pytest.fixture
async def nodes(house: House) -> list[PostgresWriter]:
    """Other nodes' writers on the same database; none on SQLite."""
    if not house.place.dsn:
        pytest.skip("one writer on SQLite")
    return [PostgresWriter(await open_pool(house.place.dsn, size=3)) for _ in range(3)]


async def test_the_same_new_content_from_many_nodes(
    house: House, nodes: list[PostgresWriter]
) -> None:
    """Two transactions insert one blob: the second must wait and use it, not bounce the mail."""
    accounts = [await house.account() for _ in range(4)]
    for n in range(15):
        data = b"newsletter %d" % n
        answers = await asyncio.gather(
            *(
                writer.submit(deliver(account, data=data))
                for writer in nodes
                for account in accounts
            )
        )
        assert all(isinstance(a, Delivered) and not a.filed[0].refused for a in answers)
    assert await house.value("SELECT count(*) FROM blob") == 15
    assert await house.value("SELECT count(*) FROM email") == 15 * 12
    for writer in nodes:
        await writer.close()
        await writer._pool.close()


async def test_nodes_over_the_same_accounts_do_not_deadlock_for_long(
    house: House, nodes: list[PostgresWriter]
) -> None:
    accounts = [await house.account() for _ in range(5)]

    async def work(writer: PostgresWriter, seed: int) -> None:
        for n in range(10):
            mine = [accounts[(seed + n + k) % 5] for k in range(3)]
            await writer.submit(deliver(*mine))
            await writer.submit(
                StoreFlags(actor=0, mailbox=inbox(mine[0]), uids=ALL, mode="+", flags=1 << n % 3)
            )

    await asyncio.gather(*(work(w, 2 * n + k) for n, w in enumerate(nodes) for k in range(3)))
    assert await house.value("SELECT count(*) FROM email") == 3 * 3 * 10 * 3
    for writer in nodes:
        await writer.close()
        await writer._pool.close()


def test_the_sqlite_reader_cannot_write(tmp_path: object) -> None:
    """Whoever parses hostile bytes cannot write the truth."""
    from pathlib import Path

    folder = Path(str(tmp_path))
    Committer(folder).close()
    reader = Sqlite(folder / "store.db", writable=False)
    with pytest.raises(TemporaryFailure, match="readonly"):
        asyncio.run(reader.run("DELETE FROM email"))
    reader.close()


async def test_what_came_in_the_same_batch_is_use_of_a_mailbox(house: House) -> None:
    """A mailbox that was never used may be moved (``CreateMailbox.claim``): not with mail that is on
    its way."""
    for first, reason in (("append", "in-use"), ("create", "")):
        account = await house.account()
        sent = await house.standard(account, "sent")
        create = CreateMailbox(
            actor=account, account=account, parent=0, path=("x",), role="sent", claim=sent
        )
        commands: list[AnyCommand] = [append(sent, actor=account), create]
        if first == "create":
            commands.reverse()
        answers = await apply(house, [Submission(account, n, c) for n, c in enumerate(commands, 1)])
        made = answers[commands.index(create)]
        assert made.reason == reason if isinstance(made, Refused) else not reason
        assert (await house.info(sent)).name == ("x" if first == "create" else "Sent")
        assert await house.uids(sent) == [1]
