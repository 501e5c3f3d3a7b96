"""How many lines of the log a stranger can cause.

Whoever guesses or knocks decides how often he is refused, and must not decide how long the log grows.
Lines left out are counted in the network's next one, and all are in the figures.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from malleposte.policy.network import network_of
from malleposte.policy.remembered import Remembered

NETWORK_LINES: Final = 10
"""Lines about one network in a minute."""
ALL_LINES: Final = 300
"""Lines in a minute: 60 kB."""
NETWORKS: Final = 1_000
"""Networks remembered."""
MINUTE: Final = 60.0


@dataclass(slots=True)
class _Share:
    """Lines that may still be written, filling up by and by."""

    most: int
    left: float
    at: float
    unwritten: int = 0

    def take(self, now: float) -> bool:
        self.left = min(self.most, self.left + (now - self.at) * self.most / MINUTE)
        self.at = now
        if self.left < 1:
            self.unwritten += 1
            return False
        self.left -= 1
        return True


class LogRation:
    """See the module. ``clock``: seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._networks = Remembered[str, _Share](NETWORKS)
        self._all = _Share(ALL_LINES, ALL_LINES, clock())

    def __len__(self) -> int:
        """Networks in memory."""
        return len(self._networks)

    def line(self, peer: str) -> dict[str, int] | None:
        """What a line about a peer says besides; None: it is not to be written."""
        now, network = self._clock(), network_of(peer)
        share = self._networks.get(network)
        if share is None:
            share = _Share(NETWORK_LINES, NETWORK_LINES, now)
            self._networks.keep(network, share)
        if not share.take(now):
            return None
        if not self._all.take(now):
            share.unwritten += 1
            return None
        more = {"unwritten": share.unwritten} if share.unwritten else {}
        share.unwritten = 0
        return more
