"""Scripts that scripts include (RFC 6609), found and checked when the one around them is.

One that is missing, broken, or includes itself is no mistake of the script around it: it may come
later, so a run fails only where it comes to the include (§3.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .errors import SieveError, Wrong
from .limits import Limits
from .regex import Regex
from .run import Run
from .source import Source

Resolve = Callable[[bool, str], bytes | None]
"""Whether it is a global script, and its name → the script; None if there is none."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A script ready to run."""

    source: Source
    does: Callable[[Run], None]


@dataclass(slots=True)
class Included:
    """What an include leads to: a script, or what is wrong."""

    script: Checked | None = None
    wrong: str = ""
    missing: bool = False
    around: bool = False  # it is being included already


Check = Callable[[bytes, str, "Library", int], Checked]
"""Script, name, library, depth → ready to run; raises SieveError."""


class Library:
    """The scripts included in one, directly or not. Each is checked once."""

    def __init__(self, resolve: Resolve | None, limits: Limits, check: Check) -> None:
        self._resolve = resolve
        self._limits = limits
        self._check = check
        self._known: dict[tuple[bool, str], Included] = {}
        self._open: list[tuple[bool, str]] = []
        self.expressions: list[Regex] = []  # of all of them
        self._states = 0

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """The outermost script, a personal one of that name."""
        self._open.append((False, name))
        yield
        self._open.pop()

    def expression(self, regex: Regex, at: int) -> None:
        """Counts a regular expression; raises `Wrong` where all together are too large."""
        self._states += regex.size
        if self._states > self._limits.regex_states_in_all:
            raise Wrong(at, "the regular expressions of the script are too large in all")
        self.expressions.append(regex)

    def included(self, kept: bool, name: str, depth: int, at: int) -> Included:
        """The script of that name; raises `Wrong` for too many or too deep."""
        key = (kept, name)
        if key in self._open:
            return Included(wrong=f"the script {name!r} includes itself", around=True)
        if key in self._known:
            return self._known[key]
        if depth >= self._limits.include_depth:
            raise Wrong(at, f"scripts are included more than {self._limits.include_depth} deep")
        if len(self._known) >= self._limits.includes:
            raise Wrong(at, f"more than {self._limits.includes} scripts are included")
        found = self._known[key] = Included()
        script = None if self._resolve is None else self._resolve(kept, name)
        if script is None:
            found.wrong = f"there is no script {name!r} to include"
            found.missing = True
            return found
        self._open.append(key)
        try:
            found.script = self._check(script, name, self, depth + 1)
        except SieveError as error:
            found.wrong = f"the included script cannot be used: {error.mistakes[0]}"
        finally:
            self._open.pop()
        return found
