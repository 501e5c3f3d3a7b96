"""The demo as a program that is started, says how to reach it, and is ended by Ctrl-C."""

import contextlib
import fcntl
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from unit.cli.program import Program


def started(program: Program, demo: Path) -> tuple["subprocess.Popen[bytes]", str, float]:
    """Start the demo; the process, what it said until it served, and the seconds it took."""
    with _alone():
        began = time.monotonic()
        process = program.start("run", "--demo", demo)
        assert process.stdout is not None
        said = b""
        while b"  metrics " not in said:
            line = process.stdout.readline()
            assert line, said.decode() + (process.stderr.read().decode() if process.stderr else "")
            said += line
        return process, said.decode(), time.monotonic() - began


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Nobody else starts one meanwhile: two at once would both find the usual ports free."""
    with (Path(tempfile.gettempdir()) / "malleposte-test-demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def processor_seconds(process: "subprocess.Popen[bytes]") -> float:
    """What a command has spent of the processors, with all processes it started, also those that ended."""
    parent = psutil.Process(process.pid)
    spent = 0.0
    for one in (parent, *parent.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            spent += times.user + times.system + times.children_user + times.children_system
    return spent


def ended(process: "subprocess.Popen[bytes]") -> None:
    """End it; it must end well."""
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0
