"""Small facts about processes: signals, parent death, privileges, memory, open files."""

import contextlib
import ctypes
import os
import pwd
import resource
import signal
from typing import Final

_PR_SET_PDEATHSIG = 1

# mallopt(3)
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
APART: Final = 128 * 1024
"""Octets of a block that the allocator maps apart from others."""
FILES: Final = 1 << 20
"""Open files that are asked for: far above all limits of connections together."""
KEPT: Final = 2 * 1024**2
"""Free octets at the end of the heap that are kept for the next burst."""


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent is gone; ends at once if it is already."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def become(user: str) -> None:
    """Give root up for a user. Raises ``KeyError`` where there is none such."""
    entry = pwd.getpwnam(user)
    if os.geteuid() != 0 or entry.pw_uid == 0:
        return
    os.initgroups(user, entry.pw_gid)
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)


def name_process(name: str) -> None:
    """What ``ps`` and ``top`` show (15 octets)."""
    with contextlib.suppress(OSError), open("/proc/self/comm", "w", encoding="ascii") as file:
        file.write(name[:15])


def settle_memory() -> None:
    """Tell the allocator what a long-lived server wants; children inherit it. Only glibc listens.

    Left alone it stops mapping large blocks apart once it has seen one go. uvloop's 256 KiB for each TLS
    connection then come to lie on pages that others have used, and an idle one costs 51 KiB
    in place of 29 (measured); what a large message needed is given back at once besides.
    """
    libc = ctypes.CDLL(None)
    with contextlib.suppress(AttributeError):
        libc.mallopt(_M_MMAP_THRESHOLD, APART)
        libc.mallopt(_M_TRIM_THRESHOLD, KEPT)
        # A heap for each thread of a pool would keep what its largest work left.
        libc.mallopt(_M_ARENA_MAX, 2)


def open_files() -> int:
    """Raise the limit of open files to what the system allows; the limit now.

    The usual 1,024 are for programs that use select(2); each connection is a file.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
