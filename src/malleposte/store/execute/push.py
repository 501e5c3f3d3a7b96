"""Push subscriptions: made, proved, noted, gone."""

import hmac
from typing import Final

from malleposte.store.commands.push import (
    MAX_SUBSCRIPTIONS,
    MAX_TEXT,
    PROVED,
    TO_PROVE,
    UNPROVED,
    AddPush,
    ChangePush,
    DropPush,
    NotePush,
)
from malleposte.store.results import Done, Refused
from malleposte.store.work import Work

_ADD: Final = (
    "INSERT INTO push_subscription (account, n, credential, device, url, p256dh, auth, code, stage, types,"
    " created_at, expires_at, told, due_at, failures, said)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0, '')"
)
_OVER: Final = (
    "DELETE FROM push_subscription WHERE account = $1"
    " AND (expires_at <= $2 OR (stage < $3 AND created_at <= $4))"
)
_NOTE: Final = (
    "UPDATE push_subscription SET stage = CASE WHEN stage < $1 THEN $1 ELSE stage END, told = $2,"
    " due_at = $3, failures = $4, said = $5 WHERE account = $6 AND n = $7"
)
_NONE: Final = Refused(reason="no-such-push", text="there is no such push subscription")
_LONG: Final = Refused(reason="too-long", text=f"texts have at most {MAX_TEXT:,} characters here")


async def add_push(work: Work, command: AddPush) -> Done | Refused:
    """Execute ``AddPush``. Those whose time is over make room."""
    if max(map(len, (command.url, command.device, command.types, command.credential))) > MAX_TEXT:
        return _LONG
    head = await work.head(command.account)
    if head is None:
        return Refused(reason="no-such-account")
    await work.tx.run(_OVER, command.account, work.now, PROVED, work.now - UNPROVED)
    row = await work.tx.row(
        "SELECT count(*) FROM push_subscription WHERE account = $1", command.account
    )
    if row is not None and row[0] >= MAX_SUBSCRIPTIONS:
        text = f"there can be {MAX_SUBSCRIPTIONS} push subscriptions at most: remove one first"
        return Refused(reason="limit", text=text)
    await work.tx.run(
        _ADD,
        command.account,
        command.n,
        command.credential,
        command.device,
        command.url,
        command.p256dh,
        command.auth,
        command.code,
        TO_PROVE,
        command.types,
        work.now,
        command.expires_at,
        head.modseq,
    )
    return Done()


async def change_push(work: Work, command: ChangePush) -> Done | Refused:
    """Execute ``ChangePush``."""
    if command.types is not None and len(command.types) > MAX_TEXT:
        return _LONG
    row = await work.tx.row(
        "SELECT credential, code, stage, types, expires_at, told FROM push_subscription"
        " WHERE account = $1 AND n = $2",
        command.account,
        command.n,
    )
    if row is None or row[0] != command.credential:
        return _NONE
    _, code, stage, types, expires_at, told = row
    if command.code is not None:
        if not hmac.compare_digest(command.code.encode(), code.encode()):
            return Refused(reason="wrong-code", text="that is not the code that was pushed")
        head = await work.head(command.account)
        if stage != PROVED and head is not None:
            stage, told = PROVED, head.modseq
    await work.tx.run(
        "UPDATE push_subscription SET stage = $1, types = $2, expires_at = $3, told = $4"
        " WHERE account = $5 AND n = $6",
        stage,
        types if command.types is None else command.types,
        expires_at if command.expires_at is None else command.expires_at,
        told,
        command.account,
        command.n,
    )
    return Done()


async def drop_push(work: Work, command: DropPush) -> Done | Refused:
    """Execute ``DropPush``."""
    gone = await work.tx.run(
        "DELETE FROM push_subscription WHERE account = $1 AND n = $2"
        " AND ($3 = '' OR credential = $3)",
        command.account,
        command.n,
        command.credential,
    )
    return Done() if gone else _NONE


async def note_push(work: Work, command: NotePush) -> Done:
    """Execute ``NotePush``."""
    count = await work.tx.run(
        _NOTE,
        command.stage,
        command.told,
        command.due_at,
        command.failures,
        command.said[:MAX_TEXT],
        command.account,
        command.n,
    )
    return Done(count=count)
