"""Checking a script before it is kept: mistakes are refused, what only may go wrong is a warning."""

import asyncio
from dataclasses import dataclass
from typing import Final

from malleposte.store.dialect import Reader
from malleposte.store.read import sieve

from .scripts import compiled

AT_ONCE: Final = 2
"""Scripts of one worker checked at a time; the largest take a second."""
MOST_WARNINGS: Final = 10


@dataclass(frozen=True, slots=True)
class Checked:
    """A script that can be kept. ``warnings``: in words for its author."""

    extensions: frozenset[str]
    warnings: tuple[str, ...]


class Checker:
    """See the module. One for each worker."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def check(
        self, content: bytes, *, owner: int, organisation: int, name: str = "", domain: str = ""
    ) -> Checked:
        """Check a script of an owner (as in the store), kept under ``name``. Raises ``SieveError`` with
        every mistake, and what the store raises."""
        warnings: list[str] = []

        async def read(kept: bool, wanted: str) -> bytes | None:
            whose = -organisation if kept else owner
            found = await sieve.included(self._reader, whose, wanted, domain if whose < 0 else "")
            if found is None:
                kind = "global script" if kept else "script"
                warnings.append(f"there is no {kind} {wanted!r} to include (yet)")
            return found

        async with self._turn:
            script, _ = await compiled(content, name, read)
        return Checked(script.extensions, tuple(dict.fromkeys(warnings))[:MOST_WARNINGS])
