"""imaptest, the tester of Dovecot's authors, as far as it makes load: running a built copy, reading it.

The program lies outside the repository (docs/imap-conformance.md says how it is built).
"""

import email.policy
import os
import re
import resource
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path

from malleposte.bench.subject import Account, Endpoint
from malleposte.bench.trouble import BenchTrouble, Unavailable

LARGEST = 256 * 1024
"""Octets of the messages that it appends: few are larger, and they say no more."""
FINAL_WAIT = 30
"""Seconds it waits for its clients to leave."""

# Lines that are neither rows of figures nor words of theirs are errors, warnings or panics.
_FIGURES = re.compile(r"^(?:[A-Z][\w! ]+ *|[ \d%-]+(?:ms/cmd avg)?|[ \d]+\d+/ *\d+.*|Totals:|)$")
_STALLED = re.compile(r"^ - \d+ stalled for \d+ secs")
_NOTES = re.compile(r"^(?:Info|Debug): ")
# What a client says whose server process was killed, or which was told that the store is away.
_OF_KILLS = re.compile(
    r"Client disconnected: |connect\(\) failed: |\[UNAVAILABLE\]|APPEND failed: .*(?:reset|Broken pipe)"
)


@dataclass(frozen=True, slots=True)
class Stress:
    """What the stress mode did: commands by imaptest's names for them, errors as printed."""

    seconds: float
    totals: dict[str, int]
    errors: tuple[str, ...] = ()
    stalled: int = 0

    @property
    def rate(self) -> float:
        """Commands a second."""
        return sum(self.totals.values()) / self.seconds if self.seconds else 0.0


def read_stress(output: str, seconds: float, code: int = 0) -> Stress:
    """Totals and errors in what the stress mode printed."""
    lines = output.splitlines()
    totals: dict[str, int] = {}
    for at, line in enumerate(lines):
        if line.strip() == "Totals:":
            names = lines[at + 1].split()
            rows = [one.split() for one in lines[at + 2 : at + 6] if "%" not in one and one.strip()]
            if rows:
                totals = dict(zip(names, map(int, rows[0]), strict=False))
    errors = [
        line
        for line in lines
        if line.strip()
        and not _FIGURES.match(line)
        and not _STALLED.match(line)
        and not _NOTES.match(line)
    ]
    if code:
        errors.append(f"imaptest ended with {code}")
    if not totals:
        errors.append("imaptest printed no totals")
    return Stress(seconds, totals, tuple(errors), sum(1 for one in lines if _STALLED.match(one)))


def of_kills(error: str) -> bool:
    """Whether an error says no more than that a connection was lost, or the store away."""
    return _OF_KILLS.search(error) is not None


def kinds(errors: Iterable[str]) -> Counter[str]:
    """How often each kind of error came: names and numbers in them do not count."""
    return Counter(re.sub(r"\d+", "N", error)[:100] for error in errors)


def write_mbox(target: Path, messages: Iterable[bytes]) -> int:
    """An mbox for the stress mode; how many messages went into it.

    It knows messages by their Message-ID, so each comes once, and those without one not at all.
    """
    known: set[str] = set()
    parser = BytesHeaderParser(policy=email.policy.compat32)
    with target.open("wb") as file:
        for message in messages:
            header = message.partition(b"\r\n\r\n")[0]
            ids = [
                re.fullmatch(r"\s*(<[\x21-\x7e]+@[\x21-\x7e]+>)\s*", str(value))
                for value in parser.parsebytes(header).get_all("Message-ID", [])
            ]
            if len(ids) != 1 or ids[0] is None or ids[0][1].lower() in known:
                continue
            if len(message) > LARGEST or b"\r" in message.replace(b"\r\n", b""):
                continue
            known.add(ids[0][1].lower())
            lines = re.sub(rb"^(>*From )", rb">\1", message, flags=re.MULTILINE)
            file.write(b"From tester@example.test Thu Jan 01 12:00:00 2026\r\n" + lines)
            file.write(b"" if lines.endswith(b"\r\n") else b"\r\n")
    return len(known)


def program_below(folder: Path) -> Path:
    """The built program below a folder. Raises `Unavailable`."""
    for base in (folder / "src", folder, folder / "src/src"):
        program = (base / "imaptest").resolve()
        if program.is_file() and os.access(program, os.X_OK):
            return program
    raise Unavailable(f"no built imaptest below {folder}")


@dataclass(frozen=True, slots=True)
class Mix:
    """Its default mix over some accounts, one mailbox in each, checking on."""

    program: Path
    folder: Path
    """For the files it needs."""
    mailbox: str
    clients: int
    seconds: int

    def run(
        self, endpoint: Endpoint, accounts: Iterable[Account], messages: Iterable[bytes]
    ) -> tuple[Stress, float]:
        """What it did, and the processor seconds that it took itself."""
        mbox, users = self.folder / "messages.mbox", self.folder / "users"
        write_mbox(mbox, messages)
        users.write_text("".join(f"{one.address}:{one.password}\n" for one in accounts))
        before = _children_cpu()
        words = [
            *(f"host={endpoint.host}", f"port={endpoint.port}", f"userfile={users}"),
            *(f"mbox={mbox}", f"box={self.mailbox}", f"clients={self.clients}"),
            f"secs={self.seconds},{FINAL_WAIT}",
        ]
        try:
            done = subprocess.run(
                [str(self.program), *words],
                cwd=self.folder,
                env={"HOME": str(self.folder), "PATH": "/usr/bin:/bin", "USER": "tester"},
                stdin=subprocess.DEVNULL,
                # Apart: in one pipe its words would stand amid rows of figures that it buffers.
                capture_output=True,
                timeout=self.seconds + 2 * FINAL_WAIT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BenchTrouble(f"imaptest: {error}") from error
        said = b"\n".join((done.stdout, done.stderr)).decode(errors="replace")
        return read_stress(said, float(self.seconds), done.returncode), _children_cpu() - before


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
