"""The mark: a few octets beside the database that tell whether it was put back from a copy.

It follows the database's counter of commits, after each commit and without a flush: behind the database
it may be, ahead of it never, unless the database went back. It also counts how often that happened
(``generation``), flushed before anything new is given out: a copy that is put back twice must not give
the same numbers twice. A folder copied and put back whole, mark included, is not noticed: whoever does
that renews by hand (``RenewUidValidity``, ``RepairNumbers``).
"""

import mmap
import os
import re
from pathlib import Path

SIZE = 64
_TEXT = re.compile(rb"([0-9a-f]{16}) ([0-9]{1,19}) ([0-9]{1,9})\0*").fullmatch


class Mark:
    """The open mark. ``lineage`` is '' where it says nothing yet, as beside a new database."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, SIZE)
            self._map = mmap.mmap(descriptor, SIZE)
        finally:
            os.close(descriptor)
        text = bytes(self._map[:SIZE])
        found = _TEXT(text)
        self.lineage, self.commits, self.generation = "", 0, 0
        if found is not None:
            self.lineage = found[1].decode()
            self.commits, self.generation = int(found[2]), int(found[3])
        self.damaged = found is None and any(text)
        """It says something nobody wrote: whether the database went back cannot be told."""

    def ahead_of(self, lineage: str, commits: int) -> bool:
        """Whether the database went back: it is of another line of commits, or behind on this one."""
        if self.damaged:
            return True
        return bool(self.lineage) and (self.lineage != lineage or self.commits > commits)

    def write(self, lineage: str, commits: int, generation: int) -> None:
        """Follow the database."""
        self.lineage, self.commits, self.generation = lineage, commits, generation
        text = f"{lineage} {commits} {generation}".encode()
        self._map[:SIZE] = text.ljust(SIZE, b"\0")

    def flush(self) -> None:
        """Have it on the disk before going on."""
        self._map.flush()

    def close(self) -> None:
        """Close it."""
        self._map.close()
