"""Copies of a submitted message that go to other servers: by which route, and what those must know."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from malleposte.delivery.outbound import Routing
from malleposte.delivery.rewriting import Rewriter
from malleposte.delivery.signing.canonical import BodyHash
from malleposte.delivery.spool import AT_ONCE, COPIED
from malleposte.directory.book import Account
from malleposte.directory.senders import Senders
from malleposte.mime.address import addresses, mailboxes
from malleposte.mime.headers import FIELD
from malleposte.mime.seven_bit import is_seven_bit
from malleposte.policy.sending import SendLimits
from malleposte.store.commands import EIGHTBIT, SMTPUTF8, Allowance, Handing, Relay
from malleposte.wire.smtp.content import LineEnds


class Leaver(Protocol):
    """A recipient elsewhere. ``remote``: its domain as A-labels, its local part as it came."""

    @property
    def remote(self) -> str: ...
    @property
    def notify(self) -> str: ...
    @property
    def original(self) -> str: ...


Seal = Callable[[str, bytes, bytes, int], Awaitable[bytes]]
"""Seals a message that is sent on for others: as ``Sign``; '' where it cannot."""
Strict = Callable[[str], Awaitable[bool]]
"""Whether a domain has mail in its name refused that it did not sign: ``AuthorPolicies.strict``."""
Concerns = Callable[[str], Awaitable[bool]]
"""Whether a domain has keys: ``signing.signer.Signer.concerns``."""
Sign = Callable[[str, bytes, bytes, int], Awaitable[bytes]]
"""Signs a header for a domain, with the digest of the body and the time: ``signing.signer.Signer.sign``."""


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Sending:
    """That this server sends. ``lifetime``: seconds after which nothing is tried again. ``queued`` is
    called when something was put into the queue."""

    routing: Routing
    lifetime: int = 5 * 86_400
    queued: Callable[[], None] = field(default=_nothing)
    sign: Sign | None = None
    seal: Seal | None = None
    strict: Strict | None = None
    rewriter: Rewriter | None = None
    limits: SendLimits = field(default_factory=SendLimits)
    concerns: Concerns | None = None

    async def allowances(
        self, senders: Senders, account: Account, now: float
    ) -> tuple[Allowance, ...]:
        """Against which limits an account's mail counts. Raises what the store raises."""
        return await senders.allowances(account, self.limits, now)

    async def signed(
        self, domain: str, header: bytes, body: bytes | memoryview, now: float
    ) -> bytes:
        """The signatures of a message whose author is in ``domain``, '' where nothing signs. Raises what
        the store raises."""
        return await self._over(self.sign, domain, header, body, now)

    async def sealed(
        self, domain: str, header: bytes, body: bytes | memoryview, now: float
    ) -> bytes:
        """The ARC set of a message that is sent on for others; '' where there is none to be made. Raises
        what the store raises."""
        return await self._over(self.seal, domain, header, body, now)

    async def _over(
        self, make: Sign | None, domain: str, header: bytes, body: bytes | memoryview, now: float
    ) -> bytes:
        """What ``make`` makes of a message as it goes over the wire; the body is hashed only where the
        domain has keys."""
        if make is None or (self.concerns is not None and not await self.concerns(domain)):
            return b""
        lines = LineEnds()
        fields = lines.feed(header) + lines.end()
        if len(body) <= AT_ONCE:
            digest = _digest(body)
        else:
            digest = await asyncio.to_thread(_digest, body)
        return await make(domain, fields, digest, int(now))

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
        allowances: tuple[Allowance, ...] = (),
        by: str = "",
        route: str = "",
        release: int = 0,
    ) -> Handing:
        """The copy for all recipients elsewhere. ``header``: the message's; ``eight_bit``: whether its
        content is not ASCII alone; ``account``, ``by``: as in ``Handing``; ``route``: the way of all of
        them, in place of each one's own; ``release``: not before. SMTPUTF8 is asked of other servers only
        where something needs it (RFC 6531 §3.4)."""
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
                    route=route or self.routing.route_of(one.remote, sender),
                    due_at=release,
                    notify=one.notify,
                    original=one.original,
                )
                for one in leavers
            ),
            expires_at=max(int(now), release) + self.lifetime,
            prefix=prefix,
            needs=needs,
            ret=ret,
            envelope=envelope,
            allowances=allowances,
            by=by,
        )


def _digest(body: bytes | memoryview) -> bytes:
    hashed, lines = BodyHash(), LineEnds()
    for at in range(0, len(body), COPIED):
        hashed.add(lines.feed(bytes(body[at : at + COPIED])))
    hashed.add(lines.end())
    return hashed.digest()


def addresses_in(header: bytes, name: bytes) -> list[str]:
    """The addresses of all fields of a name (lower case); one that has no domain stands as it is."""
    return [
        one.addr_spec.decode("utf-8", "replace")
        for field in FIELD.finditer(header)
        if field[1].rstrip().lower() == name
        for one in mailboxes(addresses(field[2]))
    ]


def has_eight_bit(octets: bytes | memoryview) -> bool:
    """Whether something is not ASCII."""
    return not is_seven_bit(octets)
