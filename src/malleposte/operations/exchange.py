"""What passes between an operation and its caller while it runs: progress, and parcels of mail.

A parcel is a small head (JSON) and perhaps a body of octets, in pieces. Both sides see the same thing
whether a socket lies between them or not.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Protocol

import msgspec


class BrokenBody(Exception):
    """The other side gave a body up in the middle; what came of it is worth nothing."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """``pieces`` must be read to its end before the next parcel is asked for; it raises
    ``BrokenBody``. None: there is no body."""

    head: msgspec.Raw
    pieces: AsyncIterator[bytes] | None = None


class Progress(Protocol):
    """Told how far an operation is; never waits, never fails."""

    def report(self, done: int, total: int, words: str = "") -> None:
        """``done`` of ``total`` (0: not known), and what is being done."""
        ...


class Exchange(Progress, Protocol):
    """Progress, and parcels in both directions. Only operations that stream use the parcels."""

    @property
    def gone(self) -> bool:
        """Whether the caller went away: long work that sends nothing for a while asks."""
        ...

    async def receive(self) -> Parcel | None:
        """The next parcel; None after the last."""
        ...

    async def send(
        self,
        head: msgspec.Struct,
        pieces: "AsyncIterator[bytes] | Iterable[bytes] | None" = None,
    ) -> None:
        """Send a parcel. An exception out of ``pieces`` breaks its body off and comes through."""
        ...
