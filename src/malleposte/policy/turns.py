"""At most so many at a time for each key; who comes later waits in line.

Invariants: turns are given in the order in which they were asked for; who is cancelled while waiting
leaves the line, and a turn that was given to him meanwhile goes on to the next; a key that nobody uses
takes no memory. In one process and one event loop."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Hashable
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Line:
    running: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Turns:
    """See the module. `at_once`: how many turns of one key run at a time."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._lines: dict[Hashable, _Line] = {}

    def __len__(self) -> int:
        """Keys in use."""
        return len(self._lines)

    @contextlib.asynccontextmanager
    async def turn(self, key: Hashable, seconds: float) -> AsyncIterator[None]:
        """Around what is to be done in a turn. Raises TimeoutError if none came within `seconds`."""
        await self._take(key, seconds)
        try:
            yield
        finally:
            self._give_back(key)

    async def _take(self, key: Hashable, seconds: float) -> None:
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line()
        if line.running < self._at_once:
            line.running += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.waiting.append(turn)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._give_back(key)
            else:
                line.waiting.remove(turn)
            raise

    def _give_back(self, key: Hashable) -> None:
        line = self._lines[key]
        while line.waiting:
            turn = line.waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        line.running -= 1
        if not line.running:
            del self._lines[key]
