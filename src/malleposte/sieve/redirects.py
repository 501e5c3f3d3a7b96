"""Where a script sends mail on to, as far as it can be read from it: for lists of what leads elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .errors import SieveError, Wrong
from .limits import DEFAULT_LIMITS, Limits
from .parser import parse
from .source import read_source
from .tree import Command, String, Tag


class Redirection(NamedTuple):
    """One `redirect` action. `address`: as it is written, with its variables; `copy`: it keeps one."""

    address: str
    copy: bool


def redirections(script: bytes, limits: Limits = DEFAULT_LIMITS) -> tuple[Redirection, ...]:
    """The `redirect` actions of a script, each once, whatever their conditions; none of one that is
    wrong: it does not run."""
    try:
        commands = parse(read_source(script, limits), limits)
    except (SieveError, Wrong):
        return ()
    return tuple(dict.fromkeys(_within(commands)))


def _within(commands: tuple[Command, ...]) -> Iterator[Redirection]:
    for command in commands:
        if command.name.lower() == "redirect":
            tags = {one.name for one in command.arguments if isinstance(one, Tag)}
            for one in command.arguments:
                if isinstance(one, String):
                    yield Redirection(one.text, "copy" in tags)
        yield from _within(command.block or ())
