"""Routes that nobody here wrote to and that took nothing lately: strangers choose those, by the senders
that they forge. What is in hand for them is half of the hand at most; the rest waits a while in the queue.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final

from malleposte.store.commands import DELIVERED

from .hand import Hand
from .office import Parcel, is_ours
from .outcome import Settled

PUT_OFF: Final = 60
"""Seconds for which a route waits where there is too much in hand for guests."""
BUSY: Final = "many other servers are slow at present: it waits for its turn"
MOST_KNOWN: Final = 2_000
"""Routes of which it is remembered that they took something."""


class Guests:
    """See the module."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self._works: OrderedDict[str, None] = OrderedDict()

    def heard(self, settled: Sequence[Settled]) -> None:
        """What became of tries."""
        for one in settled:
            if one.outcome.state == DELIVERED:
                self._works[one.recipient.route] = None
                self._works.move_to_end(one.recipient.route)
                if len(self._works) > MOST_KNOWN:
                    self._works.popitem(last=False)

    def too_many(self, by_route: Mapping[str, Sequence[Parcel]]) -> list[str]:
        """Those of the routes that were taken now which are to wait."""
        found = []
        for route, parcels in by_route.items():
            if route in self._works or any(is_ours(parcel.message) for parcel in parcels):
                self._hand.known(route)
            elif self._hand.too_many(route):
                found.append(route)
        return found
