"""Who may send as whom, how much, and which devices send from where: read from the store, remembered.

What is remembered holds until the ``Book`` sees the directory change. An address is an account's own, or
an owner or an administrator gave a right on it, with its subaddresses.
"""

import ipaddress
from dataclasses import dataclass
from enum import Enum
from typing import Final

from malleposte.directory.book import Account, Book
from malleposte.directory.resolution import Found
from malleposte.policy.remembered import Remembered
from malleposte.policy.sending import SendLimit, SendLimits
from malleposte.store import Store
from malleposte.store.commands import ACCOUNT, ACCOUNT_ONWARD, DOMAIN, DOMAIN_ONWARD, Allowance

DEVICE: Final = "device"
"""Kind of an account that is a printer, a scanner, a program: it sends, and reads no mail."""
MOST_KNOWN: Final = 5_000
"""Accounts, and peers, of which something is remembered."""

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


class Way(Enum):
    """How an account may send from an address."""

    OWN = "own"
    AS = "as"
    BEHALF = "behalf"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Counted:
    """Against whom a copy that goes on counts: ``sender`` as in ``Handing.account``."""

    sender: int
    allowances: tuple[Allowance, ...] = ()


@dataclass(frozen=True, slots=True)
class _Limits:
    """Limits of an account and of its domain, where they have their own."""

    address: str
    account: SendLimit
    domain: int
    name: str
    of_domain: SendLimit


class Senders:
    """See the module. One for each worker."""

    def __init__(self, store: Store, book: Book) -> None:
        self._store = store
        self._book = book
        self._version = -1
        self._rights = Remembered[int, dict[str, str]](MOST_KNOWN)
        self._limits = Remembered[int, _Limits](MOST_KNOWN)
        self._domains = Remembered[str, _Limits](MOST_KNOWN)
        self._peers = Remembered[str, tuple[int, ...]](MOST_KNOWN)
        self._networks: list[tuple[IpNetwork, int]] | None = None

    def _look(self) -> int:
        """Forget what is remembered if the directory was seen to change; its version."""
        if self._book.version != self._version:
            self._version = self._book.version
            self._rights.clear()
            self._limits.clear()
            self._domains.clear()
            self._peers.clear()
            self._networks = None
        return self._version

    async def way(self, account: int, address: str) -> Way:
        """How an account may send from an address."""
        local, at, domain = address.rpartition("@")
        if not at:
            return Way.NOT
        resolution = await self._book.resolve(local, domain)
        if resolution.found is Found.HERE and account in resolution.owners:
            return Way.OWN
        if resolution.found is Found.NOT_OURS or resolution.system or not resolution.address:
            return Way.NOT
        given = (await self._rights_of(account)).get(resolution.address)
        return Way(given) if given else Way.NOT

    async def _rights_of(self, account: int) -> dict[str, str]:
        since = self._look()
        known = self._rights.get(account)
        if known is None:
            rows = await self._store.reader.rows(
                "SELECT address, way FROM send_right WHERE account = $1", account
            )
            known = dict(rows)
            if since == self._look():
                self._rights.keep(account, known)
        return known

    async def allowances(
        self, account: Account, usual: SendLimits, now: float
    ) -> tuple[Allowance, ...]:
        """What is counted of an account's mail, and against which limits. ``account`` as the book has just
        given it: the directory is not looked at once more."""
        known = await self._known(account)
        own = _allowance(ACCOUNT, account.id, known.address, known.account.over(usual.account, now))
        return own, _of_domain(DOMAIN, known, usual, now)

    async def onward(self, by: str, account: int, usual: SendLimits, now: float) -> Counted:
        """Against whom mail counts that goes on to other servers: the account whose forward or script it
        is, else (0) the domain of ``by``, our address by which it goes."""
        who = await self._book.account(account) if account else None
        if who is not None:
            known = await self._known(who)
            own = known.account.over(usual.account, now)
            return Counted(
                who.id,
                (
                    _allowance(ACCOUNT_ONWARD, who.id, known.address, own),
                    _of_domain(DOMAIN_ONWARD, known, usual, now),
                ),
            )
        name = by.rpartition("@")[2].lower()
        ours = await self._book.domain(name)
        since = self._look()
        limits = self._domains.get(name)
        if limits is None:
            limits = await self._limits_of(0, "", ours.name if ours is not None else name)
            if since == self._look():
                self._domains.keep(name, limits)
        return Counted(-limits.domain, (_of_domain(DOMAIN_ONWARD, limits, usual, now),))

    async def _known(self, account: Account) -> _Limits:
        since = self._look()
        known = self._limits.get(account.id)
        if known is None:
            domain = account.address.rpartition("@")[2]
            known = await self._limits_of(account.id, account.address, domain)
            if since == self._look():
                self._limits.keep(account.id, known)
        return known

    async def _limits_of(self, account: int, address: str, name: str) -> _Limits:
        row = await self._store.reader.row("SELECT id FROM domain WHERE name = $1", name)
        domain = int(row[0]) if row is not None else 0
        rows = await self._store.reader.rows(
            "SELECT kind, messages, recipients, until FROM send_limit"
            " WHERE (kind = 1 AND id = $1) OR (kind = 2 AND id = $2)",
            account,
            domain,
        )
        found = {row[0]: SendLimit(*row[1:]) for row in rows}
        return _Limits(
            address,
            found.get(ACCOUNT, SendLimit()),
            domain,
            name,
            found.get(DOMAIN, SendLimit()),
        )

    async def devices(self, peer: str) -> tuple[int, ...]:
        """Accounts of the devices that send from a peer's address without a password. Asks nothing of the
        store but once for each state of the directory that was seen."""
        if not peer:
            return ()
        since = self._look()
        known = self._peers.get(peer)
        if known is None:
            known = await self._devices(peer)
            if since == self._look():
                self._peers.keep(peer, known)
        return known

    async def _devices(self, peer: str) -> tuple[int, ...]:
        networks = self._networks
        if networks is None:
            since = self._version
            rows = await self._store.reader.rows(
                "SELECT n.network, n.account FROM device_network n JOIN account a ON a.id = n.account"
                " WHERE a.status = 'active' AND a.kind = 'device' ORDER BY n.account, n.network"
            )
            networks = [(ipaddress.ip_network(network), account) for network, account in rows]
            if since == self._look():
                self._networks = networks
        try:
            address = ipaddress.ip_address(peer.partition("%")[0])
        except ValueError:
            return ()
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return tuple(dict.fromkeys(account for network, account in networks if address in network))


def _allowance(kind: int, id_: int, name: str, limit: SendLimit) -> Allowance:
    return Allowance(
        kind=kind, id=id_, name=name, messages=limit.messages, recipients=limit.recipients
    )


def _of_domain(kind: int, known: _Limits, usual: SendLimits, now: float) -> Allowance:
    return _allowance(kind, known.domain, known.name, known.of_domain.over(usual.domain, now))
