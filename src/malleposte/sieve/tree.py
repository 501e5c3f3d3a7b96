"""What the parser makes of a script: commands with arguments, tests and blocks (RFC 5228 §8.2).

`at` is the offset in the source. Nothing is known yet of what a command means.
"""

from __future__ import annotations

from typing import NamedTuple


class String(NamedTuple):
    """A string as it stands, before variables."""

    text: str
    at: int


class Strings(NamedTuple):
    """A list in brackets."""

    items: tuple[String, ...]
    at: int


class Number(NamedTuple):
    """A number, its unit applied."""

    value: int
    at: int


class Tag(NamedTuple):
    """`:name`, lower case, without the colon."""

    name: str
    at: int


Argument = String | Strings | Number | Tag


class Test(NamedTuple):
    """A test with its own tests; `listed` if those stood in parentheses."""

    name: str
    arguments: tuple[Argument, ...]
    tests: tuple[Test, ...]
    listed: bool
    at: int


class Command(NamedTuple):
    """A command; `block` is None if it ended in a semicolon."""

    name: str
    arguments: tuple[Argument, ...]
    tests: tuple[Test, ...]
    listed: bool
    block: tuple[Command, ...] | None
    at: int
