"""Small disks for faults: a tmpfs that fills up, an ext4 that turns read-only. Both need root.

A server's data folder is moved onto such a disk (``onto``); whatever else it writes stays outside.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.server import Server


@dataclass(frozen=True, slots=True)
class Disk:
    """A mounted file system."""

    path: Path
    device: str = ""

    @property
    def free(self) -> int:
        """Octets still free."""
        state = os.statvfs(self.path)
        return state.f_bavail * state.f_frsize

    @property
    def _ballast(self) -> Path:
        return self.path / "ballast"

    def fill(self, *, leave: int = 0) -> None:
        """Take the free space, but for some octets."""
        with self._ballast.open("ab") as file, contextlib.suppress(OSError):
            while self.free > leave:
                file.write(bytes(max(1, min(1 << 20, self.free - leave))))
                file.flush()
        assert self.free <= leave

    def make_room(self) -> None:
        """Give back what ``fill`` took."""
        self._ballast.unlink()

    def remount(self, options: str) -> None:
        """Mount again with other options; refused while a file is open for writing."""
        _mount("-o", f"remount,{options}", str(self.path))

    def fail(self) -> None:
        """Have ext4 meet an error: it turns read-only at once, open files or not."""
        trigger = Path("/sys/fs/ext4") / Path(self.device).name / "trigger_fs_error"
        # The write itself is refused by then.
        with contextlib.suppress(OSError):
            trigger.write_text("malleposte test\n")
        options = Path("/proc/mounts").read_text().partition(f" {self.path} ")[2]
        assert "ro" in options.split(" ")[1], options[:200]


def _mount(*words: str) -> None:
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip())


@contextlib.contextmanager
def tmpfs(path: Path, octets: int) -> Iterator[Disk]:
    """An empty tmpfs of a size; skips the test where it cannot be mounted."""
    path.mkdir(exist_ok=True)
    _need_root()
    try:
        _mount("-t", "tmpfs", "-o", f"size={octets},mode=0700", "malleposte-test", str(path))
    except OSError as error:
        pytest.skip(f"a tmpfs cannot be mounted here: {error}")
    try:
        yield Disk(path)
    finally:
        _unmount(path)


@contextlib.contextmanager
def ext4(image: Path, path: Path, octets: int) -> Iterator[Disk]:
    """An ext4 in a file, made if it is not there; it turns read-only on an error."""
    path.mkdir(exist_ok=True)
    _need_root()
    if shutil.which("mkfs.ext4", path="/usr/sbin:/sbin") is None:
        pytest.skip("mkfs.ext4 is missing: apt-get install e2fsprogs")
    if not image.exists():
        with image.open("wb") as file:
            file.truncate(octets)
        subprocess.run(["/sbin/mkfs.ext4", "-q", str(image)], check=True, capture_output=True)
    try:
        _mount("-o", "loop,errors=remount-ro", str(image), str(path))
    except OSError as error:
        pytest.skip(f"there are no loop devices here: {error}")
    try:
        found = subprocess.run(
            ["findmnt", "-no", "SOURCE", str(path)], capture_output=True, text=True, check=True
        )
        yield Disk(path, found.stdout.strip())
    finally:
        _unmount(path)


def _need_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("a small disk is mounted by root only")


def _unmount(path: Path) -> None:
    # Lazily: a process that is just ending may still have a file open.
    subprocess.run(["umount", "--lazy", str(path)], check=True, capture_output=True)


@contextlib.contextmanager
def onto(server: Server, disk: contextlib.AbstractContextManager[Disk]) -> Iterator[Disk]:
    """Move a prepared server's data onto a disk that is mounted in its place; end the server with it."""
    aside = server.folder / "aside"
    server.data.rename(aside)
    with disk as mounted:
        shutil.copytree(aside, server.data, dirs_exist_ok=True, symlinks=True)
        subprocess.run(["sync", "--file-system", str(server.data)], check=True)
        try:
            yield mounted
        finally:
            server.end()
