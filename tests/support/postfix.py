"""Debian's Postfix with a folder, addresses and ports of its own: mail that it takes lies in Maildirs.

It binds port 25 of several addresses, each of which behaves in another way, and so runs in a network of
its own. One of the machine itself is not touched.
"""

import contextlib
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from malleposte.bench.peer_configuration import PeerPlan, master_cf
from support.certificates import Issued
from support.programs import need

LARGEST = 30_000_000
"""Octets of a message."""
INSIDE = 2525
"""The port on loopback at which who is on the machine may send to anybody."""
_CLOSED = """\
closed unix - n n - - pipe
  user=nobody argv=/bin/sh -c { echo "this mailbox was closed"; exit 67 }
"""
"""A program that takes no mail (EX_NOUSER)."""


@dataclass(slots=True)
class Postfix:
    """See the module. ``address``: from where it sends; ``boxes``: local parts, the same at each domain;
    ``listening``: address → settings of main.cf that differ there; ``closed``: mailboxes that are found
    closed once their mail was taken."""

    folder: Path
    name: str
    address: str
    domains: Sequence[str]
    boxes: Sequence[str]
    shown: Issued
    listening: Mapping[str, Sequence[str]]
    closed: Sequence[str] = ()
    prefix: tuple[str, ...] = ()
    _master: int = field(default=0)

    @property
    def log(self) -> str:
        """What it wrote to its log."""
        path = self.folder / "postfix.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def deferring(self) -> Path:
        """A table of regular expressions, read for each connection: whom to put off, and in which words."""
        return self.folder / "deferring"

    def mail(self, address: str) -> list[bytes]:
        """What it filed for an address, oldest first, with the fields that it put in front."""
        local, _, domain = address.partition("@")
        folder = self.folder / "mail" / domain / local / "new"
        files = sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime_ns)
        return [path.read_bytes().replace(b"\n", b"\r\n") for path in files]

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Start it, and end it by its process ids."""
        self._prepare()
        configuration = self.folder / "etc"
        done = subprocess.run(
            [*self.prefix, need("postfix"), "-c", str(configuration), "start"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"Postfix did not start: {done.stdout!r}\n{self.log[-2000:]}"
        self._master = int((self.folder / "queue" / "pid" / "master.pid").read_text())
        try:
            yield
        finally:
            self._end()

    def _prepare(self) -> None:
        owner = pwd.getpwnam("postfix")
        for name in ("etc", "queue", "data", "mail"):
            (self.folder / name).mkdir(mode=0o755)
        for name in ("data", "mail"):
            os.chown(self.folder / name, owner.pw_uid, owner.pw_gid)
        self.shown.context(self.folder)
        (pair,) = self.folder.glob("*.pem")
        pair.chmod(0o600)
        self.deferring.write_text("")
        boxes = [(box, domain) for box in self.boxes for domain in self.domains]
        self.folder.joinpath("boxes").write_text(
            "".join(f"{box}@{domain} {domain}/{box}/\n" for box, domain in boxes)
        )
        self.folder.joinpath("etc", "main.cf").write_text(self._main(pair, owner))
        plan = PeerPlan(
            folder=self.folder,
            storage="maildir",
            smtp_port=INSIDE,
            lmtp_port=0,
            imap_port=0,
            uid=owner.pw_uid,
            gid=owner.pw_gid,
            password="",
        )
        lines = [master_cf(plan), _CLOSED]
        for address, settings in self.listening.items():
            options = "".join(f"\n  -o {{ {one} }}" for one in settings)
            place = f"[{address}]" if ":" in address else address
            lines.append(f"{place}:25 inet n - n - - smtpd{options}\n")
        self.folder.joinpath("etc", "master.cf").write_text("".join(lines))

    def _main(self, pair: Path, owner: pwd.struct_passwd) -> str:
        closed = ", ".join(f"{{ {one} = closed: }}" for one in self.closed)
        return f"""\
compatibility_level = 3.6
queue_directory = {self.folder}/queue
data_directory = {self.folder}/data
maillog_file = {self.folder}/postfix.log
maillog_file_prefixes = {self.folder}
syslog_name = postfix
myhostname = {self.name}
myorigin = {self.domains[0]}
mydestination =
inet_interfaces = {self.address}
inet_protocols = all
mynetworks = 127.0.0.0/8
notify_classes =
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = {", ".join(self.domains)}
virtual_mailbox_maps = texthash:{self.folder}/boxes
virtual_mailbox_base = {self.folder}/mail
virtual_uid_maps = static:{owner.pw_uid}
virtual_gid_maps = static:{owner.pw_gid}
virtual_minimum_uid = 1
virtual_mailbox_limit = 0
message_size_limit = {LARGEST}
transport_maps = inline:{{ {closed} }}
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_tls_chain_files = {pair}
smtpd_tls_security_level = may
smtpd_tls_received_header = yes
smtp_tls_security_level = dane
smtp_dns_support_level = dnssec
smtp_tls_loglevel = 1
"""

    def _end(self) -> None:
        """Its master, with what it started."""
        path = Path("/proc", str(self._master))
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._master, signal.SIGTERM)
        until = time.monotonic() + 10
        while path.exists() and time.monotonic() < until:
            time.sleep(0.02)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._master, signal.SIGKILL)
