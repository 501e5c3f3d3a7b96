"""Opening files somebody else may have laid out: below what was named no link is followed.

Root imports what belongs to a user. Were a link of that user's followed, he would have root read for him
what he may not read himself. So each path is walked a step at a time with open folders, and what was
found is looked at before it is opened: a FIFO would wait for ever, a device may do anything. On the way
to what was named itself, links of root's and of the caller's own are followed, others' are not.
"""

import errno
import os
import stat
from collections import deque
from pathlib import Path
from typing import BinaryIO, Final

MAX_LINKS: Final = 40
"""Links followed on the way; the kernel's own bound."""
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def _error(number: int, words: str, path: Path) -> OSError:
    return OSError(number, words, str(path))


def _found(path: Path, root: Path) -> int:
    """A descriptor that only names what stands at ``path``, which is ``root`` or below it."""
    path, root = path.absolute(), root.absolute()
    below = path.relative_to(root).parts
    todo = deque([(name, True) for name in root.parts[1:]] + [(name, False) for name in below])
    at = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    links = 0
    try:
        while todo:
            name, may_lead = todo.popleft()
            new = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            status = os.fstat(new)
            if not stat.S_ISLNK(status.st_mode):
                os.close(at)
                at = new
                continue
            try:
                if not may_lead or status.st_uid not in (0, os.geteuid()):
                    raise _error(errno.ELOOP, "a symbolic link on the way is not followed", path)
                links += 1
                if links > MAX_LINKS:
                    raise _error(errno.ELOOP, os.strerror(errno.ELOOP), path)
                target = Path(os.readlink("", dir_fd=new))
            finally:
                os.close(new)
            if target.is_absolute():
                os.close(at)
                at = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            todo.extendleft((part, True) for part in reversed(target.parts) if part != "/")
    except OSError as error:
        os.close(at)
        if error.filename == str(path):
            raise
        raise _error(error.errno or errno.EIO, error.strerror or "cannot be opened", path) from None
    return at


def _reopened(found: int, flags: int) -> int:
    return os.open(f"/proc/self/fd/{found}", flags | os.O_RDONLY | os.O_CLOEXEC)


def _read(opened: BinaryIO, most: int) -> bytes:
    # Asked for a large number, Python makes room for as much before it reads.
    size = os.fstat(opened.fileno()).st_size
    octets = opened.read(min(most, size + 1))
    return octets if len(octets) <= size else octets + opened.read(most - len(octets))


class Folder:
    """An open folder, which is ``root`` or below it; closed when nobody refers to it any more.

    It stays the folder that was looked at, whatever stands at its path later. Everything raises
    ``OSError``.
    """

    __slots__ = ("_opened", "_place")

    def __init__(self, place: Path, root: Path) -> None:
        self._place = place
        self._opened = -1
        found = _found(place, root)
        try:
            self._opened = _reopened(found, os.O_DIRECTORY)
        except OSError as error:
            raise _error(error.errno or errno.EIO, error.strerror or "", place) from None
        finally:
            os.close(found)

    def __del__(self) -> None:
        if self._opened >= 0:
            os.close(self._opened)

    def names(self) -> list[str]:
        """Everything in it, sorted."""
        return sorted(os.listdir(self._opened))

    def status(self, name: str) -> os.stat_result:
        """What an entry is; a link is what it is itself."""
        return os.stat(name, dir_fd=self._opened, follow_symlinks=False)

    def mode(self, name: str) -> int:
        """The mode of an entry; 0: there is none such."""
        try:
            return self.status(name).st_mode
        except OSError:
            return 0

    def file(self, name: str) -> BinaryIO:
        """An entry that is a regular file, open."""
        # Users make FIFOs and sockets, but no devices: opening it does nothing yet.
        opened = os.open(name, _FILE, dir_fd=self._opened)
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            os.close(opened)
            raise _error(errno.EINVAL, "it is no regular file", self._place / name)
        return open(opened, "rb")

    def octets(self, name: str, most: int) -> bytes:
        """At most ``most`` octets of an entry that is a regular file."""
        with self.file(name) as opened:
            return _read(opened, most)


def file(path: Path, root: Path) -> BinaryIO:
    """The open regular file at ``path``, which is ``root`` or below it. Raises ``OSError``."""
    found = _found(path, root)
    try:
        if not stat.S_ISREG(os.fstat(found).st_mode):
            raise _error(errno.EINVAL, "it is no regular file", path)
        opened = _reopened(found, os.O_NOCTTY)
    finally:
        os.close(found)
    return open(opened, "rb")


def octets(path: Path, root: Path, most: int) -> bytes:
    """At most ``most`` octets of such a file. Raises ``OSError``."""
    with file(path, root) as opened:
        return _read(opened, most)


def kind(path: Path, root: Path) -> int:
    """The type of what stands at ``path``, as of ``stat.S_IFMT``; 0: nothing that is to be opened."""
    try:
        found = _found(path, root)
    except OSError:
        return 0
    try:
        return stat.S_IFMT(os.fstat(found).st_mode)
    finally:
        os.close(found)
