"""Accounts: made, their password and their settings. Going: see ``purging``."""

from malleposte.store import dialect
from malleposte.store.commands import CreateAccount, GrantRole, SetAccount, SetPassword
from malleposte.store.execute.directory import (
    ADD_ADDRESS,
    ADD_TARGET,
    changed,
    exists,
    grant_role,
    own_domain,
)
from malleposte.store.execute.mailboxes import STANDARD, insert_mailbox
from malleposte.store.execute.senders import MAX_NETWORKS, TOO_MANY_NETWORKS, put_networks
from malleposte.store.execute.sessions import end_all
from malleposte.store.quota import level_kept
from malleposte.store.results import Created, Done, Refused
from malleposte.store.work import Work

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


async def create_account(work: Work, command: CreateAccount) -> Created | Refused:
    """Execute ``CreateAccount``."""
    await changed(work)
    domain = await own_domain(work, command.address)
    if isinstance(domain, Refused):
        return domain
    row = await work.tx.row("SELECT organisation FROM domain WHERE id = $1", domain)
    organisation = row[0] if row else 0
    if await work.tx.row("SELECT 1 FROM address WHERE address = $1", command.address):
        return Refused(reason="exists", text=f"the address {command.address} is in use")
    if len(command.networks) > MAX_NETWORKS:
        return Refused(reason="limit", text=TOO_MANY_NETWORKS)
    (account,) = await work.numbers("account", 1)
    await work.tx.run(
        "INSERT INTO account (id, organisation, address, name, kind, locale, time_zone, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        account,
        organisation,
        command.address,
        command.name,
        command.kind,
        command.locale,
        command.time_zone,
        work.now,
    )
    await work.tx.run(ADD_ADDRESS, command.address, domain, "primary", work.now)
    await work.tx.run(ADD_TARGET, command.address, account, "")
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
    await put_networks(work, account, command.networks)
    await work.tx.many(
        _HEAD, [(account, organisation, 1, 1, 1, 1, work.now, 0, 0, command.quota_bytes, 0, 0, 0)]
    )
    head = await work.head(account)
    if head is None:  # a fresh Work has not looked yet, so this is ours
        raise RuntimeError("an account head vanished inside its transaction")
    modseq = head.bump()
    for order, (mailbox, role) in enumerate(STANDARD):
        await insert_mailbox(work, head, 0, mailbox, modseq, role=role, sort_order=order + 1)
    return Created(id=account, modseq=modseq)


async def set_password(work: Work, command: SetPassword) -> Done | Refused:
    """Execute ``SetPassword``."""
    await changed(work)
    if not await exists(work, command.account):
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
    await end_all(work, command.account, but=command.but)
    return Done()


async def _touch_credentials(work: Work, account: int) -> None:
    await work.tx.run(
        "UPDATE account SET credential_version = credential_version + 1 WHERE id = $1", account
    )


async def set_account(work: Work, command: SetAccount) -> Done | Refused:
    """Execute ``SetAccount``."""
    await changed(work)
    head = await work.head(command.account)
    if head is None or not await exists(work, command.account):
        return Refused(reason="no-such-account")
    if command.status is not None and command.status not in STATUSES:
        return Refused(reason="bad-name", text=f"{command.status!r} is not one of {STATUSES}")
    await work.tx.run(
        "UPDATE account SET status = coalesce($1, status), name = coalesce($2, name),"
        " locale = coalesce($3, locale), time_zone = coalesce($4, time_zone),"
        " internal = coalesce($5, internal) WHERE id = $6",
        command.status,
        command.name,
        command.locale,
        command.time_zone,
        None if command.internal is None else int(command.internal),
        command.account,
    )
    if command.status is not None:
        await _touch_credentials(work, command.account)
        await end_all(work, command.account)
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
