"""Debian's Postfix and Dovecot as a subject, in a private folder on private ports.

Both are started by root from configuration files of the bench's own (`postfix -c DIR start`,
`dovecot -F -c FILE`), keep queue, sockets, logs and mail in that folder and are ended by the
process ids they wrote there. A Postfix or Dovecot of the machine itself is not touched. The mail
belongs to a numeric user id that no account of the machine has, so nothing has to be created and
nothing remains.

Only Dovecot 2.3 (Debian 12) takes part: 2.4 has other settings and other defaults, and a
comparison with figures of another version would be none. What is missing raises `Unavailable`
with the command that installs it; installing is not done here.
"""

import asyncio
import os
import pwd
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from malleposte.bench import our_queue, processes
from malleposte.bench.network import wait_for_greeting
from malleposte.bench.peer_configuration import (
    PeerPlan,
    Storage,
    dovecot_conf,
    main_cf,
    master_cf,
)
from malleposte.bench.smtp_client import letter, send
from malleposte.bench.storage import disk
from malleposte.bench.subject import Account, Accounts, Endpoint, Index, Service
from malleposte.bench.trouble import BenchTrouble, Unavailable
from malleposte.runtime.ports import free_ports

INSTALL = "apt-get install --no-install-recommends postfix dovecot-imapd dovecot-lmtpd"
_PROGRAMS = ("postfix", "postconf", "dovecot", "doveadm")
# Debian gives packages ids below 1000 and people ids above; systemd ends at 65519. Dovecot takes
# any id from 500 on (`first_valid_uid`).
_MAIL_IDS = range(60_500, 60_600)
# Indexing 20,000 messages with fts-xapian did not end in 4 minutes: give up there.
_INDEXING_LIMIT = 240.0
_START_LIMIT = 30.0

# What is flushed before OK, counted with strace on Debian 12 (mail_fsync = optimized).
_QUEUED = "Postfix fsyncs each message in its queue before 250; Dovecot then stores it again."
_FILED: Mapping[Storage, str] = {
    "sdbox": (
        "Dovecot: 3 fdatasync for each message of APPEND and LMTP, 2 for a whole COPY or EXPUNGE, "
        "none for STORE: its I7 is not durable when answered."
    ),
    "maildir": (
        "Dovecot: 1 fsync and 1 to 3 fdatasync for each message of APPEND and LMTP, 2 for a whole "
        "COPY, none for EXPUNGE and STORE: its I7 and I9 are not durable when answered."
    ),
}


def postfix_version(text: str) -> str:
    """`mail_version = 3.7.11` → `3.7.11`."""
    return text.strip().rpartition("=")[2].strip()


def dovecot_version(text: str) -> str:
    """`2.3.19.1 (9b53102964)` → `2.3.19.1`; any other release line is `Unavailable`."""
    version = text.strip().partition(" ")[0]
    if not re.fullmatch(r"2\.3\.\d+(\.\d+)?", version):
        raise Unavailable(
            f"Dovecot {version or 'of unknown version'} is installed; the comparison is defined "
            "for 2.3 (Debian 12) only and is left out"
        )
    return version


def _unused_id() -> int:
    for number in _MAIL_IDS:
        try:
            pwd.getpwuid(number)
        except KeyError:
            return number
    raise Unavailable(f"all user ids {_MAIL_IDS.start}–{_MAIL_IDS.stop - 1} are taken")


class PostfixDovecot:
    """Postfix → LMTP over a Unix socket → Dovecot with sdbox or maildir."""

    ours = False
    remembers_sign_in = False

    def __init__(self, storage: Storage, folder: Path) -> None:
        self.name: str = storage
        self.label = f"Postfix + Dovecot, {storage}"
        self.accounts = Accounts.made(password="bench")
        self.durability = f"{_QUEUED} {_FILED[storage]}"
        self._storage: Storage = storage
        self._folder = folder
        self._plan: PeerPlan | None = None
        self._dovecot: subprocess.Popen[bytes] | None = None
        self._postfix: processes.Stat | None = None

    def prepare(self) -> None:
        """Check programs and versions; write folders and configuration."""
        # Debian's sbin is not in everybody's PATH.
        os.environ["PATH"] += os.pathsep + "/usr/sbin:/sbin"
        missing = [program for program in _PROGRAMS if shutil.which(program) is None]
        if missing:
            raise Unavailable(f"not installed: {', '.join(missing)}. Install with: {INSTALL}")
        if os.geteuid() != 0:
            raise Unavailable("Postfix starts only for root: run the bench as root")
        dovecot = dovecot_version(_said("dovecot", "--version"))
        postfix = postfix_version(_said("postconf", "-d", "mail_version"))
        self.label = f"Postfix {postfix} + Dovecot {dovecot}, {self._storage}"
        # Looks harmless, breaks everything: Dovecot's sockets have at most 107 characters.
        if len(os.fsencode(self._folder)) > 70:
            raise Unavailable(f"{self._folder} is too long a name for Unix sockets below it")
        smtp, lmtp, imap = free_ports(3)
        number = _unused_id()
        plan = PeerPlan(
            folder=self._folder,
            storage=self._storage,
            smtp_port=smtp,
            lmtp_port=lmtp,
            imap_port=imap,
            uid=number,
            gid=number,
            password=self.accounts.reading.password,
        )
        self._plan = plan
        for folder in (plan.folder, plan.queue, plan.folder / "postfix", plan.homes):
            folder.mkdir(mode=0o755, exist_ok=True)
        os.chown(plan.homes, number, number)
        data = plan.folder / "postfix-data"
        data.mkdir(mode=0o700, exist_ok=True)
        owner = pwd.getpwnam("postfix")
        os.chown(data, owner.pw_uid, owner.pw_gid)
        (plan.folder / "postfix" / "main.cf").write_text(main_cf(plan))
        (plan.folder / "postfix" / "master.cf").write_text(master_cf(plan))
        (plan.folder / "dovecot.conf").write_text(dovecot_conf(plan))
        (plan.folder / "dovecot-index.conf").write_text(dovecot_conf(plan, index=True))

    def start(self) -> None:
        """Start Dovecot, then Postfix."""
        plan = self._ready_plan()
        self._start_dovecot("dovecot.conf")
        folder = plan.folder / "postfix"
        done = subprocess.run(
            ["postfix", "-c", str(folder), "start"],
            capture_output=True,
            timeout=_START_LIMIT,
            check=False,
        )
        if done.returncode != 0:
            said = done.stderr[-500:].decode(errors="replace")
            raise BenchTrouble(f"Postfix did not start: {said}{_tail(plan.folder / 'postfix.log')}")
        master = int((plan.queue / "pid" / "master.pid").read_text())
        self._postfix = processes.read_stat(master)
        wait_for_greeting(Endpoint("127.0.0.1", plan.smtp_port), b"220", _START_LIMIT)

    def stop(self) -> None:
        """End both by process id."""
        if self._postfix is not None:
            processes.end_tree(self._postfix.pid, self._postfix.started)
            self._postfix = None
        self._stop_dovecot()

    def endpoint(self, service: Service) -> Endpoint | None:
        """SMTP of Postfix, LMTP and IMAP of Dovecot."""
        plan = self._ready_plan()
        ports = {
            "smtp": plan.smtp_port,
            "submission": plan.smtp_port,
            "lmtp": plan.lmtp_port,
            "imap": plan.imap_port,
        }
        return Endpoint("127.0.0.1", ports[service]) if service in ports else None

    def roots(self) -> Sequence[int]:
        """The two master processes."""
        found = [] if self._postfix is None else [self._postfix.pid]
        return found if self._dovecot is None else [*found, self._dovecot.pid]

    def data_folders(self) -> Sequence[Path]:
        """The users' homes; Postfix's queue is empty when nothing is under way."""
        return [self._ready_plan().homes]

    def forget_memory(self) -> str:
        """Nothing to do: Dovecot keeps mailboxes in the session's process, which has ended."""
        return ""

    def forget_message_cache(self, account: Account, mailbox: str) -> str:
        """Remove `dovecot.index.cache` of the mailbox; its sessions must be closed."""
        home = self._ready_plan().homes / account.address
        for cache in home.rglob("dovecot.index.cache"):
            parent = cache.parent
            names = {parent.name, parent.parent.name}
            if names & {mailbox, f".{mailbox}"}:
                cache.unlink()
        return ""

    def build_index(self, account: Account, mailbox: str) -> Index | None:
        """Restart Dovecot with fts-xapian, if it is installed, and index the mailbox."""
        if not any(Path("/usr/lib/dovecot/modules").glob("lib*fts_xapian_plugin.so")):
            return None
        plan = self._ready_plan()
        self._stop_dovecot()
        self._start_dovecot("dovecot-index.conf")
        started = time.perf_counter()
        try:
            subprocess.run(
                ["doveadm", "-c", str(plan.folder / "dovecot-index.conf"), "index"]
                + ["-u", account.address, mailbox],
                capture_output=True,
                check=True,
                timeout=_INDEXING_LIMIT,
            )
        except subprocess.CalledProcessError as error:
            raise BenchTrouble(f"indexing failed: {error.stderr[-300:]!r}") from error
        except subprocess.TimeoutExpired as error:
            raise BenchTrouble(f"not indexed within {_INDEXING_LIMIT:.0f} s") from error
        seconds = time.perf_counter() - started
        folders = list((plan.homes / account.address).rglob("xapian-indexes"))
        return Index(seconds, disk(folders).apparent, "fts-xapian")

    def preload(self, sink: Endpoint, count: int, octets: int, waiting: int) -> str:
        """Received by SMTP and held; released while it is stopped, so that a start finds all of them."""
        if waiting:
            return "a long queue is made for ours only"
        plan = self._plan = replace(self._ready_plan(), sink=sink)
        folder = plan.folder / "postfix"
        (folder / "main.cf").write_text(main_cf(plan, hold=True))
        self.start()
        try:
            letters = [
                letter(f"x{n}@elsewhere.test", our_queue.message(n, octets)) for n in range(count)
            ]
            smtp = Endpoint("127.0.0.1", plan.smtp_port)
            asyncio.run(send(smtp, b"EHLO", letters, connections=8))
        finally:
            self.stop()
            (folder / "main.cf").write_text(main_cf(plan))
        _said("postsuper", "-c", str(folder), "-H", "ALL", seconds=300)
        return ""

    def queued(self) -> int:
        """Files of its queue."""
        queue = self._ready_plan().queue
        return sum(
            sum(1 for path in (queue / name).rglob("*") if path.is_file())
            for name in ("maildrop", "incoming", "active", "deferred")
        )

    def _ready_plan(self) -> PeerPlan:
        if self._plan is None:
            raise BenchTrouble("the peers were not prepared")
        return self._plan

    def _start_dovecot(self, configuration: str) -> None:
        plan = self._ready_plan()
        with (plan.folder / "dovecot.out").open("ab") as out:
            self._dovecot = subprocess.Popen(
                ["dovecot", "-F", "-c", str(plan.folder / configuration)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        try:
            wait_for_greeting(Endpoint("127.0.0.1", plan.imap_port), b"* OK", _START_LIMIT)
        except BenchTrouble as error:
            said = _tail(plan.folder / "dovecot.out") + _tail(plan.folder / "dovecot.log")
            raise BenchTrouble(f"Dovecot did not start: {said or error}") from error

    def _stop_dovecot(self) -> None:
        if self._dovecot is not None:
            stat = processes.read_stat(self._dovecot.pid)
            if stat is not None and stat.state != "Z":
                processes.end_tree(stat.pid, stat.started)
            self._dovecot.wait(10)
            self._dovecot = None


def _said(*command: str, seconds: float = 10) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    return done.stdout


def _tail(path: Path) -> str:
    return path.read_text(errors="replace")[-500:] if path.exists() else ""
