"""A message in hand: what the work on all of its copies has in common."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from malleposte.delivery.leaving import has_eight_bit
from malleposte.delivery.spool import AT_ONCE
from malleposte.sieve import Message

from .copies import Copy
from .plan import Arrival, Plan
from .variants import Variants


@dataclass(slots=True)
class Matter:
    """See the module. ``junk``: a filter said so; ``taken``: accounts that have a copy; ``waiting``: copies
    whose scripts have not run."""

    arrival: Arrival
    plan: Plan
    message: Message
    variants: Variants
    junk: bool
    taken: set[int]
    waiting: deque[Copy] = field(default_factory=deque)

    @property
    def header(self) -> bytes:
        """As it came."""
        return self.variants.header(0)

    @property
    def body(self) -> bytes | memoryview:
        """As it came."""
        return self.arrival.buffer[self.arrival.header_size :]

    async def eight_bit(self) -> bool:
        """Whether it is not ASCII alone."""
        buffer = self.arrival.buffer
        if len(buffer) <= AT_ONCE:
            return has_eight_bit(buffer)
        return await asyncio.to_thread(has_eight_bit, buffer)
