"""Sessions of the web: opened, used, ended."""

from typing import Final

import msgspec

from malleposte.store.commands.sessions import (
    MAX_AGENT,
    MAX_DEVICES,
    MAX_SESSIONS,
    CloseWebSessions,
    OpenWebSession,
    UseWebSession,
)
from malleposte.store.commands.upkeep import AddJob
from malleposte.store.execute.records import add_job
from malleposte.store.results import Done, Refused
from malleposte.store.work import Work

_ENDED_OF = (
    "DELETE FROM web_session WHERE account = $1 AND (expires_at <= $2 OR used_at + idle <= $2)"
)
_OVER = (
    "DELETE FROM web_session WHERE token IN (SELECT token FROM web_session WHERE account = $1"
    " ORDER BY used_at DESC, token LIMIT $2 OFFSET $3)"
)
_DEVICES_OVER = (
    "DELETE FROM known_device WHERE account = $1 AND digest IN (SELECT digest FROM known_device"
    " WHERE account = $1 ORDER BY seen_at DESC, digest LIMIT $2 OFFSET $3)"
)
_A_LOT = 1_000
NEW_DEVICE_JOB: Final = "new-device"
"""Kind of the job that tells the owner; payload ``NewDevice``."""


class NewDevice(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What the owner is told: of which browser, from where, when."""

    account: int
    agent: str
    address: str
    at: int


ENDED = (
    "DELETE FROM web_session WHERE token IN (SELECT token FROM web_session"
    " WHERE expires_at <= $1 OR used_at + idle <= $1 LIMIT $2)"
)
"""Those that have ended by themselves, for the upkeep."""


async def open_web_session(work: Work, command: OpenWebSession) -> Done | Refused:
    """Execute ``OpenWebSession``."""
    row = await work.tx.row(
        "SELECT credential_version FROM account WHERE id = $1 AND status = 'active'",
        command.account,
    )
    if row is None or row[0] != command.version:
        return Refused(reason="changed", text="the account was changed meanwhile")
    await work.tx.run(_ENDED_OF, command.account, work.now)
    await work.tx.run(_OVER, command.account, _A_LOT, MAX_SESSIONS - 1)
    await work.tx.run(
        "INSERT INTO web_session (token, account, id, created_at, used_at, proved_at, idle,"
        " expires_at, way, agent, address) VALUES ($1, $2, $3, $4, $4, $4, $5, $6, $7, $8, $9)",
        command.token,
        command.account,
        int.from_bytes(command.token[:6]),  # exact in JSON, too
        work.now,
        command.idle,
        work.now + command.lasts,
        command.way,
        command.agent[:MAX_AGENT],
        command.address,
    )
    new = await _is_new(work, command.account, command.device)
    if new:
        await _tell(work, command)
    return Done(count=int(new))


async def _tell(work: Work, command: OpenWebSession) -> None:
    told = NewDevice(
        account=command.account,
        agent=command.agent[:MAX_AGENT],
        address=command.address,
        at=work.now,
    )
    key = f"{command.account}:{command.token[:6].hex()}"
    payload = msgspec.msgpack.encode(told)
    await add_job(work, AddJob(kind=NEW_DEVICE_JOB, key=key, payload=payload, run_at=work.now))


async def _is_new(work: Work, account: int, device: bytes) -> bool:
    """Whether an account that has signed in before has never from there."""
    if not device:
        return False
    known = await work.tx.row(
        "SELECT count(*), coalesce(max(CASE WHEN digest = $1 THEN 1 ELSE 0 END), 0)"
        " FROM known_device WHERE account = $2",
        device,
        account,
    )
    count, same = known or (0, 0)
    if not same:
        await work.tx.run(_DEVICES_OVER, account, _A_LOT, MAX_DEVICES - 1)
    await work.tx.run(
        "INSERT INTO known_device (account, digest, seen_at) VALUES ($1, $2, $3)"
        " ON CONFLICT (account, digest) DO UPDATE SET seen_at = excluded.seen_at",
        account,
        device,
        work.now,
    )
    return bool(count) and not same


async def use_web_session(work: Work, command: UseWebSession) -> Done:
    """Execute ``UseWebSession``."""
    count = await work.tx.run(
        "UPDATE web_session SET used_at = $1, proved_at = CASE WHEN $2 THEN $1 ELSE proved_at END"
        " WHERE token = $3",
        work.now,
        command.proved,
        command.token,
    )
    return Done(count=count)


async def close_web_sessions(work: Work, command: CloseWebSessions) -> Done:
    """Execute ``CloseWebSessions``."""
    if not command.ids:
        return Done(count=await end_all(work, command.account, but=command.but))
    count = 0
    for id_ in command.ids:
        count += await work.tx.run(
            "DELETE FROM web_session WHERE account = $1 AND id = $2 AND token <> $3",
            command.account,
            id_,
            command.but,
        )
    return Done(count=count)


async def end_all(work: Work, account: int, *, but: bytes = b"") -> int:
    """End the sessions of an account, but for one; how many."""
    return await work.tx.run(
        "DELETE FROM web_session WHERE account = $1 AND token <> $2", account, but
    )
