"""The disk under the subjects: page cache, bytes used, and the floor that no server gets below.

Dropping the page cache of everything needs root (`/proc/sys/vm/drop_caches`, proc(5)); without it
the files of the data folders alone are dropped (`posix_fadvise`), which leaves directories and
inodes in memory. Which of the two was done is part of the answer.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from malleposte.bench.spread import Spread, spread

_DROP = Path("/proc/sys/vm/drop_caches")
# README of the work-list: 200 × 4 KiB.
FLOOR_COUNT = 200
_BLOCK = b"m" * 4096


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes below some folders: sum of sizes, and what the filesystem set aside for them."""

    apparent: int
    allocated: int


def disk(folders: Iterable[Path]) -> Disk:
    """Sizes below the folders; a file with several names counts once, links are not followed."""
    apparent = allocated = 0
    seen: set[tuple[int, int]] = set()
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in names:
                try:
                    status = os.lstat(os.path.join(parent, name))
                except FileNotFoundError:
                    continue
                if (status.st_dev, status.st_ino) not in seen:
                    seen.add((status.st_dev, status.st_ino))
                    apparent += status.st_size
                    allocated += status.st_blocks * 512
    return Disk(apparent, allocated)


def drop_page_cache(folders: Iterable[Path], everything: Path = _DROP) -> str:
    """Drop cached pages; returns "" when all were dropped, else what was done instead."""
    os.sync()
    try:
        everything.write_text("3\n")
    except OSError:
        dropped = 0
        for folder in folders:
            for parent, _, names in os.walk(folder):
                for name in names:
                    dropped += _drop_file(os.path.join(parent, name))
        if dropped:
            return f"page cache dropped for {dropped:,} data files only (not root)"
        return "page cache not dropped (not root, data folder unknown or unreadable)"
    return ""


def _drop_file(path: str) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError:
        # Pipes and sockets among the data have no pages.
        return False
    finally:
        os.close(handle)
    return True


def filesystem(folder: Path) -> str:
    """Type of the filesystem that holds `folder`, `unknown` if the mount table does not say."""
    best, kind = "", "unknown"
    where = str(folder.resolve())
    for line in Path("/proc/mounts").read_text().splitlines():
        _, point, type_, *_ = line.split()
        inside = point == "/" or where == point or where.startswith(point + "/")
        if inside and len(point) >= len(best):
            best, kind = point, type_
    return kind


def floor(folder: Path, count: int = FLOOR_COUNT) -> dict[str, Spread]:
    """Seconds of the least durable operations and of a loopback round trip, by description."""
    log = folder / "floor.log"
    fresh = folder / "floor.new"
    result = folder / "floor.named"
    parent = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    handle = os.open(log, os.O_CREAT | os.O_RDWR | os.O_TRUNC, 0o600)

    def append() -> None:
        os.write(handle, _BLOCK)
        os.fsync(handle)

    def overwrite() -> None:
        os.pwrite(handle, _BLOCK, 0)
        os.fdatasync(handle)

    def create() -> None:
        made = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        try:
            os.write(made, _BLOCK)
            os.fsync(made)
        finally:
            os.close(made)
        os.rename(fresh, result)
        os.fsync(parent)

    try:
        return {
            "append 4 KiB + fsync": _timed(append, count),
            "overwrite 4 KiB + fdatasync": _timed(overwrite, count),
            "new file, fsync, rename, fsync of the folder": _timed(create, count),
            "loopback round trip": round_trip(count),
        }
    finally:
        os.close(handle)
        os.close(parent)
        for path in (log, fresh, result):
            path.unlink(missing_ok=True)


def round_trip(count: int) -> Spread:
    """Seconds for one byte there and back between two threads over loopback TCP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def echo() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while byte := peer.recv(1):
                    peer.sendall(byte)

        thread = threading.Thread(target=echo, daemon=True)
        thread.start()
        with socket.create_connection(listener.getsockname(), timeout=10) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def ping() -> None:
                client.sendall(b"x")
                client.recv(1)

            result = _timed(ping, count)
        thread.join(10)
    return result


def _timed(operation: Callable[[], None], count: int) -> Spread:
    seconds: Sequence[float] = [_seconds(operation) for _ in range(count)]
    return spread(seconds)


def _seconds(operation: Callable[[], None]) -> float:
    started = time.perf_counter()
    operation()
    return time.perf_counter() - started
