"""Groups: addresses whose mail is given to members. Addresses come normalised.

Direct members of a group with an archive may read it: the right comes and goes with their membership, in
the same transaction.
"""

from malleposte.store.commands import (
    MAX_MEMBERS,
    MAX_OWNERS,
    SENDERS,
    SYSTEM,
    DeleteGroup,
    GroupEntry,
    PutGroup,
    SetMembers,
    SetRights,
)
from malleposte.store.execute.directory import ADD_ADDRESS, changed, exists, own_domain
from malleposte.store.execute.giving import set_rights
from malleposte.store.ids import mailbox_id
from malleposte.store.results import Done, Refused
from malleposte.store.work import Work

READING = "lrs"
"""What members may do in the archive."""

_GROUP = "SELECT archive FROM mail_group WHERE address = $1"
_MEMBERS = (
    "SELECT account FROM group_member WHERE mail_group = $1 AND account > 0 AND member = 1"
    " ORDER BY account"
)
_ENTRY = (
    "SELECT member, owner FROM group_member WHERE mail_group = $1 AND account = $2 AND address = $3"
)
_BELOW = (
    "WITH RECURSIVE below (address) AS (SELECT CAST($1 AS TEXT) UNION SELECT m.address"
    " FROM group_member m JOIN below b ON m.mail_group = b.address"
    " WHERE m.address <> '' AND m.member = 1) SELECT 1 FROM below WHERE address = $2"
)
_COUNT = "SELECT coalesce(sum(member), 0), coalesce(sum(owner), 0) FROM group_member WHERE mail_group = $1"
_PUT = (
    "INSERT INTO group_member (mail_group, account, address, member, owner)"
    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (mail_group, account, address)"
    " DO UPDATE SET member = excluded.member, owner = excluded.owner"
)


def _no_group(address: str) -> Refused:
    return Refused(reason="no-such-alias", text=f"there is no group {address}")


async def put_group(work: Work, command: PutGroup) -> Done | Refused:
    """Execute ``PutGroup``."""
    await changed(work)
    row = await work.tx.row(_GROUP, command.address)
    refused = await _unfit(work, command)
    if refused is not None:
        return refused
    if row is None:
        if not command.fresh:
            return _no_group(command.address)
        if await work.tx.row("SELECT 1 FROM address WHERE address = $1", command.address):
            text = f"the address {command.address} is in use"
            return Refused(reason="exists", text=text)
        domain = await own_domain(work, command.address)
        if isinstance(domain, Refused):
            return domain
        await work.tx.run(ADD_ADDRESS, command.address, domain, "group", work.now)
        await work.tx.run(
            "INSERT INTO mail_group (address, name, senders, archive) VALUES ($1, $2, $3, 0)",
            command.address,
            command.name or "",
            command.senders or "inside",
        )
    elif command.fresh:
        return Refused(reason="exists", text=f"there is a group {command.address} already")
    else:
        await work.tx.run(
            "UPDATE mail_group SET name = coalesce($1, name), senders = coalesce($2, senders)"
            " WHERE address = $3",
            command.name,
            command.senders,
            command.address,
        )
    before = row[0] if row is not None else 0
    if command.archive is not None and command.archive != before:
        return await _archived(work, command, before)
    return Done()


async def _unfit(work: Work, command: PutGroup) -> Refused | None:
    if command.senders is not None and command.senders not in SENDERS:
        return Refused(reason="bad-name", text=f"{command.senders!r} is not one of {SENDERS}")
    if command.archive and not await exists(work, command.archive):
        return Refused(reason="no-such-account", text=f"there is no account {command.archive}")
    return None


async def _archived(work: Work, command: PutGroup, before: int) -> Done | Refused:
    """Keep mail in another account, or in none, from now on. A list of rights that is full stays as it is:
    who is not in it cannot read, which an administrator sees and mends."""
    archive = command.archive or 0
    await work.tx.run(
        "UPDATE mail_group SET archive = $1 WHERE address = $2", archive, command.address
    )
    members = [row[0] for row in await work.tx.rows(_MEMBERS, command.address)]
    await work.lock([one for one in (before, archive, *members) if one])
    for account in members:
        if before:
            await _may_read(work, before, account, False, "")
        if archive:
            await _may_read(work, archive, account, True, command.archive_shown)
    return Done(count=len(members))


async def _may_read(work: Work, archive: int, account: int, may: bool, shown: str) -> None:
    if account == archive:
        return
    await set_rights(
        work,
        SetRights(
            actor=SYSTEM,
            mailbox=mailbox_id(archive, 1),
            grantee=account,
            mode="+" if may else "-",
            letters=READING,
            owner_shown=shown,
        ),
    )
    work.remarks.clear()  # of the audit's line of the group: whoever reads on is no part of it


async def delete_group(work: Work, command: DeleteGroup) -> Done | Refused:
    """Execute ``DeleteGroup``."""
    await changed(work)
    row = await work.tx.row(_GROUP, command.address)
    if row is None:
        return _no_group(command.address)
    if row[0]:
        members = [member[0] for member in await work.tx.rows(_MEMBERS, command.address)]
        await work.lock((row[0], *members))
        for account in members:
            await _may_read(work, row[0], account, False, "")
    await work.tx.run("DELETE FROM group_member WHERE address = $1", command.address)
    await work.tx.run("DELETE FROM group_member WHERE mail_group = $1", command.address)
    await work.tx.run("DELETE FROM mail_group WHERE address = $1", command.address)
    await work.tx.run("DELETE FROM address WHERE address = $1", command.address)
    await work.tx.run("DELETE FROM send_right WHERE address = $1", command.address)
    return Done()


async def set_members(work: Work, command: SetMembers) -> Done | Refused:
    """Execute ``SetMembers``."""
    await changed(work)
    group = command.address
    row = await work.tx.row(_GROUP, group)
    if row is None:
        return _no_group(group)
    if command.present:
        refused = await _unfit_entries(work, command)
        if refused is not None:
            return refused
    if row[0]:
        # The heads that the rights need, in one order with all others that lock some.
        await work.lock([row[0], *(entry.account for entry in command.entries if entry.account)])
    count = 0
    for entry in command.entries:
        count += await _set_one(work, command, entry, row[0])
    return Done(count=count)


async def _unfit_entries(work: Work, command: SetMembers) -> Refused | None:
    """Why these cannot all be members, or owners."""
    row = await work.tx.row(_COUNT, command.address)
    there = int(row[1] if command.owner else row[0]) if row is not None else 0
    most = MAX_OWNERS if command.owner else MAX_MEMBERS
    new = 0
    for entry in command.entries:
        if entry.account and not await exists(work, entry.account):
            return Refused(reason="no-such-account", text=f"there is no account {entry.account}")
        if not entry.account and command.owner:
            return Refused(reason="bad-name", text="an owner of a group is an account")
        if not entry.account and await work.tx.row(_BELOW, entry.address, command.address):
            text = f"{entry.address} has {command.address} among its members already, or is it"
            return Refused(reason="loop", text=text)
        row = await work.tx.row(_ENTRY, command.address, entry.account, entry.address)
        new += row is None or not (row[1] if command.owner else row[0])
    if there + new > most:
        what = "owners" if command.owner else "members"
        return Refused(reason="limit", text=f"a group has at most {most:,} {what}")
    return None


async def _set_one(work: Work, command: SetMembers, entry: GroupEntry, archive: int) -> int:
    group = command.address
    row = await work.tx.row(_ENTRY, group, entry.account, entry.address)
    member, owner = (bool(row[0]), bool(row[1])) if row is not None else (False, False)
    was = owner if command.owner else member
    if was is command.present:
        return 0
    if command.owner:
        owner = command.present
    else:
        member = command.present
    if member or owner:
        await work.tx.run(_PUT, group, entry.account, entry.address, int(member), int(owner))
    else:
        await work.tx.run(
            "DELETE FROM group_member WHERE mail_group = $1 AND account = $2 AND address = $3",
            group,
            entry.account,
            entry.address,
        )
    if archive and entry.account and not command.owner:
        await _may_read(work, archive, entry.account, command.present, command.archive_shown)
    return 1
