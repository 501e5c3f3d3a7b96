"""Whose turn it is: long commands of many sessions go on one after the other, one a round of the loop.

``asyncio.sleep(0)`` lets everybody who waits go on in the next round: ten sessions that search would
hold the loop for ten slices, and whoever came with a short command would wait for all of them. Here one
goes on; then what came in from the network is served, then the next one.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

LARGE: Final = 20_000
"""Messages from which on a command that holds something of each runs alone: 10 MB and more."""


class Turns:
    """See the module. One for all sessions of a worker's loop."""

    __slots__ = ("_alone", "_waiting", "one_list")

    def __init__(self) -> None:
        self._alone = asyncio.Semaphore(1)
        self.one_list = asyncio.Semaphore(1)
        """Around what holds all names of an account for a moment; never while a client is waited for."""
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def next(self) -> None:
        """Let others run; go on when it is this one's turn again."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        if len(self._waiting) == 1:
            loop.call_soon(self._give, loop)
        await turn

    def _give(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake the first who still waits, and come again in the next round for the others."""
        waiting = self._waiting
        while waiting:
            turn = waiting.popleft()
            if not turn.done():  # a session that ended meanwhile was cancelled
                turn.set_result(None)
                break
        if waiting:
            loop.call_soon(self._give, loop)

    @contextlib.asynccontextmanager
    async def large(self, messages: int) -> AsyncIterator[None]:
        """Around what keeps something of each of so many messages in memory: many run one after the
        other, so that a worker's memory does not grow with the number of its sessions."""
        if messages < LARGE:
            yield
            return
        async with self._alone:
            yield
