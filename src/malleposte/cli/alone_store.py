"""The store of the helper process: its only process, with commands gathered into commits.

As ``store.alone``, but what waits shares a transaction and a flush, as in the writer process, and the
commit runs in a thread, so that messages are parsed meanwhile: an import is several times faster.
"""

import asyncio
import contextlib
import os
import secrets
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from malleposte.store import Store
from malleposte.store.batch import Submission, decode_result
from malleposte.store.commands import AnyCommand
from malleposte.store.committer import Answer, CommitFailed, Committer
from malleposte.store.incoming import IncomingSettings
from malleposte.store.results import AnyResult
from malleposte.store.sqlite import Sqlite
from malleposte.store.views import Views

MAX_BATCH = 256
"""Commands in a transaction; past some 128 the flush is paid off (design, §3)."""


class GatheringWriter:
    """Executes commands durably, several in a commit. Belongs to one event loop."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._waiting: deque[tuple[Submission, asyncio.Future[AnyResult]]] = deque()
        self._committing: asyncio.Task[None] | None = None
        self._origin = secrets.randbits(62)
        self._seq = 0
        self._settled = 0
        self._failed: CommitFailed | None = None

    async def submit(self, command: AnyCommand, fd: int | None = None) -> AnyResult:
        """See ``store.Writer``. Once a commit has failed every command does."""
        self._seq += 1
        future: asyncio.Future[AnyResult] = asyncio.get_running_loop().create_future()
        # The caller may give up and close its descriptor while the command is under way.
        own = None if fd is None else os.dup(fd)
        self._waiting.append((Submission(self._origin, self._seq, command, fd=own), future))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit())
        return await future

    async def _commit(self) -> None:
        loop = asyncio.get_running_loop()
        # Let the commands of this turn of the loop gather first.
        await asyncio.sleep(0)
        while self._waiting:
            taken = min(MAX_BATCH, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(taken)]
            submissions = [submission for submission, _ in batch]
            try:
                answers = await loop.run_in_executor(
                    self._pool, self._apply, submissions, {self._origin: self._settled}
                )
            except Exception as error:  # noqa: BLE001 - handed to whoever waits
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            finally:
                for submission in submissions:
                    if submission.fd is not None:
                        os.close(submission.fd)
            self._settled = submissions[-1].seq
            for (_, future), answer in zip(batch, answers, strict=True):
                if future.done():
                    continue
                if isinstance(answer, bytes):
                    future.set_result(decode_result(answer))
                else:
                    future.set_exception(answer)

    def _apply(self, submissions: list[Submission], acked: dict[int, int]) -> list[Answer]:
        if self._failed is not None:
            raise self._failed
        try:
            return self._committed(submissions, acked)
        except CommitFailed as error:
            self._failed = error
            raise

    def _committed(self, submissions: list[Submission], acked: dict[int, int]) -> list[Answer]:
        answers = self._committer.apply(submissions, acked)
        self._committer.rest(idle=False)
        return answers

    async def close(self) -> None:
        """Finish what is under way."""
        if self._committing is not None:
            await asyncio.wait([self._committing])
        self._pool.shutdown()


class _Clock:
    def __init__(self, db: Sqlite) -> None:
        self._db = db

    def moved(self) -> int | None:
        return self._db.data_version()


@contextlib.asynccontextmanager
async def alone(folder: Path, *, reserve: int, percent: int) -> AsyncIterator[Store]:
    """The store in ``folder`` as this process's own. Raises ``WriterRunning``."""
    committer = Committer(folder, reserve=reserve, percent=percent)
    try:
        db = Sqlite(folder / "store.db", writable=False)
        writer = GatheringWriter(committer)
        clock = _Clock(db)
        try:
            store = Store(db, writer, Views(db, clock), clock, folder / "blobs")
            store.incoming.keep(IncomingSettings(), committer.reserve)
            yield store
        finally:
            await writer.close()
            db.close()
    finally:
        committer.close()
