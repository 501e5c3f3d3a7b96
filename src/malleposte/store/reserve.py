"""The disk reserve: room that new mail leaves alone, so that reading and deleting still have some."""

import os
import time
from pathlib import Path

PERCENT = 5
LOOK_EVERY = 1.0
"""Seconds between looks: a disk fills by some 100 MB in one."""


class Reserve:
    """Watches the disk of a folder. ``octets`` and ``percent`` of it: the smaller one is the reserve;
    0 octets: none."""

    def __init__(self, folder: Path, octets: int, percent: int = PERCENT) -> None:
        self._folder = folder
        self.octets = reserve_octets(folder, octets, percent) if octets and percent else 0
        self._looked = float("-inf")
        self._low = False

    def low(self) -> bool:
        """Whether less is free than the reserve, as of the last look."""
        now = time.monotonic()
        if self.octets and now - self._looked >= LOOK_EVERY:
            self._looked = now
            self._low = self.room() < 0
        return self._low

    def room(self) -> int:
        """Octets free above the reserve, now; less than 0: it is used."""
        state = os.statvfs(self._folder)
        return state.f_bavail * state.f_frsize - self.octets


def reserve_octets(folder: Path, limit: int, percent: int = PERCENT) -> int:
    """``limit`` octets or ``percent`` of the disk, whichever is less."""
    state = os.statvfs(folder)
    return min(limit, state.f_blocks * state.f_frsize * percent // 100)
