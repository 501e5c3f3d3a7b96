"""How a running server is: its processes, their memory, its defects, how quickly it answers meanwhile."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from support.server import PASSWORD, Server

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Memory:
    """Octets, all processes of a server together."""

    pss: int
    rss: int


def memory(server: Server) -> Memory:
    """What the processes of a server hold now."""
    assert server.process is not None
    every = [psutil.Process(server.process.pid), *server.children()]
    found = [process.memory_full_info() for process in every]
    return Memory(sum(one.pss for one in found), sum(one.rss for one in found))


def figure(text: str, name: str) -> float:
    """The sum of a figure over its labels, in Prometheus' text."""
    lines = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)
    return sum(float(value) for value in lines)


def buckets(text: str, name: str) -> dict[float, float]:
    """A histogram without labels: how many observations up to each bound, cumulated."""
    lines = re.findall(rf'^{name}_bucket{{le="([^"]+)"}} (\S+)$', text, re.MULTILINE)
    return {float(bound): float(count) for bound, count in lines}


def quantile(before: dict[float, float], after: dict[float, float], share: float) -> float:
    """Below which a share of the observations between two looks lies, as Prometheus reckons it:
    those in a bucket are taken to lie evenly in it; past the last bound, that bound."""
    bounds = sorted(after)
    new = [after[bound] - before.get(bound, 0.0) for bound in bounds]
    wanted = share * new[-1]
    low = below = 0.0
    for bound, count in zip(bounds, new, strict=True):
        if count >= wanted:
            return (
                low
                if bound == float("inf")
                else low + (bound - low) * (wanted - below) / max(count - below, 1.0)
            )
        low, below = bound, count
    return low


class Processors:
    """What the workers of a server did not get of the processors, since this was made (Linux)."""

    def __init__(self, workers: list[psutil.Process]) -> None:
        self._workers = [worker.pid for worker in workers]
        self._since = time.monotonic()
        self._stolen = self._steal()
        self._waited = self._waits()

    @staticmethod
    def _steal() -> float:
        """Seconds that the host of a virtual machine took from it, all processors together."""
        return psutil.cpu_times().steal

    def _waits(self) -> list[float]:
        """Seconds that the loop of each could have run and did not (proc(5), ``schedstat``)."""
        texts = [Path(f"/proc/{pid}/schedstat").read_text() for pid in self._workers]
        return [int(text.split()[1]) / 1e9 for text in texts]

    def missing(self) -> tuple[float, float]:
        """Shares of the time since: stolen from the machine; waited for by the worker that waited most."""
        passed = time.monotonic() - self._since
        stolen = (self._steal() - self._stolen) / (os.cpu_count() or 1)
        waited = max(b - a for a, b in zip(self._waited, self._waits(), strict=True))
        return stolen / passed, waited / passed


@dataclass(slots=True)
class VitalSigns:
    """Of a server, from a moment on."""

    server: Server
    pids: set[int] = field(init=False)
    before: Memory = field(init=False)
    defects: float = field(init=False)

    def __post_init__(self) -> None:
        self.pids = self._pids()
        self.before = memory(self.server)
        self.defects = self._defects()

    def _pids(self) -> set[int]:
        return {child.pid for child in self.server.children()}

    def _defects(self) -> float:
        return figure(self.server.figures(), "malleposte_defects_total")

    def grown(self) -> int:
        """Octets of RSS more than at the beginning."""
        return memory(self.server).rss - self.before.rss

    def check(self, grown: int = 64 * MIB) -> None:
        """Nobody died, nothing of ours went wrong, and memory stayed within a bound."""
        assert self._pids() == self.pids, f"a process was replaced:\n{self.server.tail()}"
        assert self._defects() == self.defects, f"defects:\n{self.server.tail()}"
        assert self.grown() <= grown, f"{self.grown() / MIB:.0f} MiB more"


@dataclass(slots=True)
class Pulse:
    """What ``support.pulse`` saw: the longest wait in seconds, and how many answers there were."""

    worst: float = 0.0
    beats: int = 0


@contextmanager
def lively(
    server: Server, within: float = 1.0, address: str = "u0@example.test"
) -> Iterator[Pulse]:
    """What runs inside must let another connection's NOOP be answered within some seconds.

    More of them where the machine has more to do than processors: then everything waits its turn.
    """
    pulse = Pulse()
    program = Path(__file__).with_name("pulse.py")
    with subprocess.Popen(
        [sys.executable, str(program), str(server.ports["imap"]), address, PASSWORD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield pulse
        finally:
            process.stdin.close()
            worst, _, beats = process.stdout.readline().partition(" ")
    assert process.returncode == 0
    pulse.worst, pulse.beats = float(worst), int(beats)
    assert pulse.beats > 0
    crowd = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert pulse.worst <= within * crowd, f"a NOOP waited {pulse.worst:.2f} s"
