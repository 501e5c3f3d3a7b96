"""One run: subjects one after the other, their order swapped from repetition to repetition.

Only one server runs at a time. A piece of work that fails is named in the report and the others
go on; a subject that cannot be prepared is left out. Whatever happens, every server that was
started is ended, by process id, and the private folder is removed.
"""

import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from malleposte.bench.corpus import Corpus, read_corpus
from malleposte.bench.external import External
from malleposte.bench.measure import Bench, Sample
from malleposte.bench.options import (
    FEW,
    FLOOR,
    HUGE,
    IDLE,
    LOAD,
    READING,
    RECEIVING,
    SENDING,
    Options,
    check,
)
from malleposte.bench.ours import Malleposte
from malleposte.bench.peers import PostfixDovecot
from malleposte.bench.report import (
    Report,
    SubjectEntry,
    compare,
    doubts,
    measures_of,
    pairs,
)
from malleposte.bench.storage import filesystem, floor
from malleposte.bench.subject import Subject
from malleposte.bench.trouble import BenchTrouble, Unavailable
from malleposte.bench.work.growth import growth
from malleposte.bench.work.idle import idle
from malleposte.bench.work.many_mailboxes import many_mailboxes
from malleposte.bench.work.mixed import mixed
from malleposte.bench.work.notice import notice
from malleposte.bench.work.outbound import deferred, outbound
from malleposte.bench.work.reading import reading
from malleposte.bench.work.receiving import receiving
from malleposte.bench.work.windows import window, windows

# Load of the machine before a run above which figures are not the servers' alone.
QUIET_LOAD = 0.5

_LOADS: dict[str, Callable[[Bench], None]] = {
    "E8": notice,
    "LS1000": many_mailboxes,
    "MIX": mixed,
    "J1": window,
    "J2": windows,
    "S20": lambda bench: outbound(bench, "S20"),
    "Q1M": lambda bench: deferred(bench, "Q1M"),
}

Say = Callable[[str], None]
Make = Callable[[str, Path, Options], Subject]


def say_on_stderr() -> Say:
    """Progress, a line each with the seconds since now."""
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {text}", file=sys.stderr, flush=True)

    return say


def make_subject(name: str, folder: Path, options: Options) -> Subject:
    """The subject of that name, its files below `folder`."""
    if name == "sdbox":
        return PostfixDovecot("sdbox", folder)
    if name == "maildir":
        return PostfixDovecot("maildir", folder)
    if name == "external" and options.connect is not None:
        return External(options.connect, options.external_pids, options.external_data)
    if name == "malleposte-sqlite":
        return Malleposte("sqlite", folder)
    if name == "malleposte-sqlite-many":
        return Malleposte("sqlite", folder, extra_accounts=options.extra_accounts)
    if name == "malleposte-postgresql":
        return Malleposte("postgresql", folder, database=options.postgresql)
    raise BenchTrouble(f"unknown subject «{name}»")


def run(options: Options, say: Say | None = None, make: Make = make_subject) -> Report:
    """Do what `options` ask; `BenchTrouble` when nothing at all can be measured."""
    check(options)
    say = say or say_on_stderr()
    corpus = read_corpus(options.corpus)
    report = Report(datetime.now(UTC).isoformat(timespec="seconds"), environment(options, corpus))
    load = os.getloadavg()[0]
    if load > QUIET_LOAD:
        report.warnings.append(f"load {load:.2f} before the run: the machine was not idle")
    with _private_folder(options) as folder:
        if FLOOR in options.work:
            say("F: floor of disk and loopback")
            report.floor = floor(folder)
        subjects = _prepare(options, folder, report, say, make)
        if not subjects and set(options.work) != {FLOOR}:
            reasons = "; ".join(f"{name}: {why}" for name, why in report.left_out.items())
            raise BenchTrouble(f"no subject can take part. {reasons}")
        samples: dict[str, dict[int, list[Sample]]] = {one.name: {} for one in subjects}
        unseen = dict.fromkeys(samples, 0)
        for repetition in range(options.repetitions):
            order = subjects if repetition % 2 == 0 else subjects[::-1]
            report.order.append([subject.name for subject in order])
            for subject in order:
                at = f"{repetition + 1}/{options.repetitions} {subject.name}"

                def progress(text: str, at: str = at) -> None:
                    say(f"{at}: {text}")

                bench = Bench(subject, corpus, options.counts, repetition, progress)
                bench.unseen = unseen[subject.name]
                bench.imaptest = options.imaptest
                _measure(bench, options, report)
                unseen[subject.name] = bench.unseen
                samples[subject.name][repetition] = bench.samples
    _conclude(report, samples, options)
    return report


def _prepare(options: Options, folder: Path, report: Report, say: Say, make: Make) -> list[Subject]:
    ready: list[Subject] = []
    for name in options.subjects:
        say(f"preparing {name}")
        subject = make(name, folder / name, options)
        try:
            subject.prepare()
        except Unavailable as reason:
            say(f"{name} is left out: {reason}")
            report.left_out[name] = str(reason)
            continue
        ready.append(subject)
        entry = SubjectEntry(subject.name, subject.label, subject.durability, subject.ours)
        report.subjects.append(entry)
    return ready


def _measure(bench: Bench, options: Options, report: Report) -> None:
    """Start, do all the work, stop; failures are noted and do not spread."""
    wanted = set(options.work)
    who = f"{bench.subject.name}, repetition {bench.repetition + 1}"

    @contextmanager
    def noting(work: str) -> Iterator[None]:
        bench.say(work)
        try:
            yield
        except (BenchTrouble, OSError) as error:
            report.failures.append(f"{who}, {work}: {str(error) or type(error).__name__}")
            bench.say(f"{work} failed: {error}")

    try:
        with noting("start"):
            bench.subject.start()
            for work in RECEIVING:
                if work in wanted:
                    with noting(work):
                        receiving(bench, work)
            for work in IDLE:
                if work in wanted:
                    with noting(work):
                        idle(bench, work)
            if mailbox := wanted.intersection(READING):
                with noting("mailbox"):
                    reading(bench, frozenset(mailbox))
            for work in LOAD:
                if work in wanted:
                    with noting(work):
                        _LOADS[work](bench)
            if wanted.intersection(HUGE):
                with noting("growth"):
                    growth(bench)
            if "M1-huge" in wanted:
                with noting("M1-huge"):
                    idle(bench, "M1-huge")
            for work in SENDING:
                if work in wanted:
                    with noting(work):
                        _LOADS[work](bench)
    finally:
        with noting("stop"):
            bench.subject.stop()


def _conclude(
    report: Report, samples: dict[str, dict[int, list[Sample]]], options: Options
) -> None:
    for name, repetitions in samples.items():
        report.measures.extend(measures_of(name, repetitions))
    cpu: dict[tuple[str, str, str], dict[int, float]] = {}
    for name, repetitions in samples.items():
        for repetition, found in repetitions.items():
            for sample in found:
                if sample.cpu is not None:
                    key = (name, sample.work, sample.what)
                    cpu.setdefault(key, {})[repetition] = sample.cpu
    report.ratios = compare(report.measures, cpu, pairs(report.subjects))
    report.warnings.extend(doubts(report.measures, options.repetitions, FEW))


@contextmanager
def _private_folder(options: Options) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="malleposte-bench-", dir=options.folder))
    # Servers run as users of their own and must come through; they cannot list it.
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def environment(options: Options, corpus: Corpus) -> dict[str, str]:
    """The machine and the counts, for whoever reads the figures later."""
    processors = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    counts = options.counts
    return {
        "kernel": platform.release(),
        "processor": f"{os.cpu_count()} × {processors[0] if processors else platform.machine()}",
        "memory": f"{memory / 1024**3:.0f} GiB",
        "filesystem": filesystem(options.folder),
        "python": platform.python_version(),
        "corpus": f"{len(corpus):,} messages, {corpus.octets(len(corpus)):,} bytes",
        "messages": f"{counts.messages:,} in the mailbox, {counts.receive:,} a receiving run",
        "repetitions": str(options.repetitions),
        "root": "yes" if os.geteuid() == 0 else "no: caches dropped only for data files",
    }
