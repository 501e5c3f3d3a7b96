"""Figures for Prometheus, from all processes.

Each process keeps its figures in files of its own in ``run_dir/metrics`` (prometheus-client's
multi-process mode); whichever worker is asked adds them up. ``name`` must run before
prometheus_client is imported, hence the imports inside functions here.
"""

import asyncio
import contextlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge, Histogram

log = structlog.get_logger("metrics")

FOLDER: Final = "metrics"
"""Below the folder of what runs: each process's figures."""

_DELAYS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
# Finer where the bounds of the loop are (20 ms a piece of work, p99 of 50 ms).
# By the names that prometheus_client gives its files: twice what they come to when every command was used.
_ROOM = {
    "counter": 32 * 1024,
    "gauge_livesum": 16 * 1024,
    "gauge_livemostrecent": 16 * 1024,
    "histogram": 256 * 1024,
}
_WAITS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 28_800.0, 86_400.0, 432_000.0)
_LATE = (0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0, 5.0)


def name(run_dir: Path) -> None:
    """Name the folder of figures, before prometheus_client is imported."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(run_dir / FOLDER)


def prepare(run_dir: Path) -> None:
    """Empty the folder of figures; once, in the supervisor, before the first fork."""
    folder = run_dir / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


@dataclass(slots=True)
class Figures:
    """The figures a process keeps."""

    loop_delay: "Histogram"
    loop_held: "Histogram"
    writer_wait: "Histogram"
    writer_queue: "Histogram"
    batch_commands: "Histogram"
    batch_seconds: "Histogram"
    accepted: "Counter"
    octets: "Counter"
    refused: "Counter"
    signins: "Counter"
    connections: "Gauge"
    imap_commands: "Histogram"
    pop3_commands: "Histogram"
    managesieve_commands: "Histogram"
    http_requests: "Histogram"
    http_responses: "Counter"
    unsigned: "Counter"
    outcomes: "Counter"
    delivery: "Histogram"
    queued: "Gauge"
    queue_oldest: "Gauge"
    disk_short: "Gauge"
    early: "Counter"
    defects: "Counter"
    statements: "Counter"


def _keep_room() -> None:
    """Have the files of this process's figures on the disk before they are mapped.

    Whoever writes to a mapped page for which there is no room is ended by SIGBUS. Where there is none now,
    this process keeps its figures to itself.
    """
    from prometheus_client import values

    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    files = {folder / f"{kind}_{os.getpid()}.db": octets for kind, octets in _ROOM.items()}
    try:
        for path, octets in files.items():
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, octets)
            finally:
                os.close(descriptor)
    except OSError as error:
        log.warning("no room for figures: this process shows none", reason=str(error))
        for path in files:
            path.unlink(missing_ok=True)
        values.ValueClass = values.MutexValue


def figures() -> Figures:
    """Make a process's figures, after ``prepare``."""
    from prometheus_client import Counter, Gauge, Histogram

    _keep_room()
    return Figures(
        loop_delay=Histogram(
            "malleposte_loop_delay_seconds",
            "How late a worker's loop ran what was due",
            buckets=_LATE,
        ),
        loop_held=Histogram(
            "malleposte_loop_held_seconds",
            "The same, but for the time a busy machine gave the worker no processor",
            buckets=_LATE,
        ),
        writer_wait=Histogram(
            "malleposte_writer_wait_seconds",
            "From submitting a command to its answer",
            ["command"],
            buckets=_DELAYS,
        ),
        writer_queue=Histogram(
            "malleposte_writer_queue_seconds",
            "How long the first command of a batch had waited since it was sent to the writer",
            buckets=_DELAYS,
        ),
        batch_commands=Histogram(
            "malleposte_writer_batch_commands",
            "Commands in a transaction",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
        ),
        batch_seconds=Histogram(
            "malleposte_writer_batch_seconds", "Time of a transaction", buckets=_DELAYS
        ),
        accepted=Counter("malleposte_messages_accepted", "Messages filed", ["service"]),
        octets=Counter("malleposte_octets_accepted", "Octets of messages filed", ["service"]),
        refused=Counter(
            "malleposte_refused", "Recipients and messages refused", ["service", "code"]
        ),
        signins=Counter("malleposte_signins", "Sign-ins", ["service", "result"]),
        connections=Gauge(
            "malleposte_connections",
            "Connections open",
            ["service"],
            multiprocess_mode="livesum",
        ),
        imap_commands=Histogram(
            "malleposte_imap_command_seconds",
            "From a command to its tagged answer",
            ["command"],
            buckets=_DELAYS,
        ),
        pop3_commands=Histogram(
            "malleposte_pop3_command_seconds",
            "From a POP3 command to the end of its answer",
            ["command"],
            buckets=_DELAYS,
        ),
        managesieve_commands=Histogram(
            "malleposte_managesieve_command_seconds",
            "From a ManageSieve command to the end of its answer",
            ["command"],
            buckets=_DELAYS,
        ),
        http_requests=Histogram(
            "malleposte_http_request_seconds",
            "From a request's fields to its response",
            ["route"],
            buckets=_DELAYS,
        ),
        http_responses=Counter("malleposte_http_responses", "Responses", ["route", "status"]),
        unsigned=Counter(
            "malleposte_unsigned", "Messages of signing domains that left unsigned", ["domain"]
        ),
        outcomes=Counter(
            "malleposte_deliveries", "Tries of recipients in the queue, by outcome", ["outcome"]
        ),
        delivery=Histogram(
            "malleposte_delivery_seconds",
            "From a message's coming into the queue to another server's taking it",
            buckets=_WAITS,
        ),
        queued=Gauge(
            "malleposte_queue",
            "Recipients in the queue",
            ["state"],
            multiprocess_mode="livemostrecent",
        ),
        queue_oldest=Gauge(
            "malleposte_queue_oldest_seconds",
            "Age of the oldest message in the queue",
            multiprocess_mode="livemostrecent",
        ),
        disk_short=Gauge(
            "malleposte_disk_short",
            "1 while less of the disk is free than twice the reserve",
            multiprocess_mode="livesum",
        ),
        early=Counter(
            "malleposte_removed_early",
            "What went before its time: recoverable messages of an account past its bound, and for want"
            " of room on the disk; content that nobody used, for want of room",
            ["what"],
        ),
        defects=Counter("malleposte_defects", "Exceptions of our own", ["where"]),
        statements=Counter("malleposte_store_statements", "SQL statements run"),
    )


NEAR: Final = 0.01
"""Seconds before a moment from which on waiting for a processor can make the loop late for it."""


class Processor:
    """How long the kernel let this thread wait for a processor, in seconds since it began (Linux)."""

    def __init__(self) -> None:
        self._file = -1
        with contextlib.suppress(OSError):
            self._file = os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)

    def waited(self) -> float:
        """0 where the kernel does not tell."""
        if self._file < 0:
            return 0.0
        _, waited, *_ = os.pread(self._file, 64, 0).split()
        return int(waited) / 1e9


async def measure_loop(
    delay: Callable[[float], None],
    held: Callable[[float], None],
    every: float = 0.1,
    *,
    waited: Callable[[], float] | None = None,
) -> None:
    """Tell how late the loop wakes, and that less the time the machine gave it no processor, until
    cancelled. ``waited``: that time, counted up; by default the kernel's count."""
    waits = waited or Processor().waited
    while True:
        late, without = await _lateness(every, waits)
        delay(late)
        held(max(0.0, late - without))


async def _lateness(every: float, waited: Callable[[], float]) -> tuple[float, float]:
    """How late the loop wakes after a while, and how long it had waited for a processor about then.

    Counted is what it waited since ``NEAR`` the moment: before, it was late for nothing. If something held
    it already then, what it waited since the beginning: rather too much than too little.
    """
    loop = asyncio.get_running_loop()
    due, before = loop.time() + every, waited()

    def near() -> None:
        nonlocal before
        if loop.time() < due:
            before = waited()

    timer = loop.call_at(due - NEAR, near)
    try:
        await asyncio.sleep(every)
    finally:
        timer.cancel()
    return max(0.0, loop.time() - due), waited() - before


def exposition() -> bytes:
    """Everything, in Prometheus' text format."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
