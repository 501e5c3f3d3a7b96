"""A PostgreSQL of the bench's own, from Debian's programs, as Debian configures one.

It listens on a Unix socket in its own folder only, runs as Debian's user `postgres` when the bench
runs as root (PostgreSQL refuses to), flushes as it comes (`fsync` and `synchronous_commit` on), and
is ended by its process id. A PostgreSQL of the machine itself is not touched.
"""

import os
import pwd
import signal
import subprocess
import time
from pathlib import Path
from typing import IO

from malleposte.bench.trouble import BenchTrouble, Unavailable

INSTALL = "apt-get install --no-install-recommends postgresql"
_ROOT = Path("/usr/lib/postgresql")
_USER = "postgres"
_PATIENCE = 60.0


def _programs() -> Path:
    """The folder of the newest installed server's programs."""
    found = [
        path
        for path in _ROOT.glob("*/bin")
        if path.parent.name.isdigit() and (path / "initdb").exists()
    ]
    if not found:
        raise Unavailable(f"PostgreSQL is not installed. Install it with: {INSTALL}")
    return max(found, key=lambda path: int(path.parent.name))


class PrivatePostgres:
    """Made by `make`, running from `start` to `stop`. `version` is its major number, as 15."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.version = 0
        self.url = f"postgresql://malleposte@/malleposte?host={folder}"
        self._process: subprocess.Popen[bytes] | None = None
        self._owner: pwd.struct_passwd | None = None

    def make(self) -> None:
        """Make the cluster and its database. Raises `Unavailable` without the programs."""
        programs = _programs()
        self.version = int(programs.parent.name)
        if os.geteuid() == 0:
            try:
                self._owner = pwd.getpwnam(_USER)
            except KeyError as error:
                raise Unavailable(f"no user «{_USER}». Install with: {INSTALL}") from error
        self.folder.mkdir(mode=0o700)
        if self._owner is not None:
            os.chown(self.folder, self._owner.pw_uid, self._owner.pw_gid)
        self._run(
            *("initdb", "-D", "data", "-U", "malleposte", "-A", "trust", "-E", "UTF8"),
            *("--locale", "C.UTF-8", "--no-sync"),
        )
        self.start()
        try:
            self._run("createdb", "-h", str(self.folder), "-U", "malleposte", "malleposte")
        finally:
            self.stop()

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {"listen_addresses": "", "unix_socket_directories": str(self.folder)}
        words = [f"--{name}={value}" for name, value in settings.items()]
        with (self.folder / "log").open("wb") as log:
            self._process = self._popen([str(_programs() / "postgres"), "-D", "data", *words], log)
        until = time.monotonic() + _PATIENCE
        ready = [str(_programs() / "pg_isready"), "-q", "-h", str(self.folder)]
        while subprocess.run(ready, check=False).returncode != 0:
            if self._process.poll() is not None or time.monotonic() > until:
                said = (self.folder / "log").read_text(errors="replace")[-500:]
                raise BenchTrouble(f"PostgreSQL did not start: {said}")
            time.sleep(0.05)

    def stop(self) -> None:
        """A fast shutdown: sessions are ended, everything is written."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(_PATIENCE)
            self._process = None

    @property
    def pids(self) -> tuple[int, ...]:
        """Its postmaster, while it runs."""
        return () if self._process is None else (self._process.pid,)

    def _run(self, program: str, *words: str) -> None:
        with (self.folder / f"{program}.log").open("wb") as log:
            code = self._popen([str(_programs() / program), *words], log).wait(_PATIENCE)
        if code != 0:
            said = (self.folder / f"{program}.log").read_text(errors="replace")[-500:]
            raise Unavailable(f"{program} failed with {code}: {said}")

    def _popen(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        owner = self._owner
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=None if owner is None else owner.pw_uid,
            group=None if owner is None else owner.pw_gid,
            extra_groups=None if owner is None else [],
        )
