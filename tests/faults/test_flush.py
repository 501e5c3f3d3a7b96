"""A write or flush that fails: the writer ends, is replaced, and what it had not answered is done once.

In the process, every single write and flush of a few commits fails in turn; on a running server a limit
on the size of files makes its writer's next write fail.
"""

import asyncio
import base64
import contextlib
import random
import resource
from collections.abc import Iterator
from pathlib import Path

import apsw
import psutil
import pytest

from malleposte.store.batch import Submission, decode_result
from malleposte.store.commands import AnyCommand, CreateAccount, CreateDomain
from malleposte.store.committer import CommitFailed, Committer
from malleposte.store.dialect import drive
from malleposte.store.errors import TemporaryFailure
from malleposte.store.fsck import check
from malleposte.store.results import Created
from support import mailbox, processes
from support.server import PASSWORD, Server
from support.store import deliver


class Plan:
    """Which operation on the files fails; after it all do, as for a process that is gone."""

    def __init__(self) -> None:
        self.armed = False
        self.operation = ""
        self.left = 0
        self.dead = False

    def arm(self, operation: str, at: int) -> None:
        self.armed, self.operation, self.left, self.dead = True, operation, at, False

    def disarm(self) -> None:
        self.armed = False

    def meet(self, operation: str) -> None:
        """Called before each operation. Raises ``apsw.IOError``."""
        if not self.armed:
            return
        if not self.dead and operation == self.operation:
            self.left -= 1
            self.dead = self.left == 0
        if self.dead:
            raise apsw.IOError(f"{operation} fails as planned")


class BadFile(apsw.VFSFile):
    """A file whose operations ask the plan first."""

    def __init__(self, plan: Plan, name: "str | apsw.URIFilename | None", flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._plan = plan

    def xWrite(self, data: bytes, offset: int) -> None:
        self._plan.meet("write")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._plan.meet("sync")
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:
        self._plan.meet("truncate")
        super().xTruncate(size)


class BadDisk(apsw.VFS):
    """The default file system of SQLite while a test runs."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("malleposte-bad-disk", "unix", makedefault=True)
        self._plan = plan

    def xOpen(self, name: "str | apsw.URIFilename | None", flags: list[int]) -> apsw.VFSFile:
        return BadFile(self._plan, name, flags)


@pytest.fixture
def plan() -> Iterator[Plan]:
    plan = Plan()
    disk = BadDisk(plan)
    yield plan
    disk.unregister()


def made(committer: Committer) -> int:
    """A domain and an account."""
    commands: tuple[AnyCommand, ...] = (
        CreateDomain(name="example.org"),
        CreateAccount(address="a@example.org", name="", password_hash="$", quota_bytes=0, role=""),
    )
    ids = []
    for seq, command in enumerate(commands, 1):
        (answer,) = committer.apply([Submission(1, seq, command)])
        assert isinstance(answer, bytes)
        result = decode_result(answer)
        assert isinstance(result, Created)
        ids.append(result.id)
    return ids[-1]


def abandon(committer: Committer) -> None:
    """As the end of its process would: every file is closed, nothing is written any more."""
    # Here, not in `close`: SQLite tries to copy the log into the file at the end of a connection.
    with contextlib.suppress(apsw.Error):
        committer.db.connection.close(True)
    committer.close()


@pytest.mark.parametrize("operation", ["write", "sync"])
def test_every_write_and_flush_fails_in_turn(plan: Plan, tmp_path: Path, operation: str) -> None:
    """Sent again to the next writer, each command is done once, whenever the first attempt failed."""
    folder = tmp_path / "data"
    committer = Committer(folder)
    account = made(committer)
    expected = 0
    failed = 0
    seq = 100
    for at in range(1, 400):
        batch = [Submission(7, seq + n, deliver(account)) for n in range(3)]
        seq += 3
        plan.arm(operation, at)
        met = False
        try:
            answers = committer.apply(batch)
            committer.rest(idle=True)
            met = plan.dead
            # A failure short of the commit is told as temporary; the worker answers 451.
            expected += sum(isinstance(answer, bytes) for answer in answers)
            assert all(isinstance(a, bytes | TemporaryFailure) for a in answers), answers
            if not met:
                plan.disarm()
                break
        except CommitFailed:
            failed += 1
            abandon(committer)
            plan.disarm()
            committer = Committer(folder)
            again = [Submission(s.origin, s.seq, s.command, again=True) for s in batch]
            answers = committer.apply(again)
            assert all(isinstance(answer, bytes) for answer in answers), answers
            expected += 3
        plan.disarm()
    else:
        raise AssertionError("the operation never ran out")
    row = drive(committer.db.row("SELECT count(*), max(uid) FROM membership"))
    assert row == (expected, expected)
    assert failed >= 1, "nothing failed: this shows nothing"
    findings = asyncio.run(examined(committer))
    assert findings == []
    committer.close()


async def examined(committer: Committer) -> list[object]:
    return [one async for one in check(committer.db, committer.blobs, deep=True)]


def test_a_running_writer_that_cannot_write_is_replaced(tmp_path: Path) -> None:
    server = Server(tmp_path)
    asyncio.run(server.prepare(2))
    server.start()
    try:
        for number in range(4):
            (writer,) = processes.wait_for(server, "writer")
            # Enough for its log, not for the message in the database's.
            resource.prlimit(writer.pid, resource.RLIMIT_FSIZE, (100_000, 100_000))
            noise = base64.encodebytes(random.Random(number).randbytes(150_000))
            text = f"Message-ID: <{number}@flush>\r\n\r\n".encode() + noise.replace(b"\n", b"\r\n")
            mailbox.fill(server, "u1@example.test", text)
            psutil.wait_procs([writer], timeout=10)
            assert not writer.is_running()
        found = mailbox.messages(server, "u1@example.test", PASSWORD)
        identities = [str(mailbox.parsed(octets)["Message-ID"]) for octets in found]
        assert identities == [f"<{number}@flush>" for number in range(4)]
        assert server.log.read_text().count("the writer stops: a commit failed") == 4
    finally:
        server.end()
