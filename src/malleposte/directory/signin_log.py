"""What the log says of sign-ins: each that succeeded, and of those refused as many as one can read."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import structlog

from malleposte.policy.log_ration import LogRation

log = structlog.get_logger(__name__)

SAID_EVERY: Final = 600.0
"""Seconds between two lines of a program that signs in with each request."""
MOST_SAID: Final = 10_000
"""Such programs that are remembered."""


class SignInLog:
    """See the module. One for each worker. ``clock``: seconds that never go back."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ration = LogRation(clock)
        self._clock = clock
        self._said: OrderedDict[tuple[str, int, str], float] = OrderedDict()

    def __len__(self) -> int:
        """Networks in memory."""
        return len(self._ration)

    def signed_in(self, service: str, account: int, peer: str, *, tls: bool) -> None:
        """An account signed in."""
        log.info(f"{service}_signed_in", account=account, peer=peer, tls=tls)

    def asked(self, service: str, account: int, peer: str, *, tls: bool) -> None:
        """An account signed in, as it does with each request."""
        who, now = (service, account, peer), self._clock()
        before = self._said.get(who)
        if before is not None and now - before < SAID_EVERY:
            return
        self._said[who] = now
        self._said.move_to_end(who)
        if len(self._said) > MOST_SAID:
            self._said.popitem(last=False)
        self.signed_in(service, account, peer, tls=tls)

    def refused(self, service: str, peer: str, reason: str) -> None:
        """A sign-in was refused."""
        more = self._ration.line(peer)
        if more is not None:
            log.info(f"{service}_sign_in_refused", peer=peer, reason=reason, **more)
