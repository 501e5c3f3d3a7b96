"""The machine: Python, SQLite, clock, name, disk."""

import ctypes
import os
import platform
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from malleposte.cli.doctor.addresses import own_addresses
from malleposte.cli.doctor.check import Check, ok, warn, wrong
from malleposte.cli.output import size
from malleposte.node.config import Configuration
from malleposte.node.settings import hostname

PYTHON: Final = ((3, 11), (3, 13))
"""Supported from … to."""
BUILT: Final = 1_764_000_000
"""This program is younger than that (2025-11-24): a clock before it is wrong."""
_TIME_ERROR: Final = 5
_FREE_INODES: Final = 10_000


def checks(configuration: Configuration) -> Iterator[Check]:
    """Everything about the machine."""
    yield _python()
    if configuration.store.backend == "sqlite":
        yield _sqlite()
    yield _clock(configuration.node.data_dir)
    yield from _name(configuration)
    yield from _disk(configuration)


def _python() -> Check:
    version = platform.python_version()
    low, high = PYTHON
    if low <= sys.version_info[:2] <= high:
        return ok("python", f"{version} at {sys.executable}")
    return wrong(
        "python",
        f"{version} is not one this program was tested with",
        "install it for Python 3.11, 3.12 or 3.13: `make PYTHON=python3.12 run`",
    )


def _sqlite() -> Check:
    import apsw

    from malleposte.store import StoreError
    from malleposte.store.sqlite import check_library

    version = apsw.sqlite_lib_version()
    try:
        check_library()
    except StoreError as error:
        return wrong("sqlite", str(error), "install the package apsw of the lock file again")
    return ok("sqlite", f"{version}, with apsw {apsw.apsw_version()}")


def _clock(data: Path) -> Check:
    now = time.time()
    shown = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(now))
    if now < BUILT:
        return wrong("clock", f"it says {shown}", "set it: `timedatectl set-ntp true`")
    for name in ("store.db", "store.db-wal"):
        try:
            changed = (data / name).stat().st_mtime
        except OSError:
            continue
        if changed > now + 300:
            return wrong(
                "clock",
                f"it says {shown}, but {name} was changed {int(changed - now):,} s later",
                "set it: `timedatectl set-ntp true`; new mail would get old dates",
            )
    if _unsynchronised():
        return warn(
            "clock",
            f"it says {shown}; the kernel says that nothing keeps it right",
            "run a time service: `timedatectl set-ntp true`, or chrony",
        )
    return ok("clock", shown)


def _unsynchronised() -> bool:
    """adjtimex(2): whether the kernel's clock is kept by nobody."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        # struct timex is 208 octets on 64-bit Linux; modes 0 only asks.
        return int(libc.adjtimex(ctypes.create_string_buffer(512))) == _TIME_ERROR
    except (OSError, AttributeError):
        return False


def _name(configuration: Configuration) -> Iterator[Check]:
    name = hostname(configuration)
    if not configuration.node.hostname:
        yield warn(
            "hostname",
            f"none is configured, the system's is {name}",
            "set node.hostname to the name in the MX record",
        )
    if "." not in name or name == "localhost":
        yield wrong(
            "hostname",
            f"{name} is no full name: other servers will refuse its greeting",
            "set node.hostname, such as mail.example.org",
        )
        return
    try:
        found = {info[4][0] for info in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)}
    except OSError as error:
        yield warn(
            "hostname",
            f"{name} does not resolve here ({error})",
            "add A and AAAA records for it, or correct node.hostname",
        )
        return
    shown = ", ".join(sorted(map(str, found)))
    if found & set(own_addresses()):
        yield ok("hostname", f"{name} is {shown}, this machine")
    else:
        yield warn(
            "hostname",
            f"{name} is {shown}, which is no address of this machine",
            "all is well if a router forwards to it; otherwise correct the record",
        )


def _disk(configuration: Configuration) -> Iterator[Check]:
    data = configuration.node.data_dir
    try:
        state = os.statvfs(data)
    except OSError as error:
        yield wrong("disk", f"{data}: {error.strerror}", "run `malleposte init`")
        return
    free, whole = state.f_bavail * state.f_frsize, state.f_blocks * state.f_frsize
    chosen = configuration.store
    reserve = min(chosen.disk_reserve, whole * chosen.disk_reserve_percent // 100)
    text = f"{size(free)} of {size(whole)} free at {data}, the reserve is {size(reserve)}"
    remedy = "make room or enlarge the disk: below the reserve new mail is put off"
    if free < reserve:
        yield wrong("disk", text, remedy)
    elif free < 2 * reserve:
        yield warn("disk", text, remedy)
    else:
        yield ok("disk", text)
    if state.f_files and state.f_favail < _FREE_INODES:
        yield warn(
            "disk", f"{state.f_favail:,} inodes free at {data}", "remove small files, or reformat"
        )
