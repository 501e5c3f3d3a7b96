"""How a running server is: its processes, their memory, its defects, how quickly it answers meanwhile."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

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
    """The bound below which a share of the observations between two looks lies."""
    new = {bound: count - before.get(bound, 0.0) for bound, count in after.items()}
    wanted = share * new[float("inf")]
    return min(bound for bound, count in new.items() if count >= wanted)


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


class Pulse:
    """One IMAP connection that says NOOP all the time; ``worst`` is its longest wait in seconds."""

    def __init__(self, server: Server, address: str = "u0@example.test") -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.ports["imap"]), timeout=60)
        self._file = self._socket.makefile("rb")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.worst = 0.0
        self.beats = 0
        self.failure: Exception | None = None
        assert self._file.readline().startswith(b"* OK")
        self._say(f'LOGIN "{address}" "{PASSWORD}"'.encode())

    def _say(self, command: bytes) -> None:
        self._socket.sendall(b"p " + command + b"\r\n")
        while not (line := self._file.readline()).startswith(b"p "):
            assert line, "the connection was closed"
        assert line.startswith(b"p OK"), line

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                started = time.monotonic()
                self._say(b"NOOP")
                self.worst = max(self.worst, time.monotonic() - started)
                self.beats += 1
                self._stop.wait(0.02)
        except (OSError, AssertionError) as error:
            self.failure = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)
        self._file.close()
        self._socket.close()


@contextmanager
def lively(server: Server, within: float = 1.0) -> Iterator[Pulse]:
    """What runs inside must let another connection's NOOP be answered within some seconds."""
    with Pulse(server) as pulse:
        yield pulse
    assert pulse.failure is None, pulse.failure
    assert pulse.beats > 0
    assert pulse.worst <= within, f"a NOOP waited {pulse.worst:.2f} s"
