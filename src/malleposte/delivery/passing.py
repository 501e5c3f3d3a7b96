"""Mail that goes on for others counts too: against the account whose forward or script it is, for aliases
and groups against their domain (``directory.senders``). What exceeds a limit is held in the queue.

Strangers choose how much that is. So what waits of one sender is bounded as well, held or not: past that
nothing more of it is taken into the queue, and a forward's mail stays with its account. What an account
itself submits is bounded likewise, at twice that: so strangers cannot keep it from writing.
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
OWN: Final = 2
"""So many times as much may wait before an account can submit no more."""
TOO_MUCH_OF_YOURS: Final = Verdict(
    452,
    "4.4.5",
    "Too much of your mail waits here to be sent, held by a limit or since it cannot be delivered now;"
    " please try again later, or ask your administrator",
)
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
        self._full = Remembered[tuple[int, int], tuple[float, bool]](MOST_KNOWN)

    async def counted(self, by: str, account: int) -> Counted:
        """Against whom it counts, and with which limits; as ``Senders.onward``."""
        return await self._senders.onward(by, account, self._sending.limits, time.time())

    async def full(self, by: str, account: int) -> bool:
        """Whether as much waits of one sender as may."""
        return await self._waits((await self.counted(by, account)).sender, 1)

    async def full_of(self, account: int) -> bool:
        """Whether so much of an account waits that it can submit no more."""
        return await self._waits(account, OWN)

    async def _waits(self, sender: int, times: int) -> bool:
        known = self._full.get((sender, times))
        if known is not None and known[0] > self._clock():
            return known[1]
        most = MOST_WAITING * times
        messages, octets = await waiting(self._reader, sender, most)
        full = messages >= most or octets >= MOST_OCTETS * times
        self._full.keep((sender, times), (self._clock() + KNOWN_FOR, full))
        return full
