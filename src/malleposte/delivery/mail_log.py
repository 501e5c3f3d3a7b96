"""What the log says of mail that comes: each message, and of what is refused as many as one can read.

Addresses are in it and nothing of a message's content; the number is that of the reply, of the Received
line and of the trace.
"""

import time
from collections.abc import Callable, Sequence

import structlog

from malleposte.policy.log_ration import LogRation

log = structlog.get_logger(__name__)

SHOWN = 10
"""Recipients named in a line; the others are counted."""


class MailLog:
    """See the module. One for each worker. ``clock``: seconds that never go back."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ration = LogRation(clock)

    def message(
        self,
        service: str,
        number: str,
        peer: str,
        sender: str,
        recipients: Sequence[str],
        octets: int,
        codes: Sequence[int],
        *,
        account: int = 0,
        device: str = "",
    ) -> None:
        """A message came in whole and was answered; ``codes``: a reply for all, or one for each.
        ``device``: its address where one sent it."""
        kept: dict[str, int | str] = {"account": account} if account else {}
        if device:
            kept["device"] = device
        if len(recipients) > SHOWN:
            kept["more"] = len(recipients) - SHOWN
        log.info(
            f"{service}_message",
            id=number,
            peer=peer,
            sender=sender,
            recipients=list(recipients[:SHOWN]),
            octets=octets,
            codes=sorted(set(codes)),
            **kept,
        )

    def refused(
        self, service: str, peer: str, sender: str, recipient: str, code: int, text: str
    ) -> None:
        """A sender or a recipient was refused. ``recipient`` is '' where it came before any."""
        more = self._ration.line(peer)
        if more is not None:
            log.info(
                f"{service}_refused",
                peer=peer,
                sender=sender,
                recipient=recipient,
                code=code,
                text=text,
                **more,
            )
