"""What one piece of work yields, and the place where pieces of work put it.

A `Sample` is one figure of one subject in one repetition. `Bench` is what a piece of work holds
while it runs: the subject, the corpus, how much to do, and `record`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from malleposte.bench import processes
from malleposte.bench.clock import Clocked
from malleposte.bench.corpus import Corpus
from malleposte.bench.subject import Subject

Better = Literal["more", "less", "neither"]


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is done; the defaults are the work-list's.

    `messages` in the large mailbox, `receive` a receiving run, `part` for the commands that touch
    a part of the mailbox, `idle` connections, `small` and `huge` mailboxes and `operations` in
    each for the growth figures, `mailboxes` of LS1000, `clients` and `seconds` of MIX, messages of
    S20's `queue`, and `deferred` ones of Q1M.
    """

    messages: int = 20_000
    receive: int = 1_500
    part: int = 1_000
    bodies: int = 500
    noops: int = 200
    idle: int = 200
    idle_mailbox: int = 150
    indexed: int = 2_000
    small: int = 1_000
    huge: int = 200_000
    operations: int = 1_000
    mailboxes: int = 1_000
    clients: int = 50
    seconds: int = 60
    queue: int = 5_000
    deferred: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds by the clock, CPU seconds of the server's tree (None: unknown) and of the client."""

    seconds: float
    cpu: float | None
    client_cpu: float


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure. `value` is in `unit`; `cpu` is server CPU seconds an operation."""

    work: str
    what: str
    unit: str
    better: Better
    value: float
    cpu: float | None = None
    client_share: float | None = None
    note: str = ""


@dataclass(slots=True)
class Bench:
    """One subject in one repetition."""

    subject: Subject
    corpus: Corpus
    counts: Counts
    repetition: int
    say: Callable[[str], None]
    samples: list[Sample] = field(default_factory=list)
    # The number of the next message that this subject has not seen in this run.
    unseen: int = 0
    # A built copy of imaptest, for MIX; None: the bench's own client.
    imaptest: Path | None = None

    def fresh(self, count: int) -> int:
        """Number of the first of `count` messages that the subject has not seen in this run.

        Always the start of a round, so that each call gives messages of the same sizes: a store
        that keeps equal content once must not win by being sent the same again.
        """
        start = self.unseen
        rounds = -(-count // len(self.corpus))
        self.unseen += rounds * len(self.corpus)
        return start

    def cpu(self) -> float | None:
        """CPU seconds of the server so far, None when its processes are not known."""
        roots = self.subject.roots()
        return processes.cpu_seconds(roots) if roots else None

    def cost(self, operation: Callable[[], Clocked]) -> Cost:
        """Run something that reads its own clock; add what the server's CPU did meanwhile."""
        before = self.cpu()
        took = operation()
        after = self.cpu()
        spent = None if before is None or after is None else after - before
        return Cost(took.seconds, spent, took.client_cpu)

    def record(
        self, work: str, what: str, unit: str, better: Better, value: float, note: str = ""
    ) -> None:
        """Keep a figure that has no cost of its own."""
        self.samples.append(Sample(work, what, unit, better, value, note=note))

    def record_rate(self, work: str, what: str, count: int, cost: Cost, note: str = "") -> None:
        """Keep `count` operations as operations a second."""
        self._keep(work, what, "/s", "more", count / cost.seconds, count, cost, note)

    def record_time(self, work: str, what: str, cost: Cost, note: str = "") -> None:
        """Keep one operation as milliseconds."""
        self._keep(work, what, "ms", "less", cost.seconds * 1000, 1, cost, note)

    def _keep(
        self,
        work: str,
        what: str,
        unit: str,
        better: Better,
        value: float,
        operations: int,
        cost: Cost,
        note: str,
    ) -> None:
        cpu = None if cost.cpu is None else cost.cpu / operations
        share = cost.client_cpu / cost.seconds if cost.seconds else None
        self.samples.append(Sample(work, what, unit, better, value, cpu, share, note))
