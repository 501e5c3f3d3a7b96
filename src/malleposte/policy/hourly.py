"""At most so many of something in an hour, by account: for what each leaves a trace that stays.

Counted in each worker. An hour is one of the clock that only goes forward, so that at the turn of two
twice as many may come close together; what is remembered of an hour is forgotten with it.
"""

import time
from collections import Counter
from collections.abc import Callable


class Hourly:
    """See the module."""

    def __init__(self, most: int, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._now = now
        self._hour = 0
        self._counts: Counter[int] = Counter()

    def take(self, account: int) -> bool:
        """Count one; False, and nothing counted, where the account has had as many as it may."""
        hour = int(self._now() // 3600)
        if hour != self._hour:
            self._hour = hour
            self._counts.clear()
        if self._counts[account] >= self._most:
            return False
        self._counts[account] += 1
        return True
