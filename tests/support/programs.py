"""Debian's programs, run in a home of their own, bounded in time, ended by process id.

A program that is missing skips the test with the package to install; on the machines that must run
everything (CI=true) it fails, if the package stands in tools/debian-test-packages.txt.
"""

import contextlib
import errno
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGES = Path(__file__).resolve().parents[2] / "tools" / "debian-test-packages.txt"


def need(program: str, package: str = "") -> str:
    """The path of a program; skips the test, or fails it, where there is none."""
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is not None:
        return found
    package = package or program
    reason = f"{program} is not installed: apt-get install {package}"
    listed = {
        line.partition("#")[0].strip().partition("@")[0]
        for line in PACKAGES.read_text().splitlines()
    }
    if os.environ.get("CI") == "true" and package in listed:
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True, slots=True)
class Home:
    """A private HOME; nothing of the real one, and no variable but these, reaches a program."""

    folder: Path

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """What a program finds in its environment."""
        return {
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / ".config"),
            "XDG_CACHE_HOME": str(self.folder / ".cache"),
            "TMPDIR": str(self.folder),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
            "TERM": "vt100",
            "USER": "tester",
            "LOGNAME": "tester",
            **(extra or {}),
        }

    def write(self, name: str, text: str) -> Path:
        """A file in it, readable by its owner only."""
        path = self.folder / name
        path.touch(0o600)
        path.write_text(text)
        return path

    def run(
        self, *words: str | Path, octets: bytes = b"", seconds: float = 60.0
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run a program to its end; standard output and error are one."""
        with self.running(*words, stdin=subprocess.PIPE) as process:
            try:
                out, _ = process.communicate(octets, timeout=seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                out, _ = process.communicate()
                pytest.fail(f"{words[0]} did not end in {seconds:.0f} s: {out[-2000:]!r}")
        return subprocess.CompletedProcess(process.args, process.returncode, out)

    def succeed(self, *words: str | Path, octets: bytes = b"", seconds: float = 60.0) -> str:
        """Run a program that must end well; what it said."""
        done = self.run(*words, octets=octets, seconds=seconds)
        said = done.stdout.decode(errors="replace")
        assert done.returncode == 0, f"{words[0]} ended with {done.returncode}: {said[-3000:]}"
        return said

    @contextlib.contextmanager
    def running(
        self, *words: str | Path, stdin: int = subprocess.DEVNULL
    ) -> "Iterator[subprocess.Popen[bytes]]":
        """A program while the block runs; it and its children are ended afterwards."""
        process = subprocess.Popen(
            [str(word) for word in words],
            cwd=self.folder,
            env=self.environment(),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            end(process)

    def on_terminal(self, *words: str | Path, seconds: float = 30.0) -> tuple[int, str]:
        """Run a program on a terminal of its own; its exit code and what it drew."""
        pid, master = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execve(str(words[0]), [str(word) for word in words], self.environment())
        drawn = bytearray()
        try:
            fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                ready, _, _ = select.select([master], [], [], 0.5)
                if not ready:
                    continue
                try:
                    data = os.read(master, 65536)
                except OSError as error:
                    # Linux says so when the last process has closed the terminal.
                    if error.errno != errno.EIO:
                        raise
                    data = b""
                if not data:
                    _, status = os.waitpid(pid, 0)
                    pid = 0
                    return os.waitstatus_to_exitcode(status), drawn.decode(errors="replace")
                drawn += data
        finally:
            os.close(master)
            if pid:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        pytest.fail(f"{words[0]} did not end in {seconds:.0f} s: {bytes(drawn[-3000:])!r}")


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a program that leads a session of its own, and its children, if it still runs."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=5)
    process.communicate()
