"""Faults of a test's own PostgreSQL: a backend killed, the whole server stopped at once and started, no
room on its disk."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
from collections.abc import Iterator

import asyncpg
import psutil

from support import disks, postgres


def kill_backend(server: postgres.Server, chance: random.Random) -> bool:
    """SIGKILL a process that serves a connection; the server then ends all and recovers from its log."""
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(server.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess, IndexError):
                if child.cmdline()[0].startswith("postgres: malleposte"):
                    found.append(child)
    if not found:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(chance.choice(found).pid, signal.SIGKILL)
        return True
    return False


def restart_at_once(server: postgres.Server) -> None:
    """Stop without a checkpoint, as a crash would, and start again. In the main thread only: the server
    ends with the thread that started it."""
    owner = server.folder.stat()
    server.process.send_signal(signal.SIGQUIT)
    server.process.wait(30)
    with (server.folder / "log").open("ab") as log:
        server.process = subprocess.Popen(
            server.process.args,
            cwd=server.folder,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=postgres._end_with_parent(os.getpid()),
            user=owner.st_uid,
            group=owner.st_gid,
            extra_groups=[] if os.geteuid() == 0 else None,
        )


@contextlib.contextmanager
def on_a_small_disk(server: postgres.Server, octets: int) -> Iterator[tuple[disks.Disk, str]]:
    """A tmpfs, and the DSN of a new database whose tables and indexes lie on it.

    PostgreSQL's log of transactions stays elsewhere: where that finds no room the server ends itself, and
    is away, which is another fault.
    """

    async def run(sql: str) -> None:
        connection = await asyncpg.connect(server.dsn("postgres"))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    owner = server.folder.stat()
    with disks.tmpfs(server.folder / "small", octets) as disk:
        os.chown(disk.path, owner.st_uid, owner.st_gid)
        asyncio.run(run(f"CREATE TABLESPACE small LOCATION '{disk.path}'"))
        dsn = asyncio.run(server.database(tablespace="small"))
        try:
            yield disk, dsn
        finally:
            asyncio.run(server.drop(dsn))
            asyncio.run(run("DROP TABLESPACE small"))
