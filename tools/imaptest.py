"""Runs imaptest, the IMAP tester of Dovecot's authors, against this server and against Dovecot.

    tools/imaptest.py DIR [--servers malleposte-sqlite,malleposte-postgresql,dovecot] [--secs 120]
    tools/imaptest.py DIR --no-scripts --secs 600 --kill-every 5

DIR is a built copy outside the repository (docs/imap-conformance.md says what is expected there).
Each server is a new one in a temporary folder, on free loopback ports, with the benchmark's
accounts, and is ended by its process id. First the scripted tests run, one process each, so that
none disturbs the next; then the stress mode, with its checking on. Every failed command and every
error is printed, and a table. With `--kill-every` workers and the writer are killed meanwhile; what
imaptest says of lost connections is no error then, every wrong answer still is. Exit codes: 0 no
failure but those that docs/imap-conformance.md excuses, 1 others, 2 nothing could be run.
"""

import argparse
import contextlib
import dataclasses
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from imaptest_results import (
    Score,
    read_exceptions,
    read_score,
    unexcused,
)

from malleposte.bench import processes
from malleposte.bench.corpus import read_corpus
from malleposte.bench.imaptest import (
    FINAL_WAIT,
    Stress,
    kinds,
    of_kills,
    read_stress,
    write_mbox,
)
from malleposte.bench.ours import Malleposte
from malleposte.bench.peers import PostfixDovecot
from malleposte.bench.subject import Account, Accounts, Endpoint, Service
from malleposte.bench.trouble import BenchTrouble, Unavailable

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/imap-conformance.md"
CORPUS = ROOT.parent / "shared/corpora/spam"
SCRIPT_LIMIT = 60.0
"""Seconds one script may take; imaptest itself gives up waiting for an answer after some."""
WIDTH = 800
"""Characters of a command or an answer that are printed."""


class Server(Protocol):
    """What is needed of a server under test; the benchmark's subjects fit."""

    @property
    def label(self) -> str: ...
    @property
    def accounts(self) -> Accounts: ...
    def prepare(self) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def endpoint(self, service: Service) -> Endpoint | None: ...
    def roots(self) -> Sequence[int]: ...


SERVERS: Mapping[str, Callable[[Path], Server]] = {
    "malleposte-sqlite": lambda folder: Malleposte("sqlite", folder),
    "malleposte-postgresql": lambda folder: Malleposte("postgresql", folder),
    "dovecot": lambda folder: PostfixDovecot("sdbox", folder),
    "dovecot-maildir": lambda folder: PostfixDovecot("maildir", folder),
}
OURS = ("malleposte-sqlite", "malleposte-postgresql")


@dataclass(frozen=True, slots=True)
class Copy:
    """A fetched and built copy: the program, and the folder of its scripts."""

    program: Path
    scripts: Path

    @classmethod
    def at(cls, folder: Path) -> "Copy":
        """Looks below `folder`. Raises `Unavailable`."""
        for base in (folder / "src", folder, folder / "src/src"):
            copy = cls((base / "imaptest").resolve(), (base / "tests").resolve())
            runs = copy.program.is_file() and os.access(copy.program, os.X_OK)
            if runs and copy.scripts.is_dir():
                return copy
        raise Unavailable(f"no built imaptest with its tests below {folder}")

    def names(self) -> list[str]:
        """The scripts, without what belongs to them."""
        return sorted(
            path.name
            for path in self.scripts.iterdir()
            if path.is_file() and not path.suffix and not path.name.startswith(".")
        )

    def needs(self, name: str) -> frozenset[str]:
        """Capabilities that a script asks for in its header."""
        found: set[str] = set()
        for line in (self.scripts / name).read_text(errors="replace").splitlines():
            key, colon, value = line.partition(":")
            if not line.strip() or not (colon or line.startswith("#")):
                break
            if key.strip().lower() == "capabilities":
                found.update(value.upper().split())
        return frozenset(found)


# Running ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Run:
    """One copy on one running server."""

    copy: Copy
    folder: Path
    server: Server
    options: Sequence[str] = ()
    where: Endpoint = field(init=False)

    def __post_init__(self) -> None:
        where = self.server.endpoint("imap")
        if where is None:
            raise Unavailable(f"{self.server.label} has no IMAP")
        self.where = where

    @property
    def account(self) -> Account:
        """Whose mailboxes the scripts use."""
        return self.server.accounts.receiving[0]

    def imaptest(self, words: Sequence[str], seconds: float) -> tuple[int, str]:
        """Runs it to its end; its exit code (-1: it did not end in time) and all it printed."""
        where, account = self.where, self.account
        process = subprocess.Popen(  # noqa: S603 (the copy that the caller named)
            [
                str(self.copy.program),
                *(f"host={where.host}", f"port={where.port}", f"pass={account.password}"),
                *words,
            ],
            cwd=self.folder,
            env={"HOME": str(self.folder), "PATH": "/usr/bin:/bin", "USER": "tester"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        # Apart: in one pipe what it says at once would stand amid rows of figures that it buffers.
        code = -1
        try:
            said, errors = process.communicate(timeout=seconds)
            code = process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            said, errors = process.communicate()
        except BaseException:
            process.send_signal(signal.SIGKILL)
            process.wait()
            raise
        return code, b"\n".join((said, errors)).decode(errors="replace")

    def script(self, name: str, have: frozenset[str]) -> Score:
        """One scripted test."""
        other = self.server.accounts.receiving[1]
        words = [f"user={self.account.address}", f"user2={other.address}"]
        _, said = self.imaptest([*words, f"test={self.copy.scripts / name}"], SCRIPT_LIMIT)
        return read_score(name, said, self.copy.needs(name) - have)

    def stress(self, seconds: int, clients: int, users: int) -> Stress:
        """The stress mode, its users' mailboxes shared by all clients."""
        mbox = self.folder / "stress.mbox"
        if not mbox.exists():
            corpus = read_corpus(CORPUS)
            count = write_mbox(mbox, corpus.messages(len(corpus)))
            say(f"  {count} messages of the corpus are appended")
        user = "u0@example.test" if users == 1 else "u%d@example.test"
        started = time.monotonic()
        code, said = self.imaptest(
            [
                *(f"user={user}", f"users=0-{users - 1}", f"mbox={mbox}", f"clients={clients}"),
                f"secs={seconds},{FINAL_WAIT}",
                *self.options,
            ],
            seconds + 2 * FINAL_WAIT,
        )
        (self.folder / "stress.out").write_text(said)
        return read_stress(said, min(time.monotonic() - started, float(seconds)), code)


@contextlib.contextmanager
def killing(server: Server, every: float) -> Iterator[Counter[str]]:
    """Kills a worker or the writer about so often while the block runs; counts them.

    Not the supervisor: imaptest gives a client up for ever whose connection is refused.
    """
    killed: Counter[str] = Counter()
    done = threading.Event()
    chance = random.Random(1)  # noqa: S311

    def run() -> None:
        while not done.wait(chance.uniform(0.5, 1.5) * every):
            found: dict[str, list[int]] = {}
            for stat in processes.tree(server.roots()):
                with contextlib.suppress(OSError):
                    words = Path(f"/proc/{stat.pid}/comm").read_text()
                    for name in ("worker", "writer"):
                        if words.startswith(f"malle:{name}"):
                            found.setdefault(name, []).append(stat.pid)
            if found:
                name = chance.choice(sorted(found))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chance.choice(found[name]), signal.SIGKILL)
                    killed[name] += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield killed
    finally:
        done.set()
        thread.join()


def capabilities(where: Endpoint, account: Account) -> frozenset[str]:
    """What the server offers after sign-in."""
    with socket.create_connection((where.host, where.port), timeout=10) as sock:
        file = sock.makefile("rwb")
        file.readline()
        login = f'a LOGIN "{account.address}" "{account.password}"\r\nb CAPABILITY\r\nc LOGOUT\r\n'
        file.write(login.encode())
        file.flush()
        lines = iter(file.readline, b"")
        found = [line for line in lines if line.upper().startswith(b"* CAPABILITY ")]
    return frozenset(found[-1].decode("ascii").upper().split()[2:]) if found else frozenset()


@contextlib.contextmanager
def running(kind: str, folder: Path) -> Iterator[Server]:
    """A new server of a kind while the block runs."""
    server = SERVERS[kind](folder)
    server.prepare()
    server.start()
    try:
        yield server
    finally:
        server.stop()


def say(words: str) -> None:
    """A line for the person who waits."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def shortened(words: str) -> str:
    """Words on one line; scripts have commands of 30 KB."""
    return words if len(words) <= WIDTH else f"{words[:WIDTH]} … ({len(words):,} characters)"


def load() -> str:
    """How busy the machine is."""
    return " ".join(f"{one:.1f}" for one in os.getloadavg())


def print_scores(
    label: str, scores: Sequence[Score], excused: Mapping[tuple[str, int], str]
) -> None:
    """Every failed command, then the table."""
    for score in scores:
        for failure in score.failures:
            mark = "excused" if (score.script, failure.number) in excused else "FAILED"
            say(f"  {mark} {score.script} {failure.number}: {shortened(failure.command)}")
            for line in failure.reason.splitlines():
                say(f"    {shortened(line)}")
    say(f"\n  {label}")
    for score in scores:
        words = ", ".join(sorted(score.missing))
        why = f"waits for {words}" if words else ""
        if score.failures:
            why = f"{len(score.failures)} of {score.commands} commands"
        say(f"  {score.script:<30} {score.state:<8} {why}")
    counted = Counter(score.state for score in scores)
    say("  " + ", ".join(f"{counted[state]} {state}" for state in ("passed", "failed", "skipped")))


def examine(kind: str, copy: Copy, options: argparse.Namespace) -> bool:
    """All runs on one server; whether none met what is not excused."""
    excused = read_exceptions(DOCUMENT.read_text(encoding="utf-8")) if kind in OURS else {}
    folder = Path(tempfile.mkdtemp(prefix="imaptest-", dir=options.folder))
    # Dovecot's mail belongs to a user of its own.
    folder.chmod(0o755)
    well = True
    try:
        with running(kind, folder / "s") as server:
            say(f"\n{server.label}; load {load()}")
            run = Run(copy, folder, server, options.option)
            if options.scripts:
                have = capabilities(run.where, run.account)
                names = [one for one in copy.names() if not options.only or one in options.only]
                scores = [run.script(name, have) for name in names]
                print_scores(server.label, scores, excused)
                well = not unexcused(scores, excused)
            if options.secs:
                with contextlib.ExitStack() as stack:
                    killed: Counter[str] = Counter()
                    if options.kill_every:
                        killed = stack.enter_context(killing(server, options.kill_every))
                    done = run.stress(options.secs, options.clients, options.users)
                if options.kill_every:
                    words = ", ".join(f"{n} × {name}" for name, n in sorted(killed.items()))
                    lost = sum(map(of_kills, done.errors))
                    say(f"  killed: {words or 'nothing'}; {lost} lines of lost connections")
                    errors = tuple(one for one in done.errors if not of_kills(one))
                    done = dataclasses.replace(done, errors=errors)
                    well = well and bool(killed)
                say(
                    f"  stress: {options.secs} s, {options.clients} clients, {options.users} users: "
                    f"{sum(done.totals.values())} commands, {done.rate:.0f}/s, "
                    f"{len(done.errors)} errors, {done.stalled} times stalled; load {load()}"
                )
                for kind_, count in kinds(done.errors).most_common(20):
                    say(f"    {count} × {kind_}")
                for error in done.errors[:20]:
                    say(f"    {error[:400]}")
                well = well and not done.errors
    finally:
        if options.keep:
            say(f"  everything is kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return well


def main(words: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(
        description="Runs a built copy of imaptest on private servers."
    )
    parser.add_argument("dir", type=Path, help="the copy: program and tests")
    parser.add_argument("--servers", default=",".join(OURS), help=f"of {', '.join(SERVERS)}")
    parser.add_argument("--only", action="append", default=[], help="a script; may be repeated")
    parser.add_argument("--no-scripts", dest="scripts", action="store_false")
    parser.add_argument("--secs", type=int, default=120, help="of stress, 0 for none (120)")
    parser.add_argument("--clients", type=int, default=50, help="of the stress mode (50)")
    parser.add_argument("--users", type=int, default=10, help="whose mailboxes, 1 to 10 (10)")
    parser.add_argument(
        "--kill-every",
        type=float,
        default=0,
        metavar="SECS",
        help="kill processes meanwhile (0: no)",
    )
    parser.add_argument("--option", action="append", default=[], help="one of imaptest's own")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="for data")  # noqa: S108
    parser.add_argument("--keep", action="store_true", help="keep folder and logs")
    options = parser.parse_args(words)
    try:
        copy = Copy.at(options.dir)
        kinds_ = [kind.strip() for kind in options.servers.split(",")]
        if unknown := set(kinds_) - SERVERS.keys():
            raise Unavailable(f"no such server: {', '.join(sorted(unknown))}")
        well = True
        for kind in kinds_:
            well = examine(kind, copy, options) and well
    except BenchTrouble as trouble:
        sys.stderr.write(f"{trouble}\n")
        return 2
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
