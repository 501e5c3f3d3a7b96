"""Whom the messages of a mailbox (``messages``) tell what changed: views of them (``view``)."""

from typing import Protocol

from malleposte.store.flag_sets import FlagSet
from malleposte.store.marks import Mark

Flagged = list[tuple[int, FlagSet, FlagSet]]
"""UIDs whose flags changed, with those before and those now."""


class Onlooker(Protocol):
    """A view of the messages."""

    reader: int

    def marked(self, rows: list[Mark]) -> None:
        """What its reader has marked; to be told to sessions with the next change."""
        ...

    def messages_changed(
        self, expunged: list[tuple[int, int]], flagged: Flagged, grown: bool, words: set[str]
    ) -> None:
        """UIDs and email numbers gone, flags that changed, whether new messages came, keywords met."""
        ...

    def messages_gone(self) -> None:
        """The mailbox was deleted, or its UIDVALIDITY changed."""
        ...
