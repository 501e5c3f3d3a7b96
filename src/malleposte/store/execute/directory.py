"""Domains, accounts, aliases, credentials, roles. Addresses come normalised from ``directory``.

Every change moves ``directory_head``, which caches compare. ``postmaster`` and ``abuse`` of a domain
are its ``system`` addresses: they reach the administrators and cannot be removed (RFC 5321 §4.5.1,
RFC 2142).
"""

import msgspec

from malleposte.store import dialect
from malleposte.store.commands import (
    CreateAccount,
    CreateDomain,
    DeleteAccount,
    DeleteDomain,
    GrantRole,
    PurgeAccount,
    SetAccount,
    SetAlias,
    SetPassword,
)
from malleposte.store.dialect import any_of, both
from malleposte.store.execute.mailboxes import STANDARD, insert_mailbox
from malleposte.store.quota import level_kept
from malleposte.store.results import Created, Done, Refused
from malleposte.store.work import Work

SYSTEM_LOCALS = ("postmaster", "abuse")
PURGE_JOB = "purge-account"
STATUSES = ("active", "suspended", "archived")
"""What ``SetAccount`` can make of an account; deleting is a command of its own."""

_HEAD = dialect.insert(
    "account_head",
    dict.fromkeys(
        (
            "account",
            "organisation",
            "modseq",
            "next_email",
            "next_mailbox",
            "next_thread",
            "uidvalidity",
            "used_bytes",
            "used_emails",
            "quota_bytes",
            "quota_level",
            "over_quota_since",
            "tombstone_floor",
        ),
        "bigint",
    ),
)
_ADDRESS = "INSERT INTO address (address, domain, kind, created_at) VALUES ($1, $2, $3, $4)"
_TARGET = (
    "INSERT INTO address_target (address, account, remote) VALUES ($1, $2, $3)"
    " ON CONFLICT DO NOTHING"
)
_ON_HOLD = "SELECT reason FROM hold WHERE account = $1 AND released_at IS NULL"

_IS_OWNER = "SELECT 1 FROM role_grant WHERE account = $1 AND role = 'owner'"
_ANOTHER_OWNER = (
    "SELECT 1 FROM role_grant r JOIN account a ON a.id = r.account WHERE r.role = 'owner'"
    " AND a.id <> $1 AND a.status = 'active'"
    " AND a.organisation = (SELECT organisation FROM account WHERE id = $1) LIMIT 1"
)


async def changed(work: Work) -> None:
    """Tell the caches; on PostgreSQL this row also puts directory changes in one order."""
    await work.tx.run("UPDATE directory_head SET version = version + 1 WHERE id = 1")


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
        await work.tx.run(_ADDRESS, f"{local}@{command.name}", domain, "system", work.now)
    return Created(id=domain)


async def delete_domain(work: Work, command: DeleteDomain) -> Done | Refused:
    """Execute ``DeleteDomain``."""
    await changed(work)
    row = await work.tx.row("SELECT id FROM domain WHERE name = $1", command.name)
    if row is None:
        return Refused(reason="no-such-domain", text=f"there is no domain {command.name}")
    used = await work.tx.row(
        "SELECT count(*) FROM address WHERE domain = $1 AND kind <> 'system'", row[0]
    )
    if used is not None and used[0]:
        return Refused(
            reason="in-use",
            text=f"{used[0]} addresses are in {command.name}: delete its accounts and aliases first",
        )
    await work.tx.run("DELETE FROM address WHERE domain = $1", row[0])
    await work.tx.run("DELETE FROM domain WHERE id = $1", row[0])
    return Done()


async def create_account(work: Work, command: CreateAccount) -> Created | Refused:
    """Execute ``CreateAccount``."""
    await changed(work)
    name = command.address.rpartition("@")[2]
    domain = await work.tx.row("SELECT id, organisation FROM domain WHERE name = $1", name)
    if domain is None:
        return Refused(reason="no-such-domain", text=f"add the domain {name} first")
    if await work.tx.row("SELECT 1 FROM address WHERE address = $1", command.address):
        return Refused(reason="exists", text=f"the address {command.address} is in use")
    (account,) = await work.numbers("account", 1)
    await work.tx.run(
        "INSERT INTO account (id, organisation, address, name, kind, locale, time_zone, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        account,
        domain[1],
        command.address,
        command.name,
        command.kind,
        command.locale,
        command.time_zone,
        work.now,
    )
    await work.tx.run(_ADDRESS, command.address, domain[0], "primary", work.now)
    await work.tx.run(_TARGET, command.address, account, "")
    if command.password_hash:
        await work.tx.run(
            "INSERT INTO credential (account, id, kind, hash, created_at)"
            " VALUES ($1, 1, 'password', $2, $3)",
            account,
            command.password_hash,
            work.now,
        )
    if command.role:
        await grant_role(work, GrantRole(account=account, role=command.role, by="local"))
    await work.tx.many(
        _HEAD, [(account, domain[1], 1, 1, 1, 1, work.now, 0, 0, command.quota_bytes, 0, 0, 0)]
    )
    head = await work.head(account)
    if head is None:  # a fresh Work has not looked yet, so this is ours
        raise RuntimeError("an account head vanished inside its transaction")
    modseq = head.bump()
    for order, (mailbox, role) in enumerate(STANDARD):
        await insert_mailbox(work, head, 0, mailbox, modseq, role=role, sort_order=order + 1)
    return Created(id=account, modseq=modseq)


async def _exists(work: Work, account: int) -> bool:
    """Whether there is such an account that was not deleted."""
    return bool(
        await work.tx.row("SELECT 1 FROM account WHERE id = $1 AND status <> 'deleted'", account)
    )


async def _last_owner(work: Work, account: int) -> Refused | None:
    """Refuses what would leave an organisation without an owner: nobody would read postmaster's mail."""
    if await work.tx.row(_IS_OWNER, account) is None:
        return None
    if await work.tx.row(_ANOTHER_OWNER, account) is not None:
        return None
    text = "it is the last owner: `malleposte role grant ADDRESS owner` for somebody else first"
    return Refused(reason="last-owner", text=text)


async def set_password(work: Work, command: SetPassword) -> Done | Refused:
    """Execute ``SetPassword``."""
    await changed(work)
    if not await _exists(work, command.account):
        return Refused(reason="no-such-account")
    await _touch_credentials(work, command.account)
    await work.tx.run(
        "DELETE FROM credential WHERE account = $1 AND kind = 'password'", command.account
    )
    row = await work.tx.row(
        "SELECT coalesce(max(id), 0) + 1 FROM credential WHERE account = $1", command.account
    )
    await work.tx.run(
        "INSERT INTO credential (account, id, kind, hash, created_at)"
        " VALUES ($1, $2, 'password', $3, $4)",
        command.account,
        row[0] if row else 1,
        command.password_hash,
        work.now,
    )
    return Done()


async def _touch_credentials(work: Work, account: int) -> None:
    await work.tx.run(
        "UPDATE account SET credential_version = credential_version + 1 WHERE id = $1", account
    )


async def set_account(work: Work, command: SetAccount) -> Done | Refused:
    """Execute ``SetAccount``."""
    await changed(work)
    head = await work.head(command.account)
    if head is None or not await _exists(work, command.account):
        return Refused(reason="no-such-account")
    if command.status is not None and command.status not in STATUSES:
        return Refused(reason="bad-name", text=f"{command.status!r} is not one of {STATUSES}")
    await work.tx.run(
        "UPDATE account SET status = coalesce($1, status), name = coalesce($2, name),"
        " locale = coalesce($3, locale), time_zone = coalesce($4, time_zone) WHERE id = $5",
        command.status,
        command.name,
        command.locale,
        command.time_zone,
        command.account,
    )
    if command.status is not None:
        await _touch_credentials(work, command.account)
    if command.quota_bytes is not None:
        head.quota_bytes = command.quota_bytes
        head.quota_level = level_kept(head.used_bytes, head.quota_bytes, head.quota_level)
        if not head.quota_bytes or head.used_bytes <= head.quota_bytes:
            head.over_quota_since = 0
        head.dirty = True
        await work.tx.run(
            "UPDATE account_head SET quota_bytes = $1 WHERE account = $2",
            command.quota_bytes,
            command.account,
        )
    return Done()


async def delete_account(work: Work, command: DeleteAccount) -> Done | Refused:
    """Execute ``DeleteAccount``."""
    await changed(work)
    if not await _exists(work, command.account):
        return Refused(reason="no-such-account")
    held = await work.tx.row(_ON_HOLD, command.account)
    if held is not None:
        return Refused(reason="in-use", text=f"a hold keeps this account: {held[0]}")
    last = await _last_owner(work, command.account)
    if last is not None:
        return last
    await work.tx.run("DELETE FROM address_target WHERE account = $1", command.account)
    await work.tx.run(
        "DELETE FROM address WHERE kind <> 'system' AND NOT EXISTS"
        " (SELECT 1 FROM address_target t WHERE t.address = address.address)"
    )
    await work.tx.run("DELETE FROM credential WHERE account = $1", command.account)
    await work.tx.run("DELETE FROM role_grant WHERE account = $1", command.account)
    low, high = command.account << 32, (command.account + 1) << 32
    await work.tx.run("DELETE FROM mailbox_right WHERE grantee = $1", command.account)
    await work.tx.run("DELETE FROM mailbox_right WHERE mailbox > $1 AND mailbox < $2", low, high)
    head = await work.head(command.account)
    if head is not None:
        head.bump()  # whoever reads in it looks, and finds the rights gone
    # The address is free again at once; the account keeps a name no address can be.
    await work.tx.run(
        "UPDATE account SET status = 'deleted', address = $1,"
        " credential_version = credential_version + 1 WHERE id = $2",
        f"deleted:{command.account}",
        command.account,
    )
    (job,) = await work.numbers("job", 1)
    await work.tx.run(
        "INSERT INTO job (id, kind, key, payload, run_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING",
        job,
        PURGE_JOB,
        str(command.account),
        msgspec.msgpack.encode(command.account),
        work.now,
    )
    return Done()


_PURGE_SLICE = 1_000
_FORGET_MARKS = (
    "DELETE FROM reader_seen WHERE reader = $1 AND email IN"
    " (SELECT email FROM reader_seen WHERE reader = $1 LIMIT $2)"
)


async def purge_account(work: Work, command: PurgeAccount) -> Done | Refused:
    """Execute ``PurgeAccount``: a slice of a deleted account's mail, and at last its own rows."""
    row = await work.tx.row("SELECT status FROM account WHERE id = $1", command.account)
    if row is None:
        return Done()
    if row[0] != "deleted":
        return Refused(reason="in-use", text="only a deleted account can be purged")
    held = await work.tx.row(_ON_HOLD, command.account)
    if held is not None:
        return Refused(reason="in-use", text=f"a hold keeps this account: {held[0]}")
    await work.flush()
    low, high = command.account << 32, (command.account + 1) << 32
    emails = await work.tx.rows(
        "SELECT id FROM email WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3",
        low,
        high,
        _PURGE_SLICE,
    )
    if emails:
        await forget_emails(work, [one[0] for one in emails])
        return Done(more=True, count=len(emails))
    # What it read of others' mail.
    marks = await work.tx.run(_FORGET_MARKS, command.account, _PURGE_SLICE)
    if marks:
        return Done(more=True, count=marks)
    for table in ("keyword", "subscription", "thread_reference", "tombstone", "recoverable"):
        await work.tx.run(f"DELETE FROM {table} WHERE account = $1", command.account)
    for table in ("upload", "scheduled_send", "mailbox", "gone_mailbox", "account_head"):
        await work.tx.run(f"DELETE FROM {table} WHERE account = $1", command.account)
    await work.tx.run("DELETE FROM mailbox_right WHERE mailbox > $1 AND mailbox < $2", low, high)
    await work.tx.run("DELETE FROM mailbox_right WHERE grantee = $1", command.account)
    await work.tx.run("DELETE FROM annotation WHERE account = $1 OR reader = $1", command.account)
    await work.tx.run("DELETE FROM account WHERE id = $1", command.account)
    work.forget_account(command.account)
    return Done(count=0)


async def forget_emails(work: Work, emails: list[int]) -> None:
    """Remove emails for good, with everything that hangs on them; their blobs are for the sweep."""
    for table, column in (
        ("membership", "email"),
        ("reader_seen", "email"),
        ("recoverable", "email"),
        ("email_wide", "id"),
    ):
        await work.tx.run(both(f"DELETE FROM {table} WHERE {{ids}}", ids=any_of(column, 1)), emails)
    await work.tx.run(
        both(
            "UPDATE blob SET touched_at = $1 WHERE id IN (SELECT blob FROM email WHERE {ids})",
            ids=any_of("id", 2),
        ),
        work.now,
        emails,
    )
    await work.tx.run(both("DELETE FROM email WHERE {ids}", ids=any_of("id", 1)), emails)


async def grant_role(work: Work, command: GrantRole) -> Done | Refused:
    """Execute ``GrantRole``."""
    await changed(work)
    if not await _exists(work, command.account):
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
        last = await _last_owner(work, command.account) if command.role == "owner" else None
        if last is not None:
            return last
        await work.tx.run(
            "DELETE FROM role_grant WHERE account = $1 AND role = $2",
            command.account,
            command.role,
        )
    return Done()


async def set_alias(work: Work, command: SetAlias) -> Done | Refused:
    """Execute ``SetAlias``."""
    await changed(work)
    name = command.address.rpartition("@")[2]
    domain = await work.tx.row("SELECT id FROM domain WHERE name = $1", name)
    if domain is None:
        return Refused(reason="no-such-domain", text=f"add the domain {name} first")
    row = await work.tx.row("SELECT kind FROM address WHERE address = $1", command.address)
    if row is not None and row[0] != "alias":
        return Refused(
            reason="exists" if row[0] == "primary" else "reserved",
            text=f"{command.address} is an account"
            if row[0] == "primary"
            else f"{command.address} always reaches the administrators",
        )
    for account in command.accounts_:
        if not await _exists(work, account):
            return Refused(reason="no-such-account", text=f"there is no account {account}")
    await work.tx.run("DELETE FROM address_target WHERE address = $1", command.address)
    if not command.accounts_ and not command.remotes:
        if row is None:
            return Refused(reason="no-such-alias", text=f"there is no alias {command.address}")
        await work.tx.run("DELETE FROM address WHERE address = $1", command.address)
        return Done()
    if row is None:
        await work.tx.run(_ADDRESS, command.address, domain[0], "alias", work.now)
    for account in command.accounts_:
        await work.tx.run(_TARGET, command.address, account, "")
    for remote in command.remotes:
        await work.tx.run(_TARGET, command.address, 0, remote)
    return Done()
