"""How an account goes: at once for everybody, its mail in slices, and at last its own rows."""

import msgspec

from malleposte.store.commands import DeleteAccount, PurgeAccount
from malleposte.store.dialect import any_of, both
from malleposte.store.execute import contact_heads, readers_names
from malleposte.store.execute.directory import changed, exists, last_owner
from malleposte.store.execute.routing import leave_routes
from malleposte.store.execute.second_steps import forget
from malleposte.store.execute.senders import forget_sender
from malleposte.store.results import Done, Refused
from malleposte.store.work import Work

PURGE_JOB = "purge-account"

ON_HOLD = "SELECT reason FROM hold WHERE account = $1 AND released_at IS NULL"

_PURGE_SLICE = 1_000
_FORGET_MARKS = (
    "DELETE FROM reader_seen WHERE reader = $1 AND email IN"
    " (SELECT email FROM reader_seen WHERE reader = $1 LIMIT $2)"
)


async def delete_account(work: Work, command: DeleteAccount) -> Done | Refused:
    """Execute ``DeleteAccount``."""
    await changed(work)
    if not await exists(work, command.account):
        return Refused(reason="no-such-account")
    held = await work.tx.row(ON_HOLD, command.account)
    if held is not None:
        return Refused(reason="in-use", text=f"a hold keeps this account: {held[0]}")
    last = await last_owner(work, command.account)
    if last is not None:
        return last
    await work.tx.run("DELETE FROM address_target WHERE account = $1", command.account)
    await work.tx.run(
        "DELETE FROM address WHERE kind NOT IN ('system', 'group', 'relayed') AND NOT EXISTS"
        " (SELECT 1 FROM address_target t WHERE t.address = address.address)"
    )
    await leave_routes(work, command.account)
    await forget_sender(work, command.account)
    for table in ("credential", "web_session", "known_device"):
        await work.tx.run(f"DELETE FROM {table} WHERE account = $1", command.account)
    await forget(work, command.account, keys=True)
    await work.tx.run("DELETE FROM role_grant WHERE account = $1", command.account)
    low, high = command.account << 32, (command.account + 1) << 32
    await work.tx.run("DELETE FROM mailbox_right WHERE grantee = $1", command.account)
    await work.tx.run("DELETE FROM mailbox_right WHERE mailbox > $1 AND mailbox < $2", low, high)
    await readers_names.leave_all(work, low, high)
    await contact_heads.part(work, command.account)
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


async def purge_account(work: Work, command: PurgeAccount) -> Done | Refused:
    """Execute ``PurgeAccount``: a slice of a deleted account's mail, and at last its own rows."""
    row = await work.tx.row("SELECT status FROM account WHERE id = $1", command.account)
    if row is None:
        return Done()
    if row[0] != "deleted":
        return Refused(reason="in-use", text="only a deleted account can be purged")
    held = await work.tx.row(ON_HOLD, command.account)
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
    await work.tx.run("DELETE FROM push_subscription WHERE account = $1", command.account)
    for table in ("sieve_form", "sieve_memory", "identity", "email_submission"):
        await work.tx.run(f"DELETE FROM {table} WHERE account = $1", command.account)
    await contact_heads.forget(work, command.account)
    await work.tx.run("DELETE FROM share_notification WHERE account = $1", command.account)
    for table in ("sieve_script", "sieve_head"):
        await work.tx.run(f"DELETE FROM {table} WHERE owner = $1", command.account)
    await work.tx.run("DELETE FROM account WHERE id = $1", command.account)
    work.forget_account(command.account)
    return Done(count=0)


async def forget_emails(work: Work, emails: list[int]) -> None:
    """Remove emails for good, with everything that hangs on them; their blobs are for the sweep."""
    await work.tx.run(
        both(
            "UPDATE blob SET touched_at = $1 WHERE touched_at < $1"
            " AND id IN (SELECT blob FROM email WHERE {ids})",
            ids=any_of("id", 2),
        ),
        work.now,
        emails,
    )
    await remove_emails(work, emails)


async def remove_emails(work: Work, emails: list[int]) -> None:
    """``forget_emails``, where something else is done about their blobs."""
    for table, column in (
        ("membership", "email"),
        ("reader_seen", "email"),
        ("recoverable", "email"),
        ("email_wide", "id"),
    ):
        await work.tx.run(both(f"DELETE FROM {table} WHERE {{ids}}", ids=any_of(column, 1)), emails)
    await work.tx.run(both("DELETE FROM email WHERE {ids}", ids=any_of("id", 1)), emails)
