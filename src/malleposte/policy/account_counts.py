"""How many sessions an account has open over all workers of a node.

Each worker has a row of places in memory that all of them share; it writes to its own row alone, and
adds up what all rows say of an account. Invariants: a place is written in one piece of eight octets, the
account above and its count below, so that nobody reads half of it; a worker that begins empties its row,
as the one before it may have died; what a worker holds itself is counted exactly, shared or not.

Accounts are numbered from 1, so that each has a place of its own up to ``PLACES`` of them; two accounts
that fall on the same place take neighbouring ones. Where the ``NEAR`` next places are taken, the session
is counted in its worker only. The memory is touched where accounts sign in, a page for 512 of them.
"""

import contextlib
import mmap
from collections import Counter
from typing import Final

PLACES: Final = 1 << 16
"""Accounts with sessions in one worker that have a place: more than a worker has connections."""
NEAR: Final = 8
"""Places looked at for one account."""
_BITS: Final = 16
_COUNT: Final = (1 << _BITS) - 1


def shared_memory(workers: int) -> mmap.mmap:
    """Memory for so many workers, made before they are forked."""
    return mmap.mmap(-1, workers * PLACES * 8)


def _empty(memory: mmap.mmap, start: int) -> None:
    """Set a row to zeros, and give its pages back."""
    with contextlib.suppress(OSError):
        memory.madvise(mmap.MADV_REMOVE, start, PLACES * 8)
        return
    memory[start : start + PLACES * 8] = bytes(PLACES * 8)


class AccountCounts:
    """See the module. ``memory`` as ``shared_memory`` made it for ``workers``; ``row``: which of them
    this is. Without memory, the worker is alone."""

    def __init__(self, memory: mmap.mmap | None = None, workers: int = 1, row: int = 0) -> None:
        self._places = memoryview(memory or bytearray(PLACES * 8)).cast("q")
        self._own = row * PLACES
        self._rows = range(0, workers * PLACES, PLACES)
        self._here: Counter[int] = Counter()
        if memory is not None:
            _empty(memory, self._own * 8)

    def enter(self, account: int, most: int) -> bool:
        """Count a session; False, and nothing counted, if the account would have more than ``most``.

        Counted before it is judged: of two that come at the same moment to two workers none can slip
        past the limit, at the worst both are refused.
        """
        self._set(account, self._here[account] + 1)
        if self.total(account) <= most:
            return True
        self.leave(account)
        return False

    def leave(self, account: int) -> None:
        """Forget a session."""
        self._set(account, self._here[account] - 1)

    def total(self, account: int) -> int:
        """Sessions of an account over all workers."""
        others = [self._read(row, account) for row in self._rows if row != self._own]
        return self._here[account] + sum(others)

    def _read(self, row: int, account: int) -> int:
        for place in self._near(row, account):
            value = self._places[place]
            if value >> _BITS == account:
                return value & _COUNT
        return 0

    def _set(self, account: int, count: int) -> None:
        if count:
            self._here[account] = count
        else:
            del self._here[account]
        free = -1
        for place in self._near(self._own, account):
            value = self._places[place]
            if value >> _BITS == account:
                self._places[place] = (account << _BITS | min(count, _COUNT)) if count else 0
                return
            if not value and free < 0:
                free = place
        if free >= 0 and count:
            self._places[free] = account << _BITS | min(count, _COUNT)

    @staticmethod
    def _near(row: int, account: int) -> list[int]:
        return [row + (account + step) % PLACES for step in range(NEAR)]
