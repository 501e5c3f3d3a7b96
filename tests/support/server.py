"""A real server in a folder of its own: configuration, accounts, processes, figures.

It runs as `malleposte serve` does, as a process tree of its own; `stop` and `kill` go by process ids.
"""

import asyncio
import contextlib
import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil

from malleposte.runtime.passwords import Passwords, PasswordSettings
from malleposte.store import Store, alone, cluster
from malleposte.store.commands import CreateAccount, CreateDomain
from malleposte.store.results import Created

PASSWORD = "a quite long secret"
SERVICES = (
    *("smtp", "lmtp", "submission", "submissions", "imap", "imaps", "pop3", "pop3s"),
    *("managesieve", "http", "https"),
)


# Below the ports that outgoing connections get (32768 on, by Linux's default): those come and go. Processes
# that test side by side have ports of their own: a server that is stopped for a while finds its own free.
_SHARES = 8
_SHARE = int(os.environ.get("PYTEST_XDIST_WORKER", f"gw{os.getpid()}")[2:]) % _SHARES
_PORTS = itertools.cycle(
    random.Random(os.getpid()).sample(range(10_000 + _SHARE, 32_000, _SHARES), 2_000)
)


def free_port() -> int:
    """A loopback port nobody listens on now, and this process was not given before."""
    for port in itertools.islice(_PORTS, 2_000):
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


@dataclass(slots=True)
class Server:
    """See the module. `dsn` chooses PostgreSQL."""

    folder: Path
    dsn: str = ""
    workers: int = 2
    settings: dict[str, dict[str, str]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    prelude: str = ""
    """Python that the server's process runs first: a failure that cannot be made otherwise."""
    prefix: tuple[str, ...] = ()
    """Words in front of its command: where it is to run."""
    more: str = ""
    """The end of its configuration: listeners besides the usual ones."""

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "malleposte.toml"

    @property
    def log(self) -> Path:
        """What the server wrote to its standard error."""
        return self.folder / "log"

    def open_store(self) -> "contextlib.AbstractAsyncContextManager[Store]":
        """The store itself, while the server is not running (SQLite) or any time (PostgreSQL)."""
        if self.dsn:
            return cluster(self.dsn, self.data / "spool", size=4)
        return alone(self.data)

    async def prepare(self, accounts: int = 2, *, quota: int = 0) -> None:
        """Write the configuration, make the pair of keys, a domain and accounts u0 … u{n-1}."""
        from malleposte.runtime.tls_selfsigned import self_signed_pair

        self.data.mkdir(mode=0o700, parents=True)
        self.ports = {name: free_port() for name in (*SERVICES, "metrics")}
        self_signed_pair(self.data / "tls", "mail.example.test")
        self.configure()
        passwords = Passwords(PasswordSettings(memory_kib=8 * 1024, iterations=1))
        try:
            hashed = await passwords.hash(PASSWORD)
        finally:
            passwords.close()
        async with self.open_store() as store:
            await store.submit(CreateDomain(name="example.test"))
            for number in range(accounts):
                made = await store.submit(
                    CreateAccount(
                        address=f"u{number}@example.test",
                        name=f"User {number}",
                        password_hash=hashed,
                        quota_bytes=quota,
                        role="owner" if number == 0 else "",
                    )
                )
                assert isinstance(made, Created), made

    def configure(self) -> None:
        """Write the configuration; what runs already has read the old one."""
        self.config.write_text(self._toml())

    def _toml(self) -> str:
        sections: dict[str, dict[str, str]] = {
            "node": {
                "hostname": '"mail.example.test"',
                "data_dir": f'"{self.data}"',
                "run_dir": f'"{self.folder / "run"}"',
                "workers": str(self.workers),
                "drain": '"3s"',
            },
            "metrics": {"port": str(self.ports["metrics"])},
        }
        if self.dsn:
            sections["store"] = {"backend": '"postgres"', "dsn": f'"{self.dsn}"'}
        for name, keys in self.settings.items():
            sections.setdefault(name, {}).update(keys)
        lines = []
        for name, keys in sections.items():
            lines.append(f"[{name}]")
            lines += [f"{key} = {value}" for key, value in keys.items()]
        for service in SERVICES:
            lines += ["[[listeners]]", f'service = "{service}"', 'address = "127.0.0.1"']
            lines.append(f"port = {self.ports[service]}")
        return "\n".join(lines) + "\n" + self.more

    def start(self, *, patience: float = 30.0) -> None:
        """Start, and wait until the health page says that all is well."""
        code = (
            f"{self.prelude}\n"
            "import pathlib, sys; from malleposte.node.serve import serve\n"
            "sys.exit(serve(pathlib.Path(sys.argv[1])))"
        )
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, sys.executable, "-c", code, str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait(patience=patience)

    def wait(self, *, patience: float = 30.0) -> None:
        """Wait until the server answers."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"the server ended:\n{self.tail()}")
            with contextlib.suppress(OSError, ValueError):
                if self.health() and self._greets():
                    return
            time.sleep(0.05)
        raise AssertionError(f"the server did not come up:\n{self.tail()}")

    def _greets(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.ports["smtp"]), timeout=5) as sock:
            return sock.recv(100).startswith(b"220")

    def health(self) -> bool:
        """Whether the health page says that all is well."""
        url = f"http://127.0.0.1:{self.ports['metrics']}/health"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)

    def figures(self) -> str:
        """What Prometheus would read."""
        url = f"http://127.0.0.1:{self.ports['metrics']}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read().decode())

    def children(self) -> list[psutil.Process]:
        """The server's processes below the supervisor."""
        assert self.process is not None
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def named(self, words: str) -> list[psutil.Process]:
        """Children whose process name contains some words."""
        found = []
        for child in self.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if words in child.name():
                    found.append(child)
        return found

    def stop(self, *, patience: float = 30.0) -> int:
        """Ask it to stop; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(patience)
        self.process = None
        return code

    def kill(self) -> None:
        """Kill the supervisor; the kernel takes the others."""
        assert self.process is not None
        below = self.children()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        psutil.wait_procs(below, timeout=30)
        self.process = None

    def end(self) -> None:
        """Whatever state it is in: end it."""
        if self.process is not None:
            try:
                self.stop(patience=15)
            except subprocess.TimeoutExpired:
                self.kill()

    @contextlib.contextmanager
    def running(self, accounts: int) -> Iterator[Self]:
        """Prepare it with accounts, start it, and end it whatever happens."""
        asyncio.run(self.prepare(accounts))
        self.start()
        try:
            yield self
        finally:
            self.end()

    @contextlib.asynccontextmanager
    async def running_beside(self, accounts: int) -> AsyncIterator[Self]:
        """``running``, for a test that has a loop."""
        await self.prepare(accounts)
        await asyncio.to_thread(self.start)
        try:
            yield self
        finally:
            await asyncio.to_thread(self.end)

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""
