"""Domains, aliases, roles. Addresses come normalised from ``directory``.

Every change moves ``directory_head``, which caches compare. ``postmaster`` and ``abuse`` of a domain
are its ``system`` addresses: they reach the administrators and cannot be removed (RFC 5321 §4.5.1,
RFC 2142).
"""

from malleposte.store.commands import CreateDomain, DeleteDomain, GrantRole, SetAlias
from malleposte.store.results import Created, Done, Refused
from malleposte.store.work import Work

SYSTEM_LOCALS = ("postmaster", "abuse")

ADD_ADDRESS = "INSERT INTO address (address, domain, kind, created_at) VALUES ($1, $2, $3, $4)"
ADD_TARGET = (
    "INSERT INTO address_target (address, account, remote) VALUES ($1, $2, $3)"
    " ON CONFLICT DO NOTHING"
)

_TAKEN = {
    "primary": ("exists", "is an account"),
    "system": ("reserved", "always reaches the administrators"),
    "group": ("exists", "is a group"),
    "relayed": ("exists", "is at the relay of its domain"),
}
"""Why an address of a kind cannot become an alias."""

_IS_OWNER = "SELECT 1 FROM role_grant WHERE account = $1 AND role = 'owner'"
_ANOTHER_OWNER = (
    "SELECT 1 FROM role_grant r JOIN account a ON a.id = r.account WHERE r.role = 'owner'"
    " AND a.id <> $1 AND a.status = 'active'"
    " AND a.organisation = (SELECT organisation FROM account WHERE id = $1) LIMIT 1"
)


async def changed(work: Work) -> None:
    """Tell the caches; on PostgreSQL this row also puts directory changes in one order."""
    await work.tx.run("UPDATE directory_head SET version = version + 1 WHERE id = 1")


async def exists(work: Work, account: int) -> bool:
    """Whether there is such an account that was not deleted."""
    return bool(
        await work.tx.row("SELECT 1 FROM account WHERE id = $1 AND status <> 'deleted'", account)
    )


async def create_domain(work: Work, command: CreateDomain) -> Created | Refused:
    """Execute ``CreateDomain``."""
    await changed(work)
    if await work.tx.row("SELECT 1 FROM domain WHERE name = $1", command.name):
        return Refused(reason="exists", text=f"the domain {command.name} exists")
    row = await work.tx.row("SELECT min(id) FROM organisation")
    organisation = row[0] if row else None
    if organisation is None:
        (organisation,) = await work.numbers("organisation", 1)
        await work.tx.run(
            "INSERT INTO organisation (id, name, created_at) VALUES ($1, $2, $3)",
            organisation,
            command.organisation or command.name,
            work.now,
        )
    (domain,) = await work.numbers("domain", 1)
    await work.tx.run(
        "INSERT INTO domain (id, organisation, name, created_at) VALUES ($1, $2, $3, $4)",
        domain,
        organisation,
        command.name,
        work.now,
    )
    for local in SYSTEM_LOCALS:
        await work.tx.run(ADD_ADDRESS, f"{local}@{command.name}", domain, "system", work.now)
    return Created(id=domain)


async def delete_domain(work: Work, command: DeleteDomain) -> Done | Refused:
    """Execute ``DeleteDomain``."""
    await changed(work)
    row = await work.tx.row("SELECT id FROM domain WHERE name = $1", command.name)
    if row is None:
        return Refused(reason="no-such-domain", text=f"there is no domain {command.name}")
    named = await work.tx.row("SELECT name FROM domain WHERE alias_of = $1", row[0])
    if named is not None:
        text = f"{named[0]} is another name of {command.name}: delete it first"
        return Refused(reason="in-use", text=text)
    used = await work.tx.row(
        "SELECT count(*) FROM address WHERE domain = $1 AND kind NOT IN ('system', 'catch-all')",
        row[0],
    )
    if used is not None and used[0]:
        relayed = await work.tx.row(
            "SELECT count(*) FROM address WHERE domain = $1 AND kind = 'relayed'", row[0]
        )
        first = "delete its accounts, aliases and groups first"
        if relayed is not None and relayed[0]:
            gone = f"malleposte domain relay {command.name} --remove FILE"
            first = f"{relayed[0]} of them are relayed, which `{gone}` takes out; {first}"
        are = "address is" if used[0] == 1 else "addresses are"
        return Refused(reason="in-use", text=f"{used[0]} {are} in {command.name}: {first}")
    await work.tx.run("DELETE FROM address_target WHERE address = '*@' || $1", command.name)
    await work.tx.run("DELETE FROM address WHERE domain = $1", row[0])
    await work.tx.run("DELETE FROM domain WHERE id = $1", row[0])
    await work.tx.run("DELETE FROM sieve_script WHERE owner < 0 AND domain = $1", row[0])
    await work.tx.run("DELETE FROM send_limit WHERE kind = 2 AND id = $1", row[0])
    await work.tx.run("DELETE FROM dkim_retired WHERE domain = $1", command.name)
    keys = f"dkim:{command.name}:"
    await work.tx.run("DELETE FROM secret WHERE $1 = substr(name, 1, $2)", keys, len(keys))
    return Done()


async def own_domain(work: Work, address: str) -> int | Refused:
    """The domain in which an address is about to be made."""
    name = address.rpartition("@")[2]
    row = await work.tx.row("SELECT id, alias_of FROM domain WHERE name = $1", name)
    if row is None:
        return Refused(reason="no-such-domain", text=f"add the domain {name} first")
    if row[1]:
        text = f"{name} is another name of a domain: make the address there, and it is in both"
        return Refused(reason="no-such-domain", text=text)
    return int(row[0])


async def set_alias(work: Work, command: SetAlias) -> Done | Refused:
    """Execute ``SetAlias``."""
    await changed(work)
    domain = await own_domain(work, command.address)
    if isinstance(domain, Refused):
        return domain
    row = await work.tx.row("SELECT kind FROM address WHERE address = $1", command.address)
    if row is not None and row[0] != "alias":
        reason, words = _TAKEN.get(row[0], ("exists", "is in use"))
        return Refused(reason=reason, text=f"{command.address} {words}")
    for account in command.accounts_:
        if not await exists(work, account):
            return Refused(reason="no-such-account", text=f"there is no account {account}")
    await work.tx.run("DELETE FROM address_target WHERE address = $1", command.address)
    if not command.accounts_ and not command.remotes:
        if row is None:
            return Refused(reason="no-such-alias", text=f"there is no alias {command.address}")
        await work.tx.run("DELETE FROM address WHERE address = $1", command.address)
        await work.tx.run("DELETE FROM send_right WHERE address = $1", command.address)
        return Done()
    if row is None:
        await work.tx.run(ADD_ADDRESS, command.address, domain, "alias", work.now)
    for account in command.accounts_:
        await work.tx.run(ADD_TARGET, command.address, account, "")
    for remote in command.remotes:
        await work.tx.run(ADD_TARGET, command.address, 0, remote)
    return Done()


async def last_owner(work: Work, account: int) -> Refused | None:
    """Refuses what would leave an organisation without an owner: nobody would read postmaster's mail."""
    if await work.tx.row(_IS_OWNER, account) is None:
        return None
    if await work.tx.row(_ANOTHER_OWNER, account) is not None:
        return None
    text = "it is the last owner: `malleposte role grant ADDRESS owner` for somebody else first"
    return Refused(reason="last-owner", text=text)


async def grant_role(work: Work, command: GrantRole) -> Done | Refused:
    """Execute ``GrantRole``."""
    await changed(work)
    if not await exists(work, command.account):
        return Refused(reason="no-such-account")
    if command.granted:
        await work.tx.run(
            "INSERT INTO role_grant (account, role, organisation, granted_at, granted_by)"
            " VALUES ($1, $2, 0, $3, $4) ON CONFLICT DO NOTHING",
            command.account,
            command.role,
            work.now,
            command.by,
        )
    else:
        last = await last_owner(work, command.account) if command.role == "owner" else None
        if last is not None:
            return last
        await work.tx.run(
            "DELETE FROM role_grant WHERE account = $1 AND role = $2",
            command.account,
            command.role,
        )
    return Done()
