"""The supervisor replaces who dies, and ends all when a child says that there is no use."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from malleposte.node.supervisor import Child, Supervisor


def in_a_process(work: Callable[[], int]) -> int:
    """A supervisor takes signals and every child's end: it gets a process of its own."""
    pid = os.fork()
    if not pid:
        code = 99
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def sleeping() -> int:
    time.sleep(600)
    return 0


def test_a_final_exit_code_ends_the_whole_and_is_its_own(tmp_path: Path) -> None:
    started = tmp_path / "started"

    def damaged() -> int:
        with started.open("ab") as file:
            file.write(b"x")
        return 4

    children = [
        Child("writer", damaged, grace=5, final=(1, 4)),
        Child("worker 0", sleeping, grace=5),
    ]
    assert in_a_process(lambda: Supervisor(children).run()) == 4
    assert started.read_bytes() == b"x", "it was started again"


def test_any_other_end_is_no_end(tmp_path: Path) -> None:
    started = tmp_path / "started"

    def dying() -> int:
        with started.open("ab") as file:
            file.write(b"x")
        if started.stat().st_size >= 3:
            os.kill(os.getppid(), signal.SIGTERM)
            return sleeping()
        return 75

    children = [Child("writer", dying, grace=5, final=(1, 4))]
    assert in_a_process(lambda: Supervisor(children).run()) == 0
    assert started.read_bytes() == b"xxx"
