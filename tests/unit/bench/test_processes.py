"""CPU and memory of a tree come from /proc, and only the tree that was meant is ended."""

import os
import subprocess
import sys
import time
from pathlib import Path

from malleposte.bench import processes
from malleposte.bench.processes import parse_stat

STAT = (
    "{pid} ({name}) S {parent} 1 1 0 -1 4194560 100 0 0 0 {utime} {stime} {cutime} {cstime} "
    "20 0 1 0 {started} 1000 10 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0"
)


def fake(proc: Path, pid: int, parent: int, ticks: tuple[int, int, int, int], pss: int = 0) -> None:
    folder = proc / str(pid)
    folder.mkdir()
    utime, stime, cutime, cstime = ticks
    text = STAT.format(
        pid=pid,
        name="a (b) c",
        parent=parent,
        utime=utime,
        stime=stime,
        cutime=cutime,
        cstime=cstime,
        started=7,
    )
    (folder / "stat").write_text(text)
    (folder / "smaps_rollup").write_text(
        f"5 6 ---p 0 00:00 0 [rollup]\nRss: {2 * pss} kB\nPss: {pss} kB\nPss_Dirty: 1 kB\n"
    )


def test_names_with_spaces_and_parentheses_are_parsed() -> None:
    stat = parse_stat(
        STAT.format(
            pid=3, name=") S 1 (", parent=2, utime=1, stime=2, cutime=4, cstime=8, started=9
        )
    )
    assert (stat.pid, stat.state, stat.parent, stat.cpu_ticks, stat.started) == (3, "S", 2, 15, 9)


def test_cpu_is_summed_over_the_tree_with_ended_children(tmp_path: Path) -> None:
    fake(tmp_path, 10, 1, (1, 2, 3, 4))
    fake(tmp_path, 11, 10, (10, 0, 0, 0))
    fake(tmp_path, 12, 11, (100, 0, 0, 0))
    fake(tmp_path, 20, 1, (1000, 0, 0, 0))
    (tmp_path / "meminfo").write_text("")
    ticks = os.sysconf("SC_CLK_TCK")
    assert processes.cpu_seconds([10], tmp_path) == 120 / ticks
    # A root that is another's descendant counts once; one that is gone counts nothing.
    assert processes.cpu_seconds([10, 12, 99], tmp_path) == 120 / ticks


def test_memory_is_summed_over_the_tree(tmp_path: Path) -> None:
    fake(tmp_path, 10, 1, (0, 0, 0, 0), pss=3)
    fake(tmp_path, 11, 10, (0, 0, 0, 0), pss=4)
    memory = processes.memory([10], tmp_path)
    assert (memory.pss, memory.rss) == (7 * 1024, 14 * 1024)


def test_a_real_tree_shows_the_cpu_of_a_child_that_has_ended() -> None:
    burn = "import time\nend = time.process_time() + 0.15\nwhile time.process_time() < end: pass\n"
    code = (
        f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])\n"
        "print('done', flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        assert processes.cpu_seconds([parent.pid]) >= 0.1
        assert processes.memory([parent.pid]).rss > 0
        parent.communicate(b"")


def test_a_tree_that_ignores_sigterm_is_killed_with_its_children() -> None:
    code = (
        "import signal, subprocess, sys\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '60'])\nprint(child.pid, flush=True)\nchild.wait()\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        stat = processes.read_stat(parent.pid)
        assert stat is not None
        processes.end_tree(stat.pid, stat.started, patience=0.1)
        assert parent.wait(10) < 0
    deadline = time.monotonic() + 10
    while (now := processes.read_stat(child)) is not None and now.state != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_process_id_given_to_another_process_is_left_alone() -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        stat = processes.read_stat(other.pid)
        assert stat is not None
        processes.end_tree(stat.pid, stat.started - 1, patience=0.1)
        assert other.poll() is None
        processes.end_tree(stat.pid, stat.started, patience=10)
        assert other.wait(10) < 0
