"""How many connections there are, to everybody and to one destination."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable

from .settings import Concurrency

REFUSED = 120.0
"""Seconds for which a destination that refused one more connection is not asked for more."""


class Slots:
    """Connections to everybody. Who has none and gets none is called back when one is free, in turn; for
    each who waits one lane gives way: one that idles, or one of a destination that has others.

    Guests have half of them at most: destinations that took nothing lately, and to which nobody here wrote.
    Strangers choose those, by the senders they forge, and could have all lanes wait for servers that are
    slow on purpose."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._room = max(1, most // 2)
        """How many more guests there may be."""
        self._outside: OrderedDict[Hashable, Callable[[], None]] = OrderedDict()
        """Guests that wait for other guests to leave."""
        self._waiting: OrderedDict[Hashable, Callable[[], None]] = OrderedDict()
        self._promised: OrderedDict[Hashable, Callable[[], None]] = OrderedDict()
        self._idle: OrderedDict[asyncio.Future[bool], None] = OrderedDict()

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for whom nobody gives way yet."""
        return bool(self._waiting)

    def take(
        self, who: Hashable, free: Callable[[], None], *, have: int = 0, guest: bool = False
    ) -> bool:
        """Take one besides the ``have`` there are; a first one that is not to be had is waited for:
        ``free`` is called later, and may try again. ``guest``: see the class; to be said again when it is
        given back."""
        if guest and self._room <= 0:
            self.forget(who)
            if not have:
                self._outside[who] = free
            return False
        if self._free > 0 and not (have and (self._waiting or self._promised)):
            self._free -= 1
            self._room -= guest
            self.forget(who)
            return True
        if have or who in self._promised:
            return False
        while self._idle:
            idle, _ = self._idle.popitem(last=False)
            if not idle.done():
                idle.set_result(False)
                self._promised[who] = free
                return False
        self._waiting.setdefault(who, free)
        return False

    def yields(self) -> bool:
        """Whether a lane that can be spared is to end: once for each who waits."""
        if not self._waiting:
            return False
        who, free = self._waiting.popitem(last=False)
        self._promised[who] = free
        return True

    def give(self, *, guest: bool = False) -> None:
        """Give one back."""
        self._free += 1
        self.pass_on()
        if guest:
            self.known(1)

    def known(self, count: int) -> None:
        """So many are not taken by guests any more."""
        self._room += count
        for _ in range(min(count, len(self._outside))):
            who, free = self._outside.popitem(last=False)
            self._waiting.setdefault(who, free)
        if count:
            self.pass_on()

    def pass_on(self) -> None:
        """What is free goes to who waits."""
        line = self._promised or self._waiting
        if self._free > 0 and line:
            _, free = line.popitem(last=False)
            asyncio.get_running_loop().call_soon(free)

    def forget(self, who: Hashable) -> None:
        """Who needs none any more."""
        self._waiting.pop(who, None)
        self._promised.pop(who, None)
        self._outside.pop(who, None)

    def idle(self, future: "asyncio.Future[bool]") -> None:
        """Somebody waits with a connection in hand until ``future`` is done; False: it is to be ended."""
        self._idle[future] = None

    def busy(self, future: "asyncio.Future[bool]") -> None:
        """He does not any more."""
        self._idle.pop(future, None)


class Limit:
    """Connections to one destination: one more when each of them has had a message taken, half with a
    failure."""

    def __init__(self, settings: Concurrency) -> None:
        self._settings = settings
        self._now = float(min(settings.first, settings.each))
        self._ceiling, self._lifted_at = settings.each, 0.0

    @property
    def now(self) -> int:
        """How many there may be."""
        return int(self._now)

    def worked(self) -> None:
        """A message was taken."""
        most = self._settings.each
        if self._ceiling < most and asyncio.get_running_loop().time() < self._lifted_at:
            most = self._ceiling
        self._now = min(self._now + 1 / self._now, float(most))

    def failed(self) -> None:
        """A connection broke, or was not to be had."""
        self._now = max(self._now / 2, 1.0)

    def probe(self) -> None:
        """It did not work the last time: one looks, the others wait."""
        self._now = 1.0

    def at_most(self, count: int, now: float) -> None:
        """More are refused, for some time. ``now``: the loop's time."""
        self._now = max(1.0, min(self._now, float(count)))
        self._ceiling, self._lifted_at = max(1, count), now + REFUSED
