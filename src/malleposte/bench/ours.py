"""Malleposte itself as a subject: a private folder, bench accounts, plain loopback listeners.

`Commands` is the only place that knows how the command line is spelt and what the configuration
looks like; everything else here is starting, waiting and stopping. `MALLEPOSTE_…` variables of the
caller are not handed on: they would override the private configuration.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from malleposte.bench import our_queue, processes
from malleposte.bench.network import wait_for_greeting
from malleposte.bench.private_postgres import PrivatePostgres
from malleposte.bench.subject import Account, Accounts, Endpoint, Index, Service
from malleposte.bench.trouble import BenchTrouble, Unavailable
from malleposte.runtime.ports import free_ports

Dialect = Literal["sqlite", "postgresql"]

# A second start has to take under 3 s; the first one migrates.
_START_LIMIT = 30.0
_COMMAND_LIMIT = 120.0
# Long enough for any rule about passwords.
_PASSWORD = "bench-bench-bench"


@dataclass(frozen=True, slots=True)
class Commands:
    """How the server is set up and started. Adapt here, nowhere else."""

    folder: Path
    dialect: Dialect
    database: str
    smtp_port: int
    lmtp_port: int
    imap_port: int
    imaps_port: int
    submission_port: int
    metrics_port: int
    http_port: int
    sink: Endpoint | None = None
    """Where mail to others goes; None: nowhere."""

    @property
    def program(self) -> list[str]:
        """The command beside this interpreter: the bench measures the code that it came with."""
        return [str(Path(sys.executable).with_name("malleposte"))]

    @property
    def configuration_file(self) -> Path:
        """The file that `configuration` goes into."""
        return self.folder / "malleposte.toml"

    @property
    def data(self) -> Path:
        """Folder of all that is kept."""
        return self.folder / "data"

    def configuration(self) -> str:
        """Listeners on loopback, two workers (as many as processors in the README's machine).

        Limits that a client with all its connections on one address would meet are raised, as they
        are for the peers; nothing else differs from the defaults.
        """
        backend = "sqlite" if self.dialect == "sqlite" else "postgres"
        dsn = f'\ndsn = "{self.database}"' if self.dialect == "postgresql" else ""
        listeners = "".join(
            f"""
[[listeners]]
service = "{service}"
address = "127.0.0.1"
port = {port}
tls = "{tls}"
"""
            for service, port, tls in (
                ("smtp", self.smtp_port, "none"),
                ("lmtp", self.lmtp_port, "none"),
                ("imap", self.imap_port, "none"),
                ("imaps", self.imaps_port, "implicit"),
                ("submission", self.submission_port, "none"),
                ("http", self.http_port, "none"),
            )
        )
        sending = ""
        if self.sink is not None:
            # Two workers, 20 connections in all; mail may go to loopback, where the sink is.
            sending = """
[sending]
enabled = true
networks = "127.0.0.0/8"
connections_each = 10
"""
        return f"""\
[node]
hostname = "mx.example.test"
data_dir = "{self.data}"
run_dir = "{self.folder}/run"
workers = 2

[store]
backend = "{backend}"{dsn}

[smtp]
connections_per_address = 1000

[imap]
connections_per_account = 1000
connections_per_address = 1000

[metrics]
port = {self.metrics_port}
{sending}{listeners}"""

    def init(self) -> list[str]:
        """Make what the configuration names, and the domain `example.test`."""
        return [*self.program, "init", "--config", str(self.configuration_file)]

    def add_accounts(self) -> list[str]:
        """A list of accounts comes on standard input (see `account_list`)."""
        config = ["--config", str(self.configuration_file)]
        return [*self.program, "account", "add", "--from", "-", *config]

    @staticmethod
    def account_list(accounts: Sequence[Account], extra: int) -> str:
        """Accounts with their passwords, and `extra` more that nobody signs in to: hashing theirs
        would take minutes and measure nothing."""
        lines = ["address,password", *(f"{one.address},{one.password}" for one in accounts)]
        lines += [f"extra{number}@example.test," for number in range(extra)]
        return "\n".join(lines)

    def serve(self) -> list[str]:
        """Run in the foreground until SIGTERM."""
        return [*self.program, "serve", "--config", str(self.configuration_file)]


class Malleposte:
    """`malleposte serve` on SQLite or on PostgreSQL: a private one, unless a URL is given.

    The private one counts as part of the server in processor time, memory and disk; of one that is
    given by its URL the bench knows nothing. `extra_accounts` fills the account list (the growth
    figures must not depend on it).
    """

    ours = True
    remembers_sign_in = True

    def __init__(
        self,
        dialect: Dialect,
        folder: Path,
        *,
        database: str = "",
        extra_accounts: int = 0,
    ) -> None:
        self.name = f"malleposte-{dialect}" + ("-many" if extra_accounts else "")
        self.label = f"Malleposte, {dialect}"
        if extra_accounts:
            self.label += f", {extra_accounts:,} more accounts"
        self.accounts = Accounts.made(_PASSWORD)
        self.durability = {
            "sqlite": (
                "Malleposte on SQLite (WAL, synchronous=FULL): the commit is flushed before every "
                "250 and before every OK that changed something (APPEND, COPY, STORE, EXPUNGE)."
            ),
            "postgresql": (
                "Malleposte on PostgreSQL (fsync and synchronous_commit on): the commit's WAL is "
                "flushed before every 250 and before every OK that changed something."
            ),
        }[dialect]
        self._dialect: Dialect = dialect
        self._folder = folder
        self._database = database
        self._postgres: PrivatePostgres | None = None
        if dialect == "postgresql" and not database:
            self._postgres = PrivatePostgres(folder.with_name(f"{folder.name}-data"))
        self._extra_accounts = extra_accounts
        self._commands: Commands | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """`init`, then the accounts."""
        if self._postgres is not None:
            self._postgres.make()
            self._database = self._postgres.url
            self.label = f"Malleposte, PostgreSQL {self._postgres.version}"
        smtp, lmtp, imap, imaps, submission, metrics, http = free_ports(7)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        commands = Commands(
            self._folder,
            self._dialect,
            self._database,
            smtp_port=smtp,
            lmtp_port=lmtp,
            imap_port=imap,
            imaps_port=imaps,
            submission_port=submission,
            metrics_port=metrics,
            http_port=http,
        )
        self._commands = commands
        commands.configuration_file.write_text(commands.configuration())
        if self._postgres is not None:
            self._postgres.start()
        try:
            self._run(commands.init())
            accounts = commands.account_list(self.accounts.everyone(), self._extra_accounts)
            self._run(commands.add_accounts(), accounts)
        finally:
            if self._postgres is not None:
                self._postgres.stop()

    def start(self) -> None:
        """PostgreSQL if it is ours, then `serve`."""
        if self._postgres is not None:
            self._postgres.start()
        self._serve()

    def _serve(self) -> None:
        """`serve`, until SMTP, LMTP and IMAP greet."""
        commands = self._prepared()
        with (self._folder / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(
                commands.serve(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
            )
        try:
            for port, words in (
                (commands.smtp_port, b"220"),
                (commands.lmtp_port, b"220"),
                (commands.imap_port, b"* OK"),
            ):
                wait_for_greeting(Endpoint("127.0.0.1", port), words, _START_LIMIT)
        except BenchTrouble as error:
            tail = (self._folder / "serve.log").read_text(errors="replace")[-1000:]
            raise BenchTrouble(f"malleposte did not start: {error}\n{tail}") from error

    def stop(self) -> None:
        """End `serve`, then PostgreSQL."""
        self._end()
        if self._postgres is not None:
            self._postgres.stop()

    def _end(self) -> None:
        """SIGTERM to the supervisor, which drains; after 20 s the tree is killed by ids."""
        if self._process is None:
            return
        stat = processes.read_stat(self._process.pid)
        if stat is not None and stat.state != "Z":
            processes.end_tree(stat.pid, stat.started)
        self._process.wait(10)
        self._process = None

    def endpoint(self, service: Service) -> Endpoint | None:
        """The plain listeners and the metrics."""
        commands = self._prepared()
        ports = {
            "smtp": commands.smtp_port,
            "lmtp": commands.lmtp_port,
            "imap": commands.imap_port,
            "imaps": commands.imaps_port,
            "submission": commands.submission_port,
            "metrics": commands.metrics_port,
            "http": commands.http_port,
        }
        if service not in ports:
            return None
        url = f"http://127.0.0.1:{commands.metrics_port}/metrics" if service == "metrics" else ""
        return Endpoint("127.0.0.1", ports[service], url)

    def roots(self) -> Sequence[int]:
        """The supervisor, and PostgreSQL if there is one."""
        own = () if self._process is None else (self._process.pid,)
        return own if self._postgres is None else (*own, *self._postgres.pids)

    def data_folders(self) -> Sequence[Path]:
        """The data folder, and PostgreSQL's."""
        own = [self._prepared().data]
        return own if self._postgres is None else [*own, self._postgres.folder / "data"]

    def forget_memory(self) -> str:
        """Restart `serve`: workers keep views of mailboxes in memory."""
        self._end()
        self._serve()
        return ""

    def forget_message_cache(self, account: Account, mailbox: str) -> str:
        """There is none: what a listing shows is stored when a message is filed."""
        return ""

    def build_index(self, account: Account, mailbox: str) -> Index | None:
        """Not before there is a search index."""
        return None

    def preload(self, sink: Endpoint, count: int, octets: int, waiting: int) -> str:
        """By the store's own commands, without a server."""
        commands = self._commands = replace(self._prepared(), sink=sink)
        commands.configuration_file.write_text(commands.configuration())
        if self._postgres is not None:
            self._postgres.start()
        try:
            # Not the one who submits beside: there are bounds on what waits of one account.
            account = self.accounts.receiving[0].address
            our_queue.fill(commands.data, self._database, account, sink, count, octets)
            if waiting:
                our_queue.defer(commands.data, self._database, account, waiting, octets)
        finally:
            if self._postgres is not None:
                self._postgres.stop()
        return ""

    def queued(self) -> int:
        """As `malleposte queue list` counts."""
        config = ["--config", str(self._prepared().configuration_file)]
        words = [*self._prepared().program, "queue", "list", "--limit", "1", "--json", *config]
        done = subprocess.run(
            words, capture_output=True, timeout=60, check=True, env=_environment()
        )
        return int(json.loads(done.stdout)["waiting"])

    def _prepared(self) -> Commands:
        if self._commands is None:
            raise BenchTrouble(f"{self.name} was not prepared")
        return self._commands

    def _run(self, command: list[str], text: str = "") -> None:
        started = time.monotonic()
        try:
            done = subprocess.run(
                command,
                input=text.encode() + b"\n",
                capture_output=True,
                timeout=_COMMAND_LIMIT,
                check=False,
                env=_environment(),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"«{' '.join(command[:4])}»: {error}") from error
        if done.returncode != 0:
            said = (done.stderr or done.stdout)[-500:].decode(errors="replace")
            seconds = time.monotonic() - started
            raise Unavailable(
                f"«{' '.join(command[:4])}» failed after {seconds:.1f} s with "
                f"{done.returncode}: {said}"
            )


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MALLEPOSTE_")}
    return {**kept, "NO_COLOR": "1"}
