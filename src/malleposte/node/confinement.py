"""What a process may write, bounded by the kernel (Landlock, Linux 5.13): whoever parses hostile bytes must
not be able to write the database, whatever became of his code.

Reading, connections and what is open already are not touched. It lasts for the life of the process and of
what it starts, and nothing takes it back. A kernel without it changes nothing; ``confine`` says so.
"""

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_VERSION: Final = 1
_PATH_BENEATH: Final = 1

# linux/landlock.h
_EXECUTE: Final = 1 << 0
_WRITE_FILE: Final = 1 << 1
_REMOVE_DIR: Final = 1 << 4
_REMOVE_FILE: Final = 1 << 5
_MAKE: Final = 0b1111111 << 6  # devices, folders, files, sockets, pipes, links
_MAKE_FILE: Final = 1 << 8
_REFER: Final = 1 << 13
_TRUNCATE: Final = 1 << 14
_HANDLED: Final = (
    (1, _EXECUTE | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE),
    (2, _REFER),
    (3, _TRUNCATE),
)
"""What is bounded, by the version of the kernel's interface that knows it."""
_IN_FOLDERS: Final = _WRITE_FILE | _REMOVE_FILE | _MAKE_FILE | _TRUNCATE
_IN_FILES: Final = _WRITE_FILE | _TRUNCATE


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled", ctypes.c_uint64),)


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def confine(folders: Iterable[Path], files: Iterable[Path]) -> bool:
    """From now on write only below these folders and to these files, and start no program; False: the
    kernel cannot do that, and nothing changed.

    Before other threads are started, and after ``processes.no_new_privileges``. Raises ``OSError``.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, 0, _VERSION)
    if version < 1:
        return False
    handled = sum(rights for since, rights in _HANDLED if since <= version)
    ruleset = _Ruleset(handled)
    descriptor = _done(
        libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.sizeof(ruleset), 0)
    )
    try:
        for paths, rights in ((folders, _IN_FOLDERS), (files, _IN_FILES)):
            for path in paths:
                _allow(libc, descriptor, path, rights & handled)
        _done(libc.syscall(_RESTRICT_SELF, descriptor, 0))
    finally:
        os.close(descriptor)
    return True


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _Beneath(rights, parent)
        _done(libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0))
    finally:
        os.close(parent)


def _done(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
