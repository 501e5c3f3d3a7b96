"""Whom an address reaches, as the directory tells it."""

from dataclasses import dataclass
from enum import Enum


class Found(Enum):
    """What became of looking an address up."""

    HERE = "here"
    """It is ours and reaches someone."""
    NO_SUCH_USER = "no such user"
    """The domain is ours, the address is not in use."""
    NOT_OURS = "not ours"
    """Another server's domain."""
    SUSPENDED = "suspended"
    """Whoever it reached takes no mail now."""
    NOBODY = "nobody"
    """It is ours and reaches nobody at the moment (no administrator yet)."""


@dataclass(frozen=True, slots=True)
class Onward:
    """Mail that goes on to another server.

    ``by``: our address that leads there; ``organisation``: whose. ``account``: whose forward it is, 0 that
    of an alias or a relayed domain; what cannot go on stays with that account. ``relay``: ``host:port``
    where the domain itself is relayed.
    """

    address: str
    by: str
    organisation: int
    account: int = 0
    relay: str = ""


@dataclass(frozen=True, slots=True)
class Resolution:
    """Whom an address reaches: ``accounts``, after forwards; ``onward``: besides. ``owners``: accounts
    whose address it is, who may write as it. ``detail``: its subaddress. ``system``: postmaster or abuse.

    ``internal``: those of ``accounts`` that take mail from inside their organisation only. ``group``: the
    group whose members get it. ``caught``: it is not in use, and the domain's catch-all has it.
    """

    found: Found
    address: str = ""
    accounts: tuple[int, ...] = ()
    onward: tuple[Onward, ...] = ()
    detail: str = ""
    system: bool = False
    filtered: tuple[int, ...] = ()
    """Those of the accounts that have something to run at delivery (Sieve), or had."""
    owners: tuple[int, ...] = ()
    internal: tuple[int, ...] = ()
    group: str = ""
    organisation: int = 0
    caught: bool = False

    @property
    def remotes(self) -> tuple[str, ...]:
        """Addresses elsewhere that it reaches."""
        return tuple(one.address for one in self.onward)
