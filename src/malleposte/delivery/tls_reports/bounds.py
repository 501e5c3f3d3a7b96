"""How many reports go to one place in a day: whoever has many domains names whom he likes as their
addressee (RFC 8460 asks nobody whether he wants them).

A worker counts for itself, in memory: it is about bursts, not about the last report.
"""

import time
import urllib.parse
from collections import Counter
from collections.abc import Callable
from typing import Final

DAY: Final = 86_400
MOST: Final = 200
"""Reports to one host by HTTPS, or to one mailbox."""
FAILURES: Final = 5
"""Tries by HTTPS that fail at one host; then it is not asked again that day."""


class Bounds:
    """See the module. ``clock``: seconds of the Unix epoch."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._day = 0
        self._taken: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()

    def may(self, uri: str) -> bool:
        """Whether one more report may go there today. Raises ``TimeoutError`` where it was tried often
        enough today: then tomorrow."""
        self._look()
        place = _place(uri)
        if self._failed[place] >= FAILURES:
            raise TimeoutError(f"{place} failed {FAILURES} times today")
        return self._taken[place] < MOST

    def took(self, uri: str) -> None:
        """A report went there."""
        self._look()
        self._taken[_place(uri)] += 1

    def failed(self, uri: str) -> None:
        """It did not take one."""
        self._look()
        self._failed[_place(uri)] += 1

    def _look(self) -> None:
        today = int(self._clock()) // DAY
        if today != self._day:
            self._day = today
            self._taken.clear()
            self._failed.clear()


def _place(uri: str) -> str:
    """The host of a URL, without its port: it is the same machine; the mailbox of an address."""
    if uri.startswith("mailto:"):
        return uri.lower()
    try:
        return (urllib.parse.urlsplit(uri).hostname or "").lower()
    except ValueError:
        return uri
