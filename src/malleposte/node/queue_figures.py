"""Figures of the queue: what became of tries, told as they are recorded, and how much waits, looked at."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from malleposte.delivery.outbound.outcome import Settled
from malleposte.node import metrics
from malleposte.store import Store, StoreError
from malleposte.store.commands import DELIVERED, FAILED, WAITS
from malleposte.store.read import queue

log = structlog.get_logger("worker")

EVERY: Final = 60.0
"""Seconds between two looks: a million recipients are counted in a third of a second."""
_OUTCOMES: Final = {DELIVERED: "delivered", WAITS: "deferred", FAILED: "failed"}


class QueueFigures:
    """See the module. One for a worker. ``clock``: seconds of the Unix epoch."""

    def __init__(self, figures: metrics.Figures, *, clock: Callable[[], float] = time.time) -> None:
        self._figures = figures
        self._clock = clock

    def told(self, settled: Sequence[Settled]) -> None:
        """Tries whose outcomes were recorded; what was given back untried is none."""
        now = self._clock()
        for one in settled:
            outcome = one.outcome
            if not outcome.said or outcome.state not in _OUTCOMES:
                continue
            self._figures.outcomes.labels(_OUTCOMES[outcome.state]).inc()
            if outcome.state == DELIVERED:
                self._figures.delivery.observe(max(0.0, now - one.message.created_at))

    async def watch(self, store: Store, every: float = EVERY) -> None:
        """Look now and then, until cancelled; one worker of a node does."""
        while True:
            try:
                await self.look(store)
            except StoreError as error:
                log.warning("the queue cannot be counted", reason=str(error))
            await asyncio.sleep(every)

    async def look(self, store: Store) -> None:
        """Count the queue. Raises what the store raises."""
        found = await queue.totals(store.reader)
        figures = self._figures
        figures.queued.labels("waiting").set(found.waiting)
        figures.queued.labels("held").set(found.held)
        figures.queue_oldest.set(max(0.0, self._clock() - found.oldest) if found.oldest else 0.0)
