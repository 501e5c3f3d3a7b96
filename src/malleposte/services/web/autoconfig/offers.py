"""What mail programs are offered, and for whom."""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from malleposte.directory.addresses import shown_domain

Protocol = Literal["imap", "pop3", "smtp"]
PROTOCOLS: Final[tuple[Protocol, ...]] = ("imap", "pop3", "smtp")


class Offer(NamedTuple):
    """A service that runs. ``implicit``: TLS from the first octet; else by STARTTLS. Nothing is offered
    without either."""

    protocol: Protocol
    port: int
    implicit: bool


@dataclass(frozen=True, slots=True)
class Offers:
    """``host``: the name that programs are to connect to, one of the certificate's."""

    host: str
    services: tuple[Offer, ...]

    def of(self, protocol: Protocol) -> tuple[Offer, ...]:
        """Those of a protocol, TLS from the first octet before STARTTLS (RFC 8314 §3)."""
        return tuple(
            sorted(
                (one for one in self.services if one.protocol == protocol),
                key=lambda o: not o.implicit,
            )
        )

    def best(self, protocol: Protocol) -> Offer | None:
        """The first of them."""
        return next(iter(self.of(protocol)), None)


@dataclass(frozen=True, slots=True)
class Customer:
    """Whose settings are asked for. ``local`` '': of anybody in the domain. ``signs_in_at``: the domain of
    the names that people sign in with, which is another where ``domain`` is a second name of it."""

    local: str
    domain: str
    signs_in_at: str

    @property
    def address(self) -> str:
        """The address, its domain as programs send it (A-labels)."""
        return f"{self.local}@{self.domain}"

    @property
    def name(self) -> str:
        """What signs in."""
        return f"{self.local}@{self.signs_in_at}"

    @property
    def shown(self) -> str:
        """The domain for people."""
        return shown_domain(self.domain)
