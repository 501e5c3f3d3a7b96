"""Relays by recipient or sender, with their passwords; and by which routing the queue goes."""

from malleposte.store.commands import PutSecret
from malleposte.store.commands.relays import (
    MAX_RELAYS,
    DropRelay,
    NoteRouting,
    PutRelay,
    secret_name,
)
from malleposte.store.execute.records import put_secret
from malleposte.store.results import Done, Refused
from malleposte.store.work import Work

ROUTING = "routing"
"""Name of the mark in ``meta``."""

_PUT = (
    "INSERT INTO relay (kind, name, host, port, tls, verify, login, changed_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (kind, name) DO UPDATE SET"
    " host = excluded.host, port = excluded.port, tls = excluded.tls, verify = excluded.verify,"
    " login = excluded.login, changed_at = CASE WHEN relay.changed_at >= excluded.changed_at"
    " THEN relay.changed_at + 1 ELSE excluded.changed_at END"
)


async def put_relay(work: Work, command: PutRelay) -> Done | Refused:
    """Execute ``PutRelay``."""
    kind, name = command.kind, command.name
    known = await work.tx.row("SELECT 1 FROM relay WHERE kind = $1 AND name = $2", kind, name)
    count = await work.tx.row("SELECT count(*) FROM relay")
    if known is None and count is not None and count[0] >= MAX_RELAYS:
        return Refused(reason="limit", text=f"there are {MAX_RELAYS:,} relays already")
    await work.tx.run(
        _PUT,
        kind,
        name,
        command.host,
        command.port,
        command.tls,
        int(command.verify),
        command.login,
        work.now,
    )
    if command.sealed is not None:
        secret = PutSecret(
            name=secret_name(kind, name), sealed=command.sealed, key_id=command.key_id
        )
        await put_secret(work, secret)
    return Done(count=1)


async def drop_relay(work: Work, command: DropRelay) -> Done:
    """Execute ``DropRelay``."""
    gone = await work.tx.run(
        "DELETE FROM relay WHERE kind = $1 AND name = $2", command.kind, command.name
    )
    secret = secret_name(command.kind, command.name)
    await work.tx.run("DELETE FROM secret WHERE name = $1", secret)
    return Done(count=gone)


async def note_routing(work: Work, command: NoteRouting) -> Done:
    """Execute ``NoteRouting``."""
    count = await work.tx.run(
        "INSERT INTO meta (name, value) VALUES ($1, $2)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        ROUTING,
        command.mark,
    )
    return Done(count=count)
