"""Where outbound mail of a measured server goes: Postfix's `smtp-sink`, which takes everything and keeps
nothing. It says after each message how many there were; when each number came is kept."""

import re
import shutil
import subprocess
import threading
import time

from malleposte.bench.network import wait_for_greeting
from malleposte.bench.subject import Endpoint
from malleposte.bench.trouble import BenchTrouble, Unavailable
from malleposte.runtime.ports import free_ports

_COUNT = re.compile(rb"mesg=(\d+)")
_BACKLOG = 200


class Sink:
    """A `with` block around the running program."""

    def __init__(self) -> None:
        program = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin")
        if program is None:
            raise Unavailable(
                "smtp-sink is not installed: apt-get install --no-install-recommends postfix"
            )
        (port,) = free_ports(1)
        self.endpoint = Endpoint("127.0.0.1", port)
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._seen: list[tuple[float, int]] = [(0.0, 0)]

    def __enter__(self) -> "Sink":
        place = f"{self.endpoint.host}:{self.endpoint.port}"
        # Unprivileged, as it refuses to run as root.
        self._process = subprocess.Popen(
            [self._program, "-u", "nobody", "-c", place, str(_BACKLOG)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        wait_for_greeting(self.endpoint, b"220", 10)
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        if process is not None and process.stdout is not None:
            process.terminate()
            process.wait(10)
            self._watcher.join(10)
            process.stdout.close()

    def _watch(self) -> None:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        while piece := process.stdout.read1(4096):  # type: ignore[attr-defined]
            now = time.perf_counter()
            if found := _COUNT.findall(piece):
                count = int(found[-1])
                if count > self._seen[-1][1]:
                    self._seen.append((now, count))

    @property
    def count(self) -> int:
        """Messages so far."""
        return self._seen[-1][1]

    def reached(self, count: int) -> float:
        """When there were so many (`time.perf_counter`)."""
        return next(when for when, seen in self._seen if seen >= count)

    def wait(self, count: int, seconds: float) -> None:
        """Until there are so many. Raises ``BenchTrouble``."""
        until = time.monotonic() + seconds
        while self.count < count:
            if time.monotonic() > until:
                raise BenchTrouble(f"{self.count} of {count} messages arrived in {seconds:.0f} s")
            time.sleep(0.005)
