"""Copies of a submitted message that go to other servers: by which route, and what those must know."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from malleposte.delivery.outbound import Routing
from malleposte.store.commands import EIGHTBIT, SMTPUTF8, Handing, Relay

_EIGHT_BIT: Final = re.compile(rb"[\x80-\xff]")


class Leaver(Protocol):
    """A recipient elsewhere. ``remote``: its domain as A-labels, its local part as it came."""

    @property
    def remote(self) -> str: ...
    @property
    def notify(self) -> str: ...
    @property
    def original(self) -> str: ...


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Sending:
    """That this server sends. ``lifetime``: seconds after which nothing is tried again. ``queued`` is
    called when something was put into the queue."""

    routing: Routing
    lifetime: int = 5 * 86_400
    queued: Callable[[], None] = field(default=_nothing)

    def handing(
        self,
        sender: str,
        leavers: Sequence[Leaver],
        *,
        account: int,
        organisation: int,
        prefix: bytes,
        header: bytes | memoryview,
        eight_bit: bool,
        now: float,
        ret: str = "",
        envelope: str = "",
    ) -> Handing:
        """The copy for all recipients elsewhere. ``header``: the message's; ``eight_bit``: whether its
        content is not ASCII alone. SMTPUTF8 is asked of other servers only where something needs it
        (RFC 6531 §3.4)."""
        addresses = [sender, *(one.remote for one in leavers)]
        international = not all(map(str.isascii, addresses)) or has_eight_bit(header)
        needs = (EIGHTBIT if eight_bit else 0) | (SMTPUTF8 | EIGHTBIT if international else 0)
        return Handing(
            organisation=organisation,
            account=account,
            sender=sender,
            relays=tuple(
                Relay(
                    address=one.remote,
                    route=self.routing.route_of(one.remote, sender),
                    notify=one.notify,
                    original=one.original,
                )
                for one in leavers
            ),
            expires_at=int(now) + self.lifetime,
            prefix=prefix,
            needs=needs,
            ret=ret,
            envelope=envelope,
        )


def has_eight_bit(octets: bytes | memoryview) -> bool:
    """Whether something is not ASCII."""
    if isinstance(octets, bytes):
        return not octets.isascii()
    return _EIGHT_BIT.search(octets) is not None
