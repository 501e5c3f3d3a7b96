"""CPU seconds and memory of process trees, read from /proc (Linux).

CPU is utime + stime + cutime + cstime (fields 14–17 of `/proc/PID/stat`, proc(5)) summed over a
tree: children that ended and were waited for are in their parent's cutime and cstime, so the sum
never loses them. It moves in steps of one clock tick (10 ms). Memory is Pss and Rss of
`smaps_rollup`. A process that ends while it is read counts as nothing.
"""

import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Stat:
    """One line of `/proc/PID/stat`: what is needed of it. `started` is in ticks since boot."""

    pid: int
    state: str
    parent: int
    cpu_ticks: int
    started: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes held by a tree: proportional and resident set size."""

    pss: int
    rss: int


def parse_stat(line: str) -> Stat:
    """Parse one stat line; the command's name may hold spaces and parentheses."""
    before, _, after = line.rpartition(")")
    fields = after.split()
    return Stat(
        pid=int(before.partition(" ")[0]),
        state=fields[0],
        parent=int(fields[1]),
        cpu_ticks=sum(int(field) for field in fields[11:15]),
        started=int(fields[19]),
    )


def read_stat(pid: int, proc: Path = _PROC) -> Stat | None:
    """The process's stat, or None when it is gone."""
    try:
        return parse_stat((proc / str(pid) / "stat").read_text(errors="replace"))
    except (FileNotFoundError, ProcessLookupError):
        return None


def tree(roots: Iterable[int], proc: Path = _PROC) -> list[Stat]:
    """The roots that live and all their descendants, each once."""
    every: dict[int, Stat] = {}
    children: dict[int, list[int]] = {}
    for entry in os.listdir(proc):
        if not entry.isdigit():
            continue
        stat = read_stat(int(entry), proc)
        if stat is not None:
            every[stat.pid] = stat
            children.setdefault(stat.parent, []).append(stat.pid)
    found: dict[int, Stat] = {}
    waiting = [pid for pid in roots if pid in every]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found[pid] = every[pid]
            waiting.extend(children.get(pid, ()))
    return list(found.values())


def cpu_seconds(roots: Iterable[int], proc: Path = _PROC) -> float:
    """CPU seconds that the trees have used since their start, ended children included."""
    return sum(stat.cpu_ticks for stat in tree(roots, proc)) / _TICKS


def memory(roots: Iterable[int], proc: Path = _PROC) -> Memory:
    """Pss and Rss of the trees in bytes; reading other users' processes needs root."""
    pss = rss = 0
    for stat in tree(roots, proc):
        try:
            text = (proc / str(stat.pid) / "smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        for line in text.splitlines():
            name, _, value = line.partition(":")
            if name == "Pss":
                pss += int(value.split()[0]) * 1024
            elif name == "Rss":
                rss += int(value.split()[0]) * 1024
    return Memory(pss, rss)


def end_tree(root: int, started: int, *, patience: float = 20.0) -> None:
    """End a tree by its ids: SIGTERM to the root, SIGKILL to what is left after `patience` s.

    `started` (see `Stat`) guards against a process id that was given to another process since.
    Children that the root leaves behind are recognised by id and start as well.
    """
    root_stat = read_stat(root)
    if root_stat is None or root_stat.started != started:
        return
    members = tree([root])
    os.kill(root, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if not any(_lives(stat) for stat in members):
            return
        time.sleep(0.02)
    for stat in members:
        if _lives(stat):
            try:
                os.kill(stat.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def _lives(stat: Stat) -> bool:
    """Whether the very process still runs; a zombie has ended and waits only for its parent."""
    now = read_stat(stat.pid)
    return now is not None and now.started == stat.started and now.state != "Z"
