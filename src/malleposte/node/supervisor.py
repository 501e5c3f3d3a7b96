"""The supervisor: binds the sockets, starts the others, replaces who dies, stops them in order.

It runs no event loop and no thread, so that it may fork at any time; children share its memory. It
holds every listening socket: a worker or writer that is replaced finds the connections that came
meanwhile waiting. Children end with it (parent-death signal).
"""

import contextlib
import errno
import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from malleposte.node.processes import die_with_parent, name_process, no_new_privileges

log = structlog.get_logger("supervisor")

QUICK_DEATH = 2.0
"""A child that lived shorter is started again with a growing pause, so that nothing spins."""
LONGEST_PAUSE = 5.0
NO_FORK = 1.0
"""Seconds to the next try where the system has no process to give."""


@dataclass(slots=True)
class Child:
    """A process to keep running. ``main`` is its whole life; its return value is the exit code."""

    name: str
    main: Callable[[], int]
    grace: float
    """Seconds it may take to stop before it is killed."""
    final: tuple[int, ...] = ()
    """Exit codes after which it is not started again: the whole server ends with that code."""
    pid: int = 0
    started: float = 0.0
    deaths: int = 0
    due: float = field(default=0.0)


class Supervisor:
    """See the module. Children are stopped from the last to the first."""

    def __init__(self, children: list[Child]) -> None:
        self._children = children
        self._pid = os.getpid()
        self._stopping = False
        self._code = 0
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self.restarts = 0

    def run(self, ready: Callable[[], None] | None = None) -> int:
        """Keep the children running until SIGTERM or SIGINT; the exit code."""
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        for child in self._children:
            self._start(child)
        if ready is not None:
            ready()
        while not self._stopping:
            self._wait()
            self._reap()
            now = time.monotonic()
            for child in self._children:
                if not child.pid and now >= child.due and not self._stopping:
                    self._start(child)
        self._shut_down()
        return self._code

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _wait(self, at_most: float = 1.0) -> None:
        due = [c.due for c in self._children if not c.pid]
        timeout = max(0.0, min(at_most, *(d - time.monotonic() for d in due))) if due else at_most
        with contextlib.suppress(InterruptedError):
            select.select([self._reader], [], [], timeout)
        with contextlib.suppress(BlockingIOError):
            os.read(self._reader, 4096)

    def _start(self, child: Child) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            # No memory, or too many processes: that passes.
            child.due = time.monotonic() + NO_FORK
            log.error("a process cannot be started", process=child.name, reason=str(error))
            return
        if pid:
            child.pid, child.started = pid, time.monotonic()
            return
        code = 70
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            die_with_parent(self._pid)
            no_new_privileges()
            name_process(f"malle:{child.name}")
            code = child.main()
        except KeyboardInterrupt:
            code = 0
        except BaseException:
            log.exception("a process ended by a defect", process=child.name)
        finally:
            os._exit(code)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except OSError as error:
                if error.errno == errno.ECHILD:
                    return
                raise
            if not pid:
                return
            for child in self._children:
                if child.pid == pid:
                    self._died(child, status)

    def _died(self, child: Child, status: int) -> None:
        child.pid = 0
        if self._stopping:
            return
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) in child.final:
            # It has said why.
            self._stopping, self._code = True, os.WEXITSTATUS(status)
            return
        lived = time.monotonic() - child.started
        child.deaths = child.deaths + 1 if lived < QUICK_DEATH else 0
        pause = min(LONGEST_PAUSE, 0.1 * 2**child.deaths) if child.deaths else 0.0
        child.due = time.monotonic() + pause
        self.restarts += 1
        how = (
            f"signal {os.WTERMSIG(status)}"
            if os.WIFSIGNALED(status)
            else f"exit code {os.WEXITSTATUS(status)}"
        )
        log.warning(
            "a process ended and is replaced", process=child.name, by=how, lived=round(lived, 1)
        )

    def _shut_down(self) -> None:
        """Stop the workers, all at once, and then what they stand on."""
        groups: dict[str, list[Child]] = {}
        for child in reversed(self._children):
            groups.setdefault(child.name.split(" ")[0], []).append(child)
        for group in groups.values():
            for child in group:
                self._signal(child, signal.SIGTERM)
            until = time.monotonic() + max(child.grace for child in group)
            while any(child.pid for child in group) and time.monotonic() < until:
                self._wait(0.2)
                self._reap()
            for child in group:
                if child.pid:
                    log.error("a process did not stop in time and is killed", process=child.name)
                self._signal(child, signal.SIGKILL)
            while any(child.pid for child in group):
                self._wait(0.2)
                self._reap()

    @staticmethod
    def _signal(child: Child, number: int) -> None:
        if child.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, number)
