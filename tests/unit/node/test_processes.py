"""What a process of the server asks of the system: files, memory."""

import ctypes
import multiprocessing
import resource

import pytest

from malleposte.node.processes import APART, open_files, settle_memory


def _raised() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    assert open_files() == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert open_files() > 64


class _MallInfo(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks")
        + ("uordblks", "fordblks", "keepcost")
    ]


def _apart() -> None:
    settle_memory()
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = _MallInfo
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    libc.free(libc.malloc(16 * APART))  # glibc learns from this, unless it was told
    before = libc.mallinfo2().hblks
    for _ in range(64):
        libc.malloc(2 * APART)
    # Some may fit where the tests left room.
    assert libc.mallinfo2().hblks >= before + 32


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
    assert _in_a_child(_apart) == 0
