"""The mark: a few octets beside the database that tell whether it was put back from a copy.

It follows the database's counter of commits, after each commit and without a flush: behind the database
it may be, ahead of it never, unless the database went back. It also counts how often that happened
(``generation``), flushed before anything new is given out: a copy that is put back twice must not give
the same numbers twice.

It also knows which file it is (inode and time of birth): in a folder that was copied and put back whole,
mark included, it is another one. A copy written over the very files, or a disk put back as a whole, is not
noticed: whoever does that renews by hand (``RenewUidValidity``, ``RepairNumbers``).
"""

import ctypes
import mmap
import os
import re
from hashlib import blake2b
from pathlib import Path

SIZE = 64
_TEXT = re.compile(rb"([0-9a-f]{16}) ([0-9]{1,19}) ([0-9]{1,9})(?: ([0-9a-f]{16}))?\0*").fullmatch


class _Statx(ctypes.Structure):
    """statx(2) up to the time of birth, and room for the rest."""

    _fields_ = (
        ("mask", ctypes.c_uint32),
        ("_to_inode", ctypes.c_uint8 * 28),
        ("inode", ctypes.c_uint64),
        ("_to_birth", ctypes.c_uint8 * 40),
        ("birth_seconds", ctypes.c_int64),
        ("birth_nanoseconds", ctypes.c_uint32),
        ("_rest", ctypes.c_uint8 * 164),
    )


_AT_EMPTY_PATH = 0x1000
_INODE, _BIRTH = 0x100, 0x800
_statx = getattr(ctypes.CDLL(None), "statx", None)


def identity(descriptor: int) -> str:
    """16 hexadecimal digits that another file has not, '' where the file system keeps no birth."""
    found = _Statx()
    if _statx is None or _statx(
        descriptor, b"", _AT_EMPTY_PATH, _INODE | _BIRTH, ctypes.byref(found)
    ):
        return ""
    if found.mask & (_INODE | _BIRTH) != _INODE | _BIRTH:
        return ""
    text = f"{found.inode} {found.birth_seconds} {found.birth_nanoseconds}"
    return blake2b(text.encode(), digest_size=8).hexdigest()


class Mark:
    """The open mark. ``lineage`` is '' where it says nothing yet, as beside a new database."""

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        how = os.O_RDWR | os.O_CREAT if writable else os.O_RDONLY
        descriptor = os.open(path, how | os.O_CLOEXEC, 0o600)
        try:
            if writable:
                os.ftruncate(descriptor, SIZE)
                # Else writing to it where there is no room would end the process (SIGBUS).
                os.posix_fallocate(descriptor, 0, SIZE)
            access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
            self._map = mmap.mmap(descriptor, SIZE, access=access)
            self._identity = identity(descriptor)
        finally:
            os.close(descriptor)
        text = bytes(self._map[:SIZE])
        found = _TEXT(text)
        self.lineage, self.commits, self.generation = "", 0, 0
        self.copied = False
        """It is a copy of the mark it says it is."""
        if found is not None:
            self.lineage = found[1].decode()
            self.commits, self.generation = int(found[2]), int(found[3])
            named = (found[4] or b"").decode()
            self.copied = bool(named and self._identity) and named != self._identity
        self.damaged = found is None and any(text)
        """It says something nobody wrote: whether the database went back cannot be told."""

    def ahead_of(self, lineage: str, commits: int) -> bool:
        """Whether the database went back: it is of another line of commits, or behind on this one, or
        came here together with its mark."""
        if self.damaged or self.copied:
            return True
        return bool(self.lineage) and (self.lineage != lineage or self.commits > commits)

    def write(self, lineage: str, commits: int, generation: int) -> None:
        """Follow the database."""
        self.lineage, self.commits, self.generation = lineage, commits, generation
        text = f"{lineage} {commits} {generation} {self._identity}".rstrip().encode()
        self._map[:SIZE] = text.ljust(SIZE, b"\0")

    def flush(self) -> None:
        """Have it on the disk before going on."""
        self._map.flush()

    def close(self) -> None:
        """Close it."""
        self._map.close()
