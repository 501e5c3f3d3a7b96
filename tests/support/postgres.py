"""A real PostgreSQL for tests: Debian's programs in a temporary folder, never the system's service.

One server for each test process (so pytest-xdist needs no lock), with fsync as it comes: on. It listens
on a Unix socket in its own folder only, runs as an unprivileged user, is ended by its process id, and
by the kernel should this process be killed. A new database is a copy of one that was migrated once
(0.1 to 0.4 s); most tests take turns on one whose rows are deleted between them (5 ms).
"""

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg

from malleposte.store.postgres import migrate_postgres
from support.users import system_user

USER = "malleposte-test"
"""Whom the server runs as when the tests run as root; PostgreSQL refuses to run as root."""
TEMPLATE = "malleposte_template"
_PR_SET_PDEATHSIG = 1

_CLEAN = """
DO $$
DECLARE name text;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migration'
  LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
  FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'
  LOOP PERFORM setval(name::regclass, 1, false); END LOOP;
  INSERT INTO directory_head (id, version) VALUES (1, 1);
END $$
"""
"""Rows as after the migrations; triggers and foreign keys asleep, since the audit is append-only."""


class Missing(Exception):
    """PostgreSQL is not installed."""


def programs() -> Path:
    """The folder of the newest installed server's programs. Raises ``Missing``."""
    found = sorted(
        (path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()),
        key=lambda path: int(path.parent.name) if path.parent.name.isdigit() else 0,
    )
    if not found:
        raise Missing(
            "PostgreSQL is not installed (/usr/lib/postgresql/*/bin): apt-get install postgresql"
        )
    return found[-1]


def _runs_as() -> dict[str, Any]:
    """Arguments for ``subprocess`` that drop root's rights; the user is made if it is missing."""
    if os.geteuid() != 0:
        return {}
    entry = system_user(USER)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _end_with_parent(parent: int) -> Callable[[], None]:
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


class Server:
    """A running server. ``version`` is its major number, as 15 or 17."""

    def __init__(self) -> None:
        bin_ = programs()
        self.version = int(bin_.parent.name)
        self._as = _runs_as()
        self.folder = Path(tempfile.mkdtemp(prefix="mp-pg-", dir="/tmp"))
        if self._as:
            os.chown(self.folder, self._as["user"], self._as["group"])
        self._databases = 0
        self._shared = ""
        data = self.folder / "data"
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        made = subprocess.run(
            [
                bin_ / "initdb",
                *("-D", data, "-U", "malleposte", "-A", "trust", "-E", "UTF8"),
                *("--locale", "C.UTF-8", "--no-sync"),
            ],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            **self._as,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stdout}{made.stderr}")
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "max_connections": "60",
            "shared_buffers": "64MB",
            "log_min_messages": "warning",
        }
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [
                    bin_ / "postgres",
                    *("-D", data),
                    *(f"--{name}={value}" for name, value in settings.items()),
                ],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_end_with_parent(os.getpid()),
                **self._as,
            )
        try:
            # In a thread, for the test that asks first may run in a loop of its own.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(lambda: asyncio.run(self._make_template())).result()
        except BaseException:
            self.stop()
            raise

    def dsn(self, database: str) -> str:
        """Where a database is reached."""
        return f"postgresql://malleposte@/{database}?host={self.folder}"

    async def _make_template(self) -> None:
        until = time.monotonic() + 60
        while True:
            try:
                connection = await asyncpg.connect(self.dsn("postgres"))
                break
            except (OSError, asyncpg.CannotConnectNowError):
                if self.process.poll() is not None or time.monotonic() > until:
                    words = (self.folder / "log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"PostgreSQL did not start: {words}") from None
                await asyncio.sleep(0.05)
        await connection.execute(f"CREATE DATABASE {TEMPLATE}")
        await connection.close()
        await migrate_postgres(self.dsn(TEMPLATE))

    async def database(self, *, empty: bool = False, tablespace: str = "pg_default") -> str:
        """The DSN of a new database, migrated unless ``empty``; where its tables lie."""
        self._databases += 1
        name = f"test_{self._databases}"
        connection = await asyncpg.connect(self.dsn("postgres"))
        try:
            await connection.execute(
                f"CREATE DATABASE {name} TEMPLATE {'template0' if empty else TEMPLATE}"
                f" TABLESPACE {tablespace}"
            )
        finally:
            await connection.close()
        return self.dsn(name)

    async def cleaned(self) -> str:
        """The DSN of a database that is as a new one, for the test that runs now."""
        if not self._shared:
            self._shared = await self.database()
            return self._shared
        connection = await asyncpg.connect(self._shared)
        try:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await connection.execute(_CLEAN)
        except asyncpg.PostgresError:
            # A test that changed the schema: leave that database alone.
            self._shared = ""
            return await self.cleaned()
        finally:
            await connection.close()
        return self._shared

    async def drop(self, dsn: str) -> None:
        """Remove a database, also one that somebody is still connected to."""
        name = dsn.partition("@/")[2].partition("?")[0]
        connection = await asyncpg.connect(self.dsn("postgres"))
        try:
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        finally:
            await connection.close()

    def stop(self) -> None:
        """End the server and remove its folder."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
