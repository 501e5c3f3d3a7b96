"""What a session says: responses are gathered and written together.

``breathe`` writes what is there, waits for a slow client, and lets other connections run.
"""

import time
from typing import Final

from malleposte.services.connection import Connection
from malleposte.services.turns import Turns

WRITE_AT_ONCE: Final = 64 * 1024
"""Octets gathered before they are written: more would only stand in memory twice."""
HOLD_AT_MOST: Final = 0.002
"""Seconds of one piece of work between two breaths; with what a slice takes, some 4 ms."""


class Output:
    """See the module. A ``Session`` is one."""

    __slots__ = ("_breath", "_out", "_out_size", "_turns", "connection")

    def __init__(self, connection: Connection, turns: Turns) -> None:
        self.connection = connection
        self._turns = turns
        self._out: list[bytes] = []
        self._out_size = 0
        self._breath = 0.0

    def send(self, octets: bytes) -> None:
        """Gather a response."""
        self._out.append(octets)
        self._out_size += len(octets)

    def flush(self) -> None:
        """Write what was gathered."""
        if self._out:
            out = self._out
            self.connection.write(out[0] if len(out) == 1 else b"".join(out))
            out.clear()
            self._out_size = 0

    @property
    def ample(self) -> bool:
        """Whether so much was gathered that it should be written."""
        return self._out_size >= WRITE_AT_ONCE

    async def breathe(self) -> None:
        """Write what was gathered, wait for a slow client, let others run."""
        self.flush()
        await self.connection.drain()
        await self._turns.next()
        self._breath = time.perf_counter()

    async def pause(self) -> None:
        """``breathe``, if the last time is long enough ago."""
        if time.perf_counter() - self._breath > HOLD_AT_MOST:
            await self.breathe()

    async def give_way(self) -> None:
        """Let others run, if the last time is long enough ago; the client is not waited for."""
        if time.perf_counter() - self._breath > HOLD_AT_MOST:
            await self._turns.next()
            self._breath = time.perf_counter()

    async def relieve(self) -> None:
        """``breathe``, if that is due or so much was gathered that it should be written."""
        if self.ample:
            await self.breathe()
        else:
            await self.pause()
