"""Time by the clock, and the CPU that the measuring process itself used meanwhile.

The second says whether a figure is the server's or the client's.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clocked:
    """Seconds by the clock, and CPU seconds of the client in them."""

    seconds: float
    client_cpu: float

    @classmethod
    def total(cls, parts: Iterable["Clocked"]) -> "Clocked":
        """The sum; what lay between the parts is not in it."""
        seconds = client_cpu = 0.0
        for part in parts:
            seconds += part.seconds
            client_cpu += part.client_cpu
        return cls(seconds, client_cpu)


class Clock:
    """Started when made; `read` as often as wanted."""

    def __init__(self) -> None:
        self._cpu = time.process_time()
        self._started = time.perf_counter()

    def read(self) -> Clocked:
        """What has passed since the start."""
        seconds = time.perf_counter() - self._started
        return Clocked(seconds, time.process_time() - self._cpu)
