"""A writer as a process of its own, for tests that kill it: at any moment, or at a chosen point.

    python -m support.writer_process FOLDER SOCKET [--die POINT COUNT] [--file-size OCTETS]

It prints a line when it listens. Exit codes: 74 when a commit failed, as the node's writer has it.
"""

import argparse
import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from malleposte.store import content
from malleposte.store.committer import CommitFailed, Committer
from malleposte.store.writer import Writer

POINTS = ("begin", "executed", "linked", "committed", "marked", "checkpoint")
"""Where it can die: with the transaction open, with everything written into it, with files linked, after
the commit and before the mark, after the mark and before any answer, after a checkpoint."""


class DyingCommitter(Committer):
    """Kills its own process the n-th time it comes to a point."""

    def __init__(self, folder: Path, point: str, count: int) -> None:
        super().__init__(folder)
        self._point = point
        self._left = count
        self._wrap(self.db, "begin", "begin", after=True)
        self._wrap(self.db, "commit", "executed", after=False)
        self._wrap(self.db, "commit", "committed", after=True)
        self._wrap(self.mark, "write", "marked", after=True)
        self._wrap(self.db, "checkpoint", "checkpoint", after=True)
        self._wrap(content, "link", "linked", after=True)

    def _wrap(self, owner: Any, name: str, point: str, *, after: bool) -> None:
        inner: Callable[..., Any] = getattr(owner, name)

        def wrapped(*args: Any, **how: Any) -> Any:
            if not after:
                self._come_to(point)
            result = inner(*args, **how)
            if after:
                self._come_to(point)
            return result

        setattr(owner, name, wrapped)

    def _come_to(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("socket", type=Path)
    parser.add_argument("--die", nargs=2, default=("", "0"))
    parser.add_argument("--file-size", type=int, default=0)
    words = parser.parse_args()
    point, count = words.die
    committer = (
        DyingCommitter(words.folder, point, int(count)) if point else Committer(words.folder)
    )
    with contextlib.suppress(FileNotFoundError):
        words.socket.unlink()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(words.socket))
    listener.listen(16)
    if words.file_size:
        resource.setrlimit(resource.RLIMIT_FSIZE, (words.file_size, resource.RLIM_INFINITY))
    print("restored" if committer.restored else "ready", flush=True)
    writer = Writer(committer, listener)
    signal.signal(signal.SIGTERM, lambda *_: writer.stop())
    try:
        writer.serve()
    except CommitFailed as error:
        print(error, flush=True)
        return 74
    committer.close()
    return 0


class WriterProcess:
    """Starts, kills and restarts one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "data"
        self.socket = folder / "writer.sock"
        self.said: list[str] = []
        self._process: subprocess.Popen[str] | None = None

    def start(self, *words: str) -> None:
        """Start it and wait until it listens."""
        self.clear()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.writer_process", self.folder, self.socket, *words],
            cwd=Path(__file__).parent.parent,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.said.append(self._process.stdout.readline().strip())

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self) -> int:
        """Its exit code."""
        assert self._process is not None
        code = self._process.wait(30)
        assert self._process.stdout is not None
        self.said += self._process.stdout.read().splitlines()
        return code

    def clear(self) -> None:
        """Let go of a process that ended; kill it if it did not."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait(30)
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None


if __name__ == "__main__":
    sys.exit(main())
