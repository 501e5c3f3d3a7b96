"""Passkeys and app passwords."""

import hashlib

from malleposte.store.commands.credentials import (
    APP_NOTED_EVERY,
    MAX_APP_PASSWORDS,
    MAX_PASSKEYS,
    AddAppPassword,
    AddPasskey,
    DropAppPassword,
    DropPasskey,
    RenamePasskey,
    UseAppPassword,
    UsePasskey,
)
from malleposte.store.execute.directory import changed, exists
from malleposte.store.execute.second_steps import clear_tries, only_passkeys, passkeys
from malleposte.store.results import Created, Done, Refused
from malleposte.store.work import Work

_AGAIN = Refused(reason="changed", text="this was answered already; begin again")
_GONE = Refused(reason="changed", text="this passkey is not known any more")
_TWICE = Refused(reason="in-use", text="this passkey counts wrongly: there may be a copy of it")
OLD_CHALLENGES = (
    "DELETE FROM spent_challenge WHERE digest IN"
    " (SELECT digest FROM spent_challenge WHERE until <= $1 LIMIT $2)"
)
"""For the upkeep."""
_APPS = "SELECT count(*) FROM credential WHERE account = $1 AND kind = 'app'"
_NEXT = "SELECT coalesce(max(id), 0) + 1 FROM credential WHERE account = $1"


async def add_passkey(work: Work, command: AddPasskey) -> Created | Refused:
    """Execute ``AddPasskey``."""
    if not await exists(work, command.account):
        return Refused(reason="no-such-account")
    if await work.tx.row("SELECT 1 FROM passkey WHERE credential = $1", command.credential):
        return Refused(reason="exists", text="this passkey is here already")
    if await passkeys(work, command.account) >= MAX_PASSKEYS:
        return Refused(reason="limit", text=f"an account has at most {MAX_PASSKEYS} passkeys")
    if not await _spend(work, command.challenge, command.until):
        return _AGAIN
    id_ = int.from_bytes(hashlib.sha256(command.credential).digest()[:6])
    await work.tx.run(
        "INSERT INTO passkey (credential, account, id, public_key, sign_count, label, created_at,"
        " last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
        command.credential,
        command.account,
        id_,
        command.public_key,
        command.sign_count,
        command.label,
        work.now,
    )
    return Created(id=id_)


async def use_passkey(work: Work, command: UsePasskey) -> Done | Refused:
    """Execute ``UsePasskey``. A counter that stands at 0 says nothing (WebAuthn §6.1.1)."""
    row = await work.tx.row(
        "SELECT sign_count FROM passkey WHERE credential = $1 AND account = $2",
        command.credential,
        command.account,
    )
    if row is None:
        return _GONE
    if (row[0] or command.sign_count) and command.sign_count <= row[0]:
        return _TWICE
    if not await _spend(work, command.challenge, command.until):
        return _AGAIN
    await work.tx.run(
        "UPDATE passkey SET sign_count = $1, last_used_at = $2 WHERE credential = $3",
        command.sign_count,
        work.now,
        command.credential,
    )
    await clear_tries(work, command.account)
    return Done()


async def _spend(work: Work, challenge: bytes, until: int) -> bool:
    written = await work.tx.run(
        "INSERT INTO spent_challenge (digest, until) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        challenge,
        until,
    )
    return bool(written)


async def drop_passkey(work: Work, command: DropPasskey) -> Done | Refused:
    """Execute ``DropPasskey``."""
    account = command.account
    if await only_passkeys(work, account) and await passkeys(work, account) == 1:
        return Refused(
            reason="in-use", text="it is the only second step: stop asking for one first"
        )
    count = await work.tx.run(
        "DELETE FROM passkey WHERE account = $1 AND id = $2", account, command.id
    )
    return Done(count=count)


async def rename_passkey(work: Work, command: RenamePasskey) -> Done:
    """Execute ``RenamePasskey``."""
    count = await work.tx.run(
        "UPDATE passkey SET label = $1 WHERE account = $2 AND id = $3",
        command.label,
        command.account,
        command.id,
    )
    return Done(count=count)


async def add_app_password(work: Work, command: AddAppPassword) -> Created | Refused:
    """Execute ``AddAppPassword``."""
    await changed(work)
    account = command.account
    if not await exists(work, account):
        return Refused(reason="no-such-account")
    count, number = await work.tx.row(_APPS, account), await work.tx.row(_NEXT, account)
    if count is None or number is None or count[0] >= MAX_APP_PASSWORDS:
        text = f"an account has at most {MAX_APP_PASSWORDS} app passwords"
        return Refused(reason="limit", text=text)
    await work.tx.run(
        "INSERT INTO credential (account, id, kind, hash, label, scope, created_at)"
        " VALUES ($1, $2, 'app', $3, $4, $5, $6)",
        account,
        number[0],
        command.password_hash,
        command.label,
        command.scope,
        work.now,
    )
    return Created(id=number[0])


async def drop_app_password(work: Work, command: DropAppPassword) -> Done:
    """Execute ``DropAppPassword``. What signed in by it notices: it asks for what is left."""
    await changed(work)
    count = await work.tx.run(
        "DELETE FROM credential WHERE account = $1 AND id = $2 AND kind = 'app'",
        command.account,
        command.id,
    )
    return Done(count=count)


async def use_app_password(work: Work, command: UseAppPassword) -> Done:
    """Execute ``UseAppPassword``."""
    count = await work.tx.run(
        "UPDATE credential SET last_used_at = $1 WHERE account = $2 AND id = $3 AND kind = 'app'"
        " AND coalesce(last_used_at, 0) <= $4",
        work.now,
        command.account,
        command.id,
        work.now - APP_NOTED_EVERY,
    )
    return Done(count=count)
