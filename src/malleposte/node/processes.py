"""Small facts about processes: signals, parent death, privileges, memory, open files."""

import contextlib
import ctypes
import encodings
import os
import pkgutil
import resource
import signal
from pathlib import Path
from typing import Final

from malleposte.node.folders import User

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15
_PR_SET_NO_NEW_PRIVS: Final = 38

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


def become(user: User) -> None:
    """Give root up for a user, for good."""
    os.initgroups(user.name, user.gid)
    os.setresgid(user.gid, user.gid, user.gid)
    os.setresuid(user.uid, user.uid, user.uid)


def readable_by(uid: int, path: Path) -> bool:
    """Whether a user could read a file, asked by root."""
    os.seteuid(uid)
    try:
        return os.access(path, os.R_OK, effective_ids=True)
    finally:
        os.seteuid(0)


def load_lazy_modules() -> None:
    """Import what is otherwise imported when it is first needed: charsets, most of all."""
    import importlib.readers

    for module in pkgutil.iter_modules(encodings.__path__):
        with contextlib.suppress(ImportError):  # Windows' own
            importlib.import_module(f"encodings.{module.name}")


def no_new_privileges() -> None:
    """Neither this process nor what it starts can gain rights by a program's mode; for good."""
    ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def name_process(name: str) -> None:
    """What ``ps`` and ``top`` show (15 octets)."""
    # Not by /proc/self/comm: that is root's in a process that was root.
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)


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
