"""The folders of a node, and whose they must be: the user's that the server runs as, and nobody else's.

Root makes what is missing and gives it to that user while nobody else can reach it; what is there already
is looked at and never given away, for it may be anything by then.
"""

import os
import pwd
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from malleposte.node.config import Configuration

_KEPT: Final = (
    "store.db",
    "store.db-wal",
    "store.db-shm",
    "store.mark",
    "writer.lock",
    "blobs",
    "spool",
)
"""What the server itself puts into the data folder."""
_PASSING: Final = ("metrics",)
"""The same of the folder of sockets; sockets are made anew."""


class FolderError(Exception):
    """A folder is missing, another user's, or open to others; the text says what to do."""


@dataclass(frozen=True, slots=True)
class User:
    """Who the server runs as. ``name`` is '' where the numbers have none."""

    uid: int
    gid: int
    name: str

    def __str__(self) -> str:
        return self.name or str(self.uid)


def server_user(configuration: Configuration) -> User:
    """The user that the server's processes run as when this one starts them. Raises ``FolderError``."""
    wanted = configuration.node.user
    if wanted and os.geteuid() == 0:
        try:
            entry = pwd.getpwnam(wanted)
        except KeyError:
            raise FolderError(
                f"there is no user {wanted} (node.user): make it with `adduser --system --group"
                f" --home {configuration.node.data_dir} {wanted}`"
            ) from None
        return User(entry.pw_uid, entry.pw_gid, entry.pw_name)
    name = ""
    with suppress(KeyError):
        name = pwd.getpwuid(os.geteuid()).pw_name
    return User(os.geteuid(), os.getegid(), name)


def examine(configuration: Configuration) -> User:
    """Look at what is there of both folders; who the server will run as. Raises ``FolderError``."""
    data, run = configuration.node.data_dir, configuration.node.run_dir
    user = server_user(configuration)
    _check(data, user, _KEPT)
    with suppress(FileNotFoundError):
        mode = stat.S_IMODE(data.stat().st_mode)
        if mode & 0o077:
            raise FolderError(
                f"{data} is open to others (mode {mode:04o}), who may read all mail:"
                f" `chmod 700 {data}`"
            )
    _check(run, user, _PASSING)
    return user


def provide(configuration: Configuration) -> list[Path]:
    """Have both folders; those that were made. Raises ``FolderError`` and ``OSError``."""
    user = examine(configuration)
    node = configuration.node
    return [path for path in (node.data_dir, node.run_dir) if _made(path, user)]


def _made(path: Path, user: User) -> bool:
    """Make a folder, with mode 0700 and as the user's own, unless it is there."""
    if path.is_dir():
        return False
    umask = os.umask(0o022)
    try:
        # What is above it may be other programs' as well.
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700)
    finally:
        os.umask(umask)
    if user.uid != os.geteuid():
        opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fchown(opened, user.uid, user.gid)
        finally:
            os.close(opened)
    return True


def _check(folder: Path, user: User, names: tuple[str, ...]) -> None:
    """Whether a folder and some files in it are a user's. Raises ``FolderError``."""
    for path in (folder, *(folder / name for name in names)):
        try:
            status = path.stat() if path == folder else path.lstat()
        except FileNotFoundError:
            continue
        if status.st_uid != user.uid:
            raise FolderError(
                f"{path} belongs to user {status.st_uid}, and the server runs as {user}:"
                f" `chown -R {user}: {folder}`"
            )
