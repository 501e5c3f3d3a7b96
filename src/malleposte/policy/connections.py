"""How many connections a network may hold that have not signed in.

Invariants: the count of a network is the number of its admissions not yet released; a release counts
once, however often it is called; networks without connections take no memory. In one process: each
worker counts its own."""

from dataclasses import dataclass, field

from malleposte.policy.network import Network, network_of


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """`per_network`: not signed in, from one network. `total`: all connections of the service."""

    per_network: int = 100
    total: int = 5000


@dataclass(slots=True, eq=False)
class Admission:
    """A connection that counts. `signed_in` takes it out of its network's count, `close` out of
    all."""

    _limit: "ConnectionLimit"
    _network: Network
    _anonymous: bool = field(default=True, init=False)
    _open: bool = field(default=True, init=False)

    def signed_in(self) -> None:
        if self._anonymous:
            self._anonymous = False
            self._limit.release_anonymous(self._network)

    def close(self) -> None:
        self.signed_in()
        if self._open:
            self._open = False
            self._limit.release()


class ConnectionLimit:
    """Admits connections of one service."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._anonymous: dict[Network, int] = {}
        self._total = 0

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

    def release_anonymous(self, network: Network) -> None:
        """For Admission only."""
        count = self._anonymous[network] - 1
        if count:
            self._anonymous[network] = count
        else:
            del self._anonymous[network]

    def release(self) -> None:
        """For Admission only."""
        self._total -= 1
