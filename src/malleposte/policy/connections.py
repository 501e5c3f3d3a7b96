"""How many connections a network may hold that have not signed in, and how many an account that has.

Invariants: the count of a network is the number of its admissions not yet released, that of an account
the number of admissions it signed in on; every admission counts for one of the two, and once; networks
and accounts without connections take no memory. In one process: each worker counts its own."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TypeVar

from malleposte.policy.network import Network, network_of

Whose = TypeVar("Whose", bound=Hashable)


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """`per_network`: not signed in, from one network. `per_account`: signed in, of one account; 0: no
    bound here. `total`: all connections of the service."""

    per_network: int = 100
    total: int = 5000
    per_account: int = 0


@dataclass(slots=True, eq=False)
class Admission:
    """A connection that counts. `signed_in` moves it from its network's count to an account's,
    `close` takes it out of all."""

    _limit: "ConnectionLimit"
    _network: Network
    _account: int | None = field(default=None, init=False)
    _open: bool = field(default=True, init=False)

    def signed_in(self, account: int = 0) -> bool:
        """False if the account (0: one that is not counted here) has too many already: then nothing
        changed. Signing in as another account moves the connection to that one."""
        if not self._open or account == self._account:
            return True
        if account and not self._limit.enter(account):
            return False
        self._leave()
        self._account = account
        return True

    @property
    def per_account(self) -> int:
        """How many connections an account may hold."""
        return self._limit.per_account

    def close(self) -> None:
        if self._open:
            self._leave()
            self._open = False
            self._limit.release()

    def _leave(self) -> None:
        if self._account is None:
            self._limit.release_anonymous(self._network)
        elif self._account:
            self._limit.leave(self._account)


class ConnectionLimit:
    """Admits connections of one service."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._anonymous: dict[Network, int] = {}
        self._accounts: dict[int, int] = {}
        self._total = 0

    @property
    def per_account(self) -> int:
        """How many connections an account may hold."""
        return self._settings.per_account

    @property
    def total(self) -> int:
        """Connections that are open now."""
        return self._total

    def admit(self, address: str) -> Admission | None:
        """An admission, to be closed with the connection; None if there are too many."""
        network = network_of(address)
        count = self._anonymous.get(network, 0)
        if self._total >= self._settings.total or count >= self._settings.per_network:
            return None
        self._anonymous[network] = count + 1
        self._total += 1
        return Admission(self, network)

    def enter(self, account: int) -> bool:
        """For Admission only."""
        count = self._accounts.get(account, 0)
        if self._settings.per_account and count >= self._settings.per_account:
            return False
        self._accounts[account] = count + 1
        return True

    def leave(self, account: int) -> None:
        """For Admission only."""
        _less(self._accounts, account)

    def release_anonymous(self, network: Network) -> None:
        """For Admission only."""
        _less(self._anonymous, network)

    def release(self) -> None:
        """For Admission only."""
        self._total -= 1


def _less(counts: dict[Whose, int], whose: Whose) -> None:
    if counts[whose] > 1:
        counts[whose] -= 1
    else:
        del counts[whose]
