"""Sorting in slices: runs that are sorted one by one and merged as they are read (RFC 5256 §3).

Keys are octets that compare as they are; equal ones never meet, as each ends in its position. What
does not fit into memory waits in a file without a name, so that a mailbox of any size can be sorted.
"""

import heapq
import os
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

RUN: Final = 2_000
"""Keys sorted at once: under 1 ms."""

IN_MEMORY: Final = 16 << 20
"""Octets of keys, Python's own included, that are held; some 150,000 common subjects."""

BLOCK: Final = 16 * 1024
"""Octets of a run that are read from the file at a time."""

_OBJECT: Final = (
    41  # octets of an object of bytes besides what is in it, and of its place in a list
)
_SIZE: Final = struct.Struct(">I")


class Runs:
    """See the module. ``close`` it in the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._run: list[bytes] = []
        self._runs: list[list[bytes]] = []
        self._held = 0
        self._file: IO[bytes] | None = None
        self._written: list[tuple[int, int]] = []

    def add(self, keys: list[bytes]) -> None:
        """Some more keys."""
        self._run += keys
        if len(self._run) >= RUN:
            self._end_run()

    def _end_run(self) -> None:
        run = self._run
        run.sort()
        self._runs.append(run)
        self._held += sum(map(len, run)) + _OBJECT * len(run)
        self._run = []
        if self._held > IN_MEMORY:
            self._write()

    def _write(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  `close`
        for run in self._runs:
            start = self._file.tell()
            self._file.writelines([_SIZE.pack(len(key)) + key for key in run])
            self._written.append((start, self._file.tell()))
        self._runs.clear()
        self._held = 0

    def merged(self) -> Iterator[bytes]:
        """All keys in order; once."""
        if self._run:
            self._end_run()
        runs: list[Iterator[bytes]] = [iter(run) for run in self._runs]
        if self._file is not None:
            self._file.flush()
            runs += [self._read(self._file.fileno(), *place) for place in self._written]
        return runs[0] if len(runs) == 1 else heapq.merge(*runs)

    @staticmethod
    def _read(fd: int, start: int, end: int) -> Iterator[bytes]:
        rest = b""
        while start < end:
            block = os.pread(fd, min(BLOCK, end - start), start)
            if not block:
                raise OSError("what was written to be sorted is not there")
            start += len(block)
            rest += block
            at = 0
            while at + 4 <= len(rest):
                (size,) = _SIZE.unpack_from(rest, at)
                if at + 4 + size > len(rest):
                    break
                yield rest[at + 4 : at + 4 + size]
                at += 4 + size
            rest = rest[at:]

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            self._file.close()
