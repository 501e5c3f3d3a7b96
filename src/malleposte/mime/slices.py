"""Work done in slices: generators that yield between them and return the result.

A caller that serves others runs one slice, lets its loop turn, runs the next; one that does not
care drives it to the end with `run`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")


def run(work: Generator[None, None, T]) -> T:
    """Drive work done in slices to its end."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            result: T = stop.value
            return result
