"""Room for commands under way: so many, so many octets; who finds none waits in order.

This is the back-pressure of the store: a worker that gathers faster than the database flushes stops
reading from its sockets.
"""

import asyncio
from collections import deque

from malleposte.store.errors import TemporaryFailure


class Room:
    """See the module. Belongs to one event loop."""

    def __init__(self, commands: int, octets: int) -> None:
        self._commands = commands
        self._octets = octets
        self.inside = 0
        self.octets = 0
        self._queue: deque[tuple[asyncio.Future[None], int]] = deque()
        self._closed = False

    async def enter(self, octets: int) -> None:
        """Wait for room; ``leave`` with the same octets later. Raises ``TemporaryFailure`` if closed."""
        if not self._closed and not self._queue and self._fits(octets):
            self._count(octets)
            return
        if self._closed:
            raise TemporaryFailure("the server is stopping")
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((gate, octets))
        try:
            await gate
        except asyncio.CancelledError:
            if gate.done() and not gate.cancelled() and gate.exception() is None:
                self.leave(octets)
            else:
                self._admit()
            raise

    def leave(self, octets: int) -> None:
        """Give the room back; those who wait come in."""
        self.inside -= 1
        self.octets -= octets
        self._admit()

    def close(self) -> None:
        """Nobody comes in any more, and those who wait are told."""
        self._closed = True
        while self._queue:
            gate, _ = self._queue.popleft()
            if not gate.done():
                gate.set_exception(TemporaryFailure("the server is stopping"))

    def _fits(self, octets: int) -> bool:
        # One command always fits, however large.
        return not self.inside or (
            self.inside < self._commands and self.octets + octets <= self._octets
        )

    def _count(self, octets: int) -> None:
        self.inside += 1
        self.octets += octets

    def _admit(self) -> None:
        while self._queue:
            gate, octets = self._queue[0]
            if not gate.done():
                if not self._fits(octets):
                    return
                # Counted in here, so that nobody slips in before the waiter runs.
                self._count(octets)
                gate.set_result(None)
            self._queue.popleft()
