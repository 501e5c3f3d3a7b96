"""What a process of the server asks of the system: files, memory."""

import ctypes
import multiprocessing
import resource
import subprocess
import sys

import pytest

from malleposte.node.processes import open_files


def _raised() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    assert open_files() == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert open_files() > 64


_APART = """
import ctypes
from malleposte.node.processes import APART, settle_memory

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
        "fordblks", "keepcost")]

settle_memory()
libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.free(libc.malloc(16 * APART))  # glibc learns from this, unless it was told
before = libc.mallinfo2().hblks
for _ in range(64):
    libc.malloc(2 * APART)
raise SystemExit(0 if libc.mallinfo2().hblks >= before + 60 else 1)
"""


def _in_a_child(work: object) -> int | None:
    child = multiprocessing.get_context("fork").Process(target=work)  # type: ignore[arg-type]
    child.start()
    child.join(30)
    return child.exitcode


def test_open_files_are_raised_to_what_is_allowed() -> None:
    assert _in_a_child(_raised) == 0


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="not glibc")
def test_large_blocks_lie_apart_also_after_one_was_freed() -> None:
    """Else an idle TLS connection costs nearly twice as much (``settle_memory``)."""
    # A program of its own: the heap of a long test run has holes that large blocks fit in.
    assert subprocess.run([sys.executable, "-c", _APART], check=False).returncode == 0
