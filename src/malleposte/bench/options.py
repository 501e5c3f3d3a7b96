"""What a run is asked to do, as a value, and as words of a command line.

Every count has a bound: a slip of the finger must not fill a disk or run for a week.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from malleposte.bench.measure import Counts
from malleposte.bench.trouble import BenchTrouble

SUBJECTS = (
    "malleposte-sqlite",
    "malleposte-sqlite-many",
    "malleposte-postgresql",
    "sdbox",
    "maildir",
    "external",
)
RECEIVING = ("R1", "R8", "R32", "L1", "L8")
READING = ("I11", "D1", "I1", "I3", "I2", "I4", "I12", "I7", "I8", "I9", "I10", "I5", "I6", "I6x")
IDLE = ("M1", "M1-tls", "M1-deflate")
HUGE = ("growth", "M1-huge")
LOAD = ("E8", "LS1000", "MIX", "J1", "J2")
SENDING = ("S20", "Q1M")
FLOOR = "F"
# In the order in which they are done.
WORK = (FLOOR, *RECEIVING, *IDLE, *READING, *LOAD, *HUGE, *SENDING)
# What is left out unless it is named: long, or not offered by every subject.
DEFAULT_WORK = tuple(
    work for work in WORK if work not in (*HUGE, *LOAD, *SENDING, "M1-tls", "M1-deflate", "I6x")
)
MAX_REPETITIONS = 50
# 1,000,000 messages of the corpus are 5.5 GB in each subject.
MAX_MESSAGES = 1_000_000
# A machine has about 28,000 ephemeral ports; the work-list needs 200 connections.
MAX_CONNECTIONS = 2_000
# Enough for statistics: fewer repetitions are reported as orientation only.
FEW = 3


def _corpus() -> Path:
    """`../shared/corpora/spam` from the project's root, where this is run from a checkout."""
    return Path(__file__).resolve().parents[3].parent / "shared" / "corpora" / "spam"


@dataclass(frozen=True, slots=True)
class Options:
    """One run. `out` None writes no files; `folder` is on the disk that is to be measured."""

    subjects: tuple[str, ...] = ("malleposte-sqlite", "sdbox")
    work: tuple[str, ...] = DEFAULT_WORK
    repetitions: int = 3
    counts: Counts = field(default_factory=Counts)
    corpus: Path = field(default_factory=_corpus)
    folder: Path = Path("/var/tmp")
    out: Path | None = None
    keep: bool = False
    connect: Path | None = None
    external_pids: tuple[int, ...] = ()
    external_data: tuple[Path, ...] = ()
    postgresql: str = ""
    # Only for malleposte-sqlite-many: does a long list of accounts change anything?
    extra_accounts: int = 10_000
    # A built copy of imaptest, outside the repository, instead of the bench's own client in MIX.
    imaptest: Path | None = None


def check(options: Options) -> None:
    """Refuse unknown names and counts out of bounds with `BenchTrouble`."""
    for kind, given, known in (
        ("subject", options.subjects, SUBJECTS),
        ("work", options.work, WORK),
    ):
        for name in given:
            if name not in known:
                raise BenchTrouble(f"unknown {kind} «{name}»; known are {', '.join(known)}")
        if not given:
            raise BenchTrouble(f"no {kind} given")
    if len(set(options.subjects)) < len(options.subjects):
        raise BenchTrouble("a subject is named twice")
    if "external" in options.subjects and options.connect is None:
        raise BenchTrouble("the subject external needs --connect FILE")
    counts = options.counts
    bounds = (
        ("repetitions", options.repetitions, 1, MAX_REPETITIONS),
        ("messages", counts.messages, 10, MAX_MESSAGES),
        ("receive", counts.receive, 1, 100_000),
        ("huge", counts.huge, 10, MAX_MESSAGES),
        ("small", counts.small, 10, counts.huge),
        ("operations", counts.operations, 1, 100_000),
        ("idle", counts.idle, 1, MAX_CONNECTIONS),
        ("mailboxes", counts.mailboxes, 1, 100_000),
        ("clients", counts.clients, 1, MAX_CONNECTIONS),
        ("seconds", counts.seconds, 1, 86_400),
        ("queue", counts.queue, 10, 100_000),
        ("deferred", counts.deferred, 1, 5_000_000),
        ("extra-accounts", options.extra_accounts, 0, 100_000),
    )
    for name, value, least, most in bounds:
        if not least <= value <= most:
            raise BenchTrouble(f"--{name} {value:,}: must be {least:,} to {most:,}")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.replace(",", " ").split() if name)


def parse(argv: Sequence[str]) -> Options:
    """Read a command line; argparse ends the process for wrong words and for --help."""
    default = Options()
    parser = argparse.ArgumentParser(
        prog="malleposte bench",
        description="Measure this server beside Postfix + Dovecot, in one run.",
        epilog=f"work: {' '.join(WORK)}; subjects: {' '.join(SUBJECTS)}",
    )
    add = parser.add_argument
    add("--subjects", type=_names, default=default.subjects, metavar="NAMES")
    add("--work", type=_names, default=default.work, metavar="IDS")
    add("--repetitions", type=int, default=default.repetitions, metavar="N")
    for name, what in (
        ("messages", "in the large mailbox"),
        ("receive", "messages of a receiving run"),
        ("small", "messages of the small INBOX of growth"),
        ("huge", "messages of the large INBOX of growth"),
        ("operations", "operations of each kind in growth"),
        ("idle", "idle connections of M1"),
        ("mailboxes", "mailboxes of LS1000"),
        ("clients", "clients of MIX"),
        ("seconds", "seconds of MIX"),
        ("queue", "messages of S20"),
        ("deferred", "messages that wait, of Q1M"),
    ):
        value = getattr(default.counts, name)
        add(f"--{name}", type=int, default=value, metavar="N", help=f"{what} ({value:,})")
    add("--corpus", type=Path, default=default.corpus, metavar="FOLDER")
    add("--folder", type=Path, default=default.folder, help="on the disk to measure (/var/tmp)")
    add("--out", type=Path, default=None, metavar="FOLDER", help="for report.json, .txt and .svg")
    add("--keep", action="store_true", help="keep the servers' folders")
    add("--connect", type=Path, default=None, metavar="FILE", help="connect.json of external")
    add("--external-pids", type=int, nargs="*", default=(), metavar="PID")
    add("--external-data", type=Path, nargs="*", default=(), metavar="FOLDER")
    add(
        "--postgresql",
        default="",
        metavar="URL",
        help="an empty database, instead of one made by the bench",
    )
    add("--imaptest", type=Path, default=None, metavar="FOLDER", help="its built copy, for MIX")
    add("--extra-accounts", type=int, default=default.extra_accounts, metavar="N")
    given = parser.parse_args(argv)
    options = Options(
        subjects=given.subjects,
        work=given.work,
        repetitions=given.repetitions,
        counts=Counts(
            messages=given.messages,
            receive=given.receive,
            small=given.small,
            huge=given.huge,
            operations=given.operations,
            idle=given.idle,
            mailboxes=given.mailboxes,
            clients=given.clients,
            seconds=given.seconds,
            queue=given.queue,
            deferred=given.deferred,
        ),
        corpus=given.corpus,
        folder=given.folder,
        out=given.out,
        keep=given.keep,
        connect=given.connect,
        external_pids=tuple(given.external_pids),
        external_data=tuple(given.external_data),
        postgresql=given.postgresql,
        extra_accounts=given.extra_accounts,
        imaptest=given.imaptest,
    )
    check(options)
    return options
