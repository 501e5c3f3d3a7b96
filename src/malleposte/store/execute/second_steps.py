"""Second steps of signing in: asked for or not, one-time codes, recovery codes."""

from malleposte.store.commands.credentials import (
    MAX_WRONG_STEPS,
    WRONG_STEPS_FOR,
    ConfirmTotp,
    DropSecondStep,
    DropTotp,
    PutRecoveryCodes,
    RequireSecondStep,
    StartTotp,
    TrySecondStep,
    UseRecoveryCode,
    UseTotp,
    seed_name,
)
from malleposte.store.commands.directory import PutSecret
from malleposte.store.execute.directory import changed, exists
from malleposte.store.execute.records import put_secret
from malleposte.store.execute.sessions import end_all
from malleposte.store.results import Done, Refused
from malleposte.store.work import Work

_ONLY = Refused(reason="in-use", text="it is the only second step: stop asking for one first")
_ON = (
    "UPDATE account SET second_factor = $1, credential_version = credential_version + 1"
    " WHERE id = $2 AND second_factor = 0"
)
_OFF = (
    "UPDATE account SET second_factor = 0, credential_version = credential_version + 1"
    " WHERE id = $1 AND second_factor > 0"
)
_TRY = (
    "INSERT INTO second_step (account, failures, since) VALUES ($1, 1, $2)"
    " ON CONFLICT (account) DO UPDATE SET"
    " failures = CASE WHEN second_step.since <= $3 THEN 1 ELSE second_step.failures + 1 END,"
    " since = CASE WHEN second_step.since <= $3 THEN excluded.since ELSE second_step.since END"
    " WHERE second_step.since <= $3 OR second_step.failures < $4"
)


async def start_totp(work: Work, command: StartTotp) -> Done | Refused:
    """Execute ``StartTotp``."""
    account = command.account
    if not await exists(work, account):
        return Refused(reason="no-such-account")
    written = await work.tx.run(
        "INSERT INTO totp (account, created_at, confirmed_at, used_step) VALUES ($1, $2, 0, 0)"
        " ON CONFLICT (account) DO UPDATE SET created_at = excluded.created_at"
        " WHERE totp.confirmed_at = 0",
        account,
        work.now,
    )
    if not written:
        return Refused(reason="exists", text="one-time codes are in use already")
    name = seed_name(account)
    await put_secret(work, PutSecret(name=name, sealed=command.sealed, key_id=command.key_id))
    return Done()


async def confirm_totp(work: Work, command: ConfirmTotp) -> Done | Refused:
    """Execute ``ConfirmTotp``."""
    confirmed = await work.tx.run(
        "UPDATE totp SET confirmed_at = $1, used_step = $2 WHERE account = $3 AND confirmed_at = 0",
        work.now,
        command.step,
        command.account,
    )
    if not confirmed:
        return Refused(reason="changed", text="there is nothing to confirm")
    return Done(count=await _require(work, command.account, command.codes, command.but))


async def require_second_step(work: Work, command: RequireSecondStep) -> Done | Refused:
    """Execute ``RequireSecondStep``."""
    if not await _has_totp(work, command.account) and not await passkeys(work, command.account):
        return Refused(reason="not-empty", text="there is no second step to ask for yet")
    if not await _require(work, command.account, command.codes, command.but):
        return Refused(reason="exists", text="a second step is asked for already")
    return Done(count=1)


async def _require(work: Work, account: int, codes: tuple[bytes, ...], but: bytes) -> int:
    """Whether it was not asked for before."""
    await changed(work)
    if not await work.tx.run(_ON, work.now, account):
        return 0
    await _put_codes(work, account, codes)
    await end_all(work, account, but=but)
    return 1


async def drop_second_step(work: Work, command: DropSecondStep) -> Done:
    """Execute ``DropSecondStep``."""
    await changed(work)
    account = command.account
    count = await work.tx.run(_OFF, account)
    await forget(work, account, keys=command.passkeys)
    await end_all(work, account, but=command.but)
    return Done(count=count)


async def forget(work: Work, account: int, *, keys: bool) -> None:
    """Remove seed and codes, with ``keys`` passkeys too."""
    await work.tx.run("DELETE FROM secret WHERE name = $1", seed_name(account))
    await work.tx.run("DELETE FROM totp WHERE account = $1", account)
    await work.tx.run("DELETE FROM recovery_code WHERE account = $1", account)
    await work.tx.run("DELETE FROM second_step WHERE account = $1", account)
    if keys:
        await work.tx.run("DELETE FROM passkey WHERE account = $1", account)


async def drop_totp(work: Work, command: DropTotp) -> Done | Refused:
    """Execute ``DropTotp``."""
    account = command.account
    if await is_required(work, account) and not await passkeys(work, account):
        return _ONLY
    await work.tx.run("DELETE FROM secret WHERE name = $1", seed_name(account))
    return Done(count=await work.tx.run("DELETE FROM totp WHERE account = $1", account))


async def put_recovery_codes(work: Work, command: PutRecoveryCodes) -> Done | Refused:
    """Execute ``PutRecoveryCodes``."""
    if not await is_required(work, command.account):
        return Refused(reason="not-empty", text="no second step is asked for")
    await _put_codes(work, command.account, command.codes)
    return Done()


async def _put_codes(work: Work, account: int, codes: tuple[bytes, ...]) -> None:
    await work.tx.run("DELETE FROM recovery_code WHERE account = $1", account)
    for code in codes:
        await work.tx.run(
            "INSERT INTO recovery_code (account, digest, used_at) VALUES ($1, $2, 0)", account, code
        )


async def try_second_step(work: Work, command: TrySecondStep) -> Done | Refused:
    """Execute ``TrySecondStep``."""
    begin = work.now - WRONG_STEPS_FOR
    counted = await work.tx.run(_TRY, command.account, work.now, begin, MAX_WRONG_STEPS)
    return Done() if counted else Refused(reason="too-many", text="too many wrong codes")


async def use_totp(work: Work, command: UseTotp) -> Done | Refused:
    """Execute ``UseTotp``."""
    taken = await work.tx.run(
        "UPDATE totp SET used_step = $1 WHERE account = $2 AND confirmed_at > 0 AND used_step < $1",
        command.step,
        command.account,
    )
    if not taken:
        return Refused(reason="changed", text="this code was used already")
    await clear_tries(work, command.account)
    return Done()


async def use_recovery_code(work: Work, command: UseRecoveryCode) -> Done | Refused:
    """Execute ``UseRecoveryCode``."""
    account = command.account
    taken = await work.tx.run(
        "UPDATE recovery_code SET used_at = $1 WHERE account = $2 AND digest = $3 AND used_at = 0",
        work.now,
        account,
        command.digest,
    )
    if not taken:
        return Refused(reason="changed", text="this code was used already, or is none")
    await clear_tries(work, account)
    row = await work.tx.row(
        "SELECT count(*) FROM recovery_code WHERE account = $1 AND used_at = 0", account
    )
    return Done(count=row[0] if row else 0)


async def clear_tries(work: Work, account: int) -> None:
    """A second step was right: earlier ones that were not are forgotten."""
    await work.tx.run("DELETE FROM second_step WHERE account = $1", account)


async def is_required(work: Work, account: int) -> bool:
    """Whether an account is asked for a second step."""
    row = await work.tx.row("SELECT second_factor FROM account WHERE id = $1", account)
    return row is not None and row[0] > 0


async def only_passkeys(work: Work, account: int) -> bool:
    """Whether its passkeys are the only second step of an account that is asked for one."""
    return await is_required(work, account) and not await _has_totp(work, account)


async def passkeys(work: Work, account: int) -> int:
    """How many an account has."""
    row = await work.tx.row("SELECT count(*) FROM passkey WHERE account = $1", account)
    return row[0] if row else 0


async def _has_totp(work: Work, account: int) -> bool:
    row = await work.tx.row("SELECT 1 FROM totp WHERE account = $1 AND confirmed_at > 0", account)
    return row is not None
