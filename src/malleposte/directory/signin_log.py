"""What the log says of sign-ins: each that succeeded, and of those refused as many as one can read."""

import time
from collections.abc import Callable

import structlog

from malleposte.policy.log_ration import LogRation

log = structlog.get_logger(__name__)


class SignInLog:
    """See the module. One for each worker. ``clock``: seconds that never go back."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ration = LogRation(clock)

    def __len__(self) -> int:
        """Networks in memory."""
        return len(self._ration)

    def signed_in(self, service: str, account: int, peer: str, *, tls: bool) -> None:
        """An account signed in."""
        log.info(f"{service}_signed_in", account=account, peer=peer, tls=tls)

    def refused(self, service: str, peer: str, reason: str) -> None:
        """A sign-in was refused."""
        more = self._ration.line(peer)
        if more is not None:
            log.info(f"{service}_sign_in_refused", peer=peer, reason=reason, **more)
