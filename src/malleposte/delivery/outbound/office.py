"""What is handed out to destinations, and what they are given by who owns them all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from malleposte.store.results import TakenMessage, TakenRecipient

from .connection import Content
from .opening import Opener
from .outcome import Judge, Settled
from .pool import Slots
from .settings import OutboundSettings
from .words import Trouble


@dataclass(slots=True)
class Parcel:
    """One message with those of its recipients that go in one transaction. ``until``: when its lease
    ends, by the loop's clock. ``tries``: connections it was offered over."""

    message: TakenMessage
    recipients: tuple[TakenRecipient, ...]
    until: float
    tries: int = 0


def is_ours(message: TakenMessage) -> bool:
    """Whether somebody here has it sent, and it is no report or answer of a program: those go where
    strangers want."""
    return message.account > 0 and bool(message.sender)


class Office(Protocol):
    """See the module."""

    settings: OutboundSettings
    judge: Judge
    opener: Opener
    slots: Slots

    def content(self, message: TakenMessage) -> Content:
        """The content of a message."""
        ...

    def settle(self, settled: Sequence[Settled], works: Sequence[TakenRecipient] = ()) -> None:
        """Have outcomes recorded; the routes of ``works`` failed before, and do not any more."""
        ...

    def way_failed(
        self, trouble: Trouble, tried: Sequence[Parcel], waiting: Sequence[Parcel], *, new: bool
    ) -> None:
        """Nothing goes this way now. ``new``: it was not said a moment ago already."""
        ...

    def lapse(self, parcel: Parcel) -> None:
        """A parcel is left to its lease."""
        ...

    async def ready(self) -> None:
        """Wait until the store takes what is recorded."""
        ...
