"""Accounts by what an operator types, as rows of the store."""

import msgspec

from malleposte.directory.addresses import normalise, normalise_domain, shown_domain
from malleposte.operations.errors import refusal
from malleposte.store.dialect import Reader, Row

_COLUMNS = (
    "a.id, a.address, a.name, a.kind, a.status, a.locale, a.time_zone, a.created_at,"
    " h.quota_bytes, h.used_bytes, h.used_emails,"
    " EXISTS (SELECT 1 FROM credential c WHERE c.account = a.id AND c.kind = 'password'),"
    " a.internal, a.forward, a.second_factor,"
    " (SELECT count(*) FROM credential c WHERE c.account = a.id AND c.kind = 'app'),"
    " (SELECT count(*) FROM passkey p WHERE p.account = a.id)"
)
_FROM = "account a JOIN account_head h ON h.account = a.id"


class AccountShown(msgspec.Struct, frozen=True, kw_only=True):
    """An account as lists show it; ``internal``: mail inside its organisation only; ``forwards``: its mail
    goes on. Sizes in octets, ``quota`` 0: no limit; ``created_at`` Unix seconds;
    ``password``: it has one; ``second_step``: which is not enough alone."""

    id: int
    address: str
    name: str
    kind: str
    status: str
    locale: str
    time_zone: str
    created_at: int
    quota: int
    used: int
    emails: int
    password: bool
    internal: bool = False
    forwards: bool = False
    second_step: bool = False
    app_passwords: int = 0
    passkeys: int = 0
    roles: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


async def account_id(reader: Reader, address: str) -> int:
    """The id of the account with a primary address. Raises ``OperationError`` and ``BadAddressError``.

    An alias is refused, with the name of what it is: whoever deletes must mean it.
    """
    whole = normalise(address)
    row = await reader.row("SELECT id FROM account WHERE address = $1", whole)
    if row is not None:
        return int(row[0])
    row = await reader.row("SELECT kind FROM address WHERE address = $1", whole)
    if row is not None and row[0] == "alias":
        raise refusal("is-alias", f"{whole} is an alias, not an account: name the account itself")
    if row is not None:
        raise refusal("is-system", f"{whole} always reaches the administrators; it is no account")
    raise refusal("no-such-account", f"there is no account {whole}: see `malleposte account list`")


async def sender_number(reader: Reader, whom: str) -> int:
    """Whose mail in the queue is meant, as ``Handing.account`` has it: an account's, or, by its name, a
    domain's, which its aliases and groups send on. Raises ``OperationError`` and ``BadAddressError``."""
    if "@" in whom:
        return await account_id(reader, whom)
    name = normalise_domain(whom)
    row = await reader.row("SELECT id FROM domain WHERE name = $1", name)
    if row is None:
        raise refusal("no-such-domain", f"there is no domain {name}: see `malleposte domain list`")
    return -int(row[0])


async def account_shown(reader: Reader, account: int) -> AccountShown:
    """One account with its roles and aliases. Raises ``OperationError``."""
    row = await reader.row(f"SELECT {_COLUMNS} FROM {_FROM} WHERE a.id = $1", account)
    if row is None:
        raise refusal("no-such-account", "the account is gone")
    roles = await reader.rows(
        "SELECT DISTINCT role FROM role_grant WHERE account = $1 ORDER BY role", account
    )
    aliases = await reader.rows(
        "SELECT t.address FROM address_target t JOIN address d ON d.address = t.address"
        " WHERE t.account = $1 AND d.kind = 'alias' ORDER BY t.address",
        account,
    )
    return _shown(row, tuple(r[0] for r in roles), tuple(a[0] for a in aliases))


async def own_domain(reader: Reader, name: str) -> str:
    """A domain of this server as the store keeps it; '' for ''. Raises ``OperationError``."""
    if not name:
        return ""
    whole = normalise_domain(name)
    if await reader.row("SELECT 1 FROM domain WHERE name = $1", whole) is None:
        raise refusal("no-such-domain", f"there is no domain {shown_domain(whole)}")
    return whole


async def accounts_shown(reader: Reader, after: str, domain: str, limit: int) -> list[AccountShown]:
    """Accounts in the order of their addresses, of one domain or ('') of all; without aliases."""
    rows = await reader.rows(
        f"SELECT {_COLUMNS} FROM {_FROM} WHERE a.status <> 'deleted' AND a.address > $1"
        " AND ($2 = '' OR EXISTS (SELECT 1 FROM address d JOIN domain n ON n.id = d.domain"
        " WHERE d.address = a.address AND n.name = $2)) ORDER BY a.address LIMIT $3",
        after,
        domain,
        limit,
    )
    granted = await reader.rows("SELECT account, role FROM role_grant ORDER BY role")
    roles: dict[int, list[str]] = {}
    for account, role in granted:
        roles.setdefault(account, []).append(role)
    return [_shown(row, tuple(dict.fromkeys(roles.get(row[0], ())))) for row in rows]


def _shown(row: Row, roles: tuple[str, ...], aliases: tuple[str, ...] = ()) -> AccountShown:
    id_, address, name, kind, status, locale, zone, created, quota, used, emails, password = row[
        :12
    ]
    return AccountShown(
        id=id_,
        address=address,
        name=name,
        kind=kind,
        status=status,
        locale=locale,
        time_zone=zone,
        created_at=created,
        quota=quota,
        used=used,
        emails=emails,
        password=bool(password),
        internal=bool(row[12]),
        forwards=row[13] > 0,
        second_step=row[14] > 0,
        app_passwords=row[15],
        passkeys=row[16],
        roles=roles,
        aliases=aliases,
    )
