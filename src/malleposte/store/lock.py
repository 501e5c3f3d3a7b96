"""The writer's lock: whoever holds it is the only one that writes to a data folder on this machine.

A command that found no server holds it itself. A server's supervisor takes it before it opens a port and
hands it to each of its writers, so that nobody slips in while one is replaced. The kernel gives it up
when the last process that has it open is gone.
"""

import errno
import fcntl
import os
import time
from pathlib import Path
from typing import Final

from malleposte.store.errors import StoreError

FILE: Final = "writer.lock"
_PAUSE: Final = 0.1


class WriterRunning(StoreError):
    """Another process holds the lock file."""


def take_lock(folder: Path, *, patience: float = 0.0) -> int:
    """The open descriptor of a folder's lock file, locked; waits for it at most ``patience`` seconds.

    Raises ``WriterRunning`` and ``OSError``.
    """
    descriptor = _opened(folder / FILE)
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(descriptor)
                raise WriterRunning(f"another process writes to {folder}") from None
            time.sleep(_PAUSE)
        except BaseException:
            os.close(descriptor)
            raise
        else:
            return descriptor


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        # A disk that is read-only now can be read from, and locked.
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
