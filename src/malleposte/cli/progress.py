"""How far long work is: a bar on a terminal, a line now and then otherwise. Always on standard error."""

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

LINE_EVERY = 5.0
"""Seconds between two lines where no terminal shows a bar."""


class Shown:
    """Progress of one piece of work; ``octets``: it is counted in them."""

    def __init__(
        self, title: str, bar: "RichProgress | None", *, quiet: bool, octets: bool
    ) -> None:
        self._title = title
        self._bar = bar
        self._task: TaskID | None = None
        self._quiet = quiet
        self._octets = octets
        self._next = time.monotonic() + LINE_EVERY

    def report(self, done: int, total: int, words: str = "") -> None:
        """See ``operations.exchange.Progress``."""
        if self._quiet:
            return
        if self._bar is not None:
            if self._task is None:
                self._task = self._bar.add_task(self._title, total=total or None)
            text = f"{self._title} {words}".strip()
            self._bar.update(self._task, completed=done, total=total or None, description=text)
            return
        now = time.monotonic()
        if now >= self._next:
            self._next = now + LINE_EVERY
            of = f" of {self._amount(total)}" if total else ""
            print(f"{self._title}: {self._amount(done)}{of} {words}".rstrip(), file=sys.stderr)

    def _amount(self, value: int) -> str:
        from malleposte.cli.output import size

        return size(value) if self._octets else f"{value:,}"


@contextlib.contextmanager
def shown(title: str, *, quiet: bool = False, octets: bool = False) -> Iterator[Shown]:
    """Show progress while the block runs. ``quiet``: nothing at all."""
    if quiet or not sys.stderr.isatty():
        yield Shown(title, None, quiet=quiet, octets=octets)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    amount = DownloadColumn() if octets else MofNCompleteColumn()
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        amount,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        yield Shown(title, bar, quiet=False, octets=octets)
