"""Who an address reaches, and whom a sign-in name means: read from the store, remembered.

What is remembered holds until ``directory_head`` moves; on SQLite that is looked at only when something
was committed, on PostgreSQL with every question (one row). Strangers choose what is asked for: what the
directory does not have is not remembered (but for a few names that signed nobody in, so that they cost
what others cost), and what it has only up to a bound.
"""

from dataclasses import dataclass

from malleposte.directory import routes
from malleposte.directory.addresses import (
    BadAddressError,
    normalise,
    normalise_domain,
    normalise_local,
    split_subaddress,
)
from malleposte.directory.app_passwords import AppPassword
from malleposte.directory.resolution import Found, Resolution
from malleposte.policy.remembered import Key, Remembered, Value
from malleposte.store import Store

MOST_KNOWN = 20_000
"""Addresses, accounts and domains remembered by a worker, of each: some 30 MB if all are full."""
MOST_UNKNOWN = 2_000
"""Names remembered that nobody signs in with."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as sign-in and delivery need it."""

    id: int
    address: str
    name: str
    kind: str
    status: str
    locale: str
    time_zone: str
    credential_version: int
    hash: str | None
    roles: frozenset[str]
    organisation: int
    internal: bool = False
    """Whether it has mail inside its organisation only."""
    second_step: bool = False
    """Whether its password alone signs in nowhere."""
    apps: tuple[AppPassword, ...] = ()
    """Its app passwords."""
    app: AppPassword | None = None
    """Of one that signed in: the app password it did so by."""


_ACCOUNT = (
    "SELECT a.id, a.address, a.name, a.kind, a.status, a.locale, a.time_zone, a.credential_version,"
    " c.hash, a.organisation, a.internal, a.second_factor FROM account a"
    " LEFT JOIN credential c ON c.account = a.id AND c.kind = 'password'"
)
_APPS = (
    "SELECT id, hash, label, scope FROM credential WHERE account = $1 AND kind = 'app' ORDER BY id"
)


class Book:
    """See the module. One for each worker."""

    def __init__(self, store: Store, *, hostname: str = "localhost") -> None:
        self._store = store
        self._hostname = hostname
        self._version = 0
        self._moved: int | None = None
        self._resolved = Remembered[str, Resolution](MOST_KNOWN)
        self._accounts = Remembered[int | str, Account](MOST_KNOWN)
        self._domains = Remembered[str, routes.Domain](MOST_KNOWN)
        """Those that are ours."""
        self._nobodys = Remembered[str, bool](MOST_UNKNOWN)

    @property
    def remembered(self) -> int:
        """Entries in memory."""
        known = len(self._resolved) + len(self._accounts) + len(self._domains)
        return known + len(self._nobodys)

    @property
    def version(self) -> int:
        """Of the directory as it was last seen."""
        return self._version

    async def fresh(self) -> None:
        """Forget what is remembered if the directory changed."""
        moved = self._store.clock.moved()
        if moved is not None and moved == self._moved:
            return
        row = await self._store.reader.row("SELECT version FROM directory_head WHERE id = 1")
        version = row[0] if row else 0
        if version != self._version:
            self._version = version
            self._resolved.clear()
            self._accounts.clear()
            self._domains.clear()
            self._nobodys.clear()
        self._moved = moved

    async def resolve(self, local: str, domain: str) -> Resolution:
        """Whom ``local@domain`` reaches; an empty domain means this server (``<postmaster>``)."""
        await self.fresh()
        key = f"{local}@{domain}"
        resolution = self._resolved.get(key)
        if resolution is None:
            since = self._version
            resolution = await self._resolve(local, domain)
            unknown = resolution.found in (Found.NOT_OURS, Found.NO_SUCH_USER)
            if not unknown and not resolution.caught:
                self._keep(since, self._resolved, key, resolution)
        return resolution

    def _keep(self, since: int, table: Remembered[Key, Value], key: Key, value: Value) -> None:
        """Remember what was read, unless the directory was seen to change while it was."""
        if since == self._version:
            table.keep(key, value)

    async def _resolve(self, local: str, domain: str) -> Resolution:
        try:
            local = normalise_local(local)
            if not domain:
                return await self._without_domain(split_subaddress(local)[0])
            domain = normalise_domain(domain)
        except BadAddressError:
            known = bool(domain) and await self.domain(domain) is not None
            return Resolution(Found.NO_SUCH_USER if known else Found.NOT_OURS)
        ours = await self.domain(domain)
        if ours is None:
            return Resolution(Found.NOT_OURS, f"{local}@{domain}")
        return await routes.reached(self._store.reader, ours, domain, local)

    async def _without_domain(self, user: str) -> Resolution:
        """``<postmaster>`` (RFC 5321 §4.5.1): of this server, whatever its domains."""
        row = await self._store.reader.row(
            "SELECT address FROM address WHERE kind = 'system' AND address LIKE $1"
            " ORDER BY domain LIMIT 1",
            f"{user}@%",
        )
        if row is None:
            return Resolution(Found.NO_SUCH_USER)
        return await routes.administrators(self._store.reader, row[0], "")

    async def domain(self, name: str) -> routes.Domain | None:
        """A domain of ours by its name in A-labels."""
        known = self._domains.get(name)
        if known is None:
            since = self._version
            known = await routes.domain_of(self._store.reader, name)
            if known is not None:
                self._keep(since, self._domains, name, known)
        return known

    async def has_accounts(self, domain: str) -> bool:
        """Whether anybody signs in with an address of a domain of ours, by its name in A-labels."""
        row = await self._store.reader.row(
            "SELECT 1 FROM address a JOIN domain d ON d.id = a.domain"
            " WHERE d.name = $1 AND a.kind = 'primary' LIMIT 1",
            domain,
        )
        return row is not None

    async def account(self, account: int) -> Account | None:
        """An account by id."""
        await self.fresh()
        return self._accounts.get(account) or await self._read_account("a.id", account)

    async def sign_in_name(self, name: str) -> Account | None:
        """The account that signs in as ``name``: its primary address, in any case."""
        await self.fresh()
        try:
            address = normalise(name)
        except BadAddressError:
            return None
        if self._nobodys.get(address):
            return None
        since = self._version
        account = self._accounts.get(address) or await self._read_account("a.address", address)
        if account is None:
            self._keep(since, self._nobodys, address, True)
        return account

    async def _read_account(self, column: str, key: int | str) -> Account | None:
        since = self._version
        row = await self._store.reader.row(f"{_ACCOUNT} WHERE {column} = $1", key)
        if row is None:
            return None
        roles = await self._store.reader.rows(
            "SELECT role FROM role_grant WHERE account = $1", row[0]
        )
        (
            id_,
            address,
            name,
            kind,
            status,
            locale,
            time_zone,
            version,
            hash_,
            organisation,
            internal,
            second_factor,
        ) = row
        apps = await self._store.reader.rows(_APPS, id_)
        account = Account(
            id_,
            address,
            name,
            kind,
            status,
            locale,
            time_zone,
            version,
            hash_,
            frozenset(role[0] for role in roles),
            organisation,
            bool(internal),
            second_step=second_factor > 0,
            apps=tuple(
                AppPassword(app, secret, label, frozenset(scope.split()))
                for app, secret, label, scope in apps
            ),
        )
        self._keep(since, self._accounts, key, account)
        return account

    async def owns(self, account: int, address: str) -> bool:
        """Whether an account may send as an address: its own, its aliases, their subaddresses."""
        local, at, domain = address.rpartition("@")
        if not at:
            return False
        resolution = await self.resolve(local, domain)
        return resolution.found is Found.HERE and account in resolution.owners
