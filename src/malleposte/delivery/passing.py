"""Mail that goes on for others counts too: against the account whose forward or script it is, for aliases
and groups against their domain (``directory.senders``). What exceeds a limit is held in the queue.

Strangers choose how much that is. So what waits of one sender is bounded as well, held or not: past that
nothing more of it is taken into the queue, and a forward's mail stays with its account.
"""

import time
from collections.abc import Callable
from typing import Final

from malleposte.delivery.leaving import Sending
from malleposte.delivery.verdict import Verdict
from malleposte.directory.senders import Counted, Senders
from malleposte.policy.remembered import Remembered
from malleposte.store.dialect import Reader
from malleposte.store.read.sending import waiting

MOST_WAITING: Final = 10_000
"""Messages of one sender that wait to go on."""
MOST_OCTETS: Final = 4 << 30
"""Octets of them, each counted whole."""
KNOWN_FOR: Final = 1.0
"""Seconds for which it is remembered how much waits."""
MOST_KNOWN: Final = 1_000
TOO_MUCH: Final = Verdict(
    452, "4.4.5", "Too much mail waits here to be sent on; please try again later"
)


class Passing:
    """See the module. ``clock``: seconds that never go back."""

    def __init__(
        self,
        reader: Reader,
        senders: Senders,
        sending: Sending,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._senders = senders
        self._sending = sending
        self._clock = clock
        self._full = Remembered[int, tuple[float, bool]](MOST_KNOWN)

    async def counted(self, by: str, account: int) -> Counted:
        """Against whom it counts, and with which limits; as ``Senders.onward``."""
        return await self._senders.onward(by, account, self._sending.limits, time.time())

    async def full(self, by: str, account: int) -> bool:
        """Whether as much waits of one sender as may."""
        sender = (await self.counted(by, account)).sender
        known = self._full.get(sender)
        if known is not None and known[0] > self._clock():
            return known[1]
        messages, octets = await waiting(self._reader, sender, MOST_WAITING)
        full = messages >= MOST_WAITING or octets >= MOST_OCTETS
        self._full.keep(sender, (self._clock() + KNOWN_FOR, full))
        return full
