"""Root among the files of another user: whose they are, and doing there only what he could do himself.

The service's user owns the data folder. What root opens, makes or gives away in there by name may be a
link to somewhere else by then; so root acts as that user there.
"""

import contextlib
import os
import pwd
from collections.abc import Iterator
from pathlib import Path


def owner_of(folder: Path) -> int:
    """Who owns a folder, or the nearest one above it that exists."""
    return _status(folder).st_uid


def _status(folder: Path) -> os.stat_result:
    at = folder.absolute()
    while not at.exists() and at != at.parent:
        at = at.parent
    return at.stat()


def _group_of(status: os.stat_result) -> int:
    try:
        return pwd.getpwuid(status.st_uid).pw_gid
    except KeyError:
        return status.st_gid


@contextlib.contextmanager
def acting_as_owner(folder: Path) -> Iterator[None]:
    """While inside, root is whoever owns a folder, or the nearest one above it that exists.

    For the whole process: no other thread may be at work. Others than root stay who they are.
    """
    status = _status(folder)
    if os.geteuid() != 0 or status.st_uid == 0:
        yield
        return
    group, groups = os.getegid(), os.getgroups()
    os.setgroups([_group_of(status)])
    os.setegid(_group_of(status))
    os.seteuid(status.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def become_owner(folder: Path) -> None:
    """Root turns into whoever owns a folder, for good."""
    status = _status(folder)
    if os.geteuid() != 0 or status.st_uid == 0:
        return
    group = _group_of(status)
    os.setgroups([group])
    os.setresgid(group, group, group)
    os.setresuid(status.st_uid, status.st_uid, status.st_uid)
