"""Relays by recipient or sender as they are kept."""

from malleposte.store.commands.relays import RelayRow
from malleposte.store.dialect import Reader

_RELAYS = (
    "SELECT r.kind, r.name, r.host, r.port, r.tls, r.verify, r.login, r.changed_at, s.sealed"
    " FROM relay r LEFT JOIN secret s ON s.name = 'relay:' || r.kind || ':' || r.name"
    " ORDER BY r.kind, r.name"
)


async def relays(reader: Reader) -> list[RelayRow]:
    """All of them; there are few."""
    return [
        RelayRow(
            kind=kind,
            name=name,
            host=host,
            port=port,
            tls=tls,
            verify=bool(verify),
            login=login,
            changed_at=changed_at,
            sealed=bytes(sealed or b""),
        )
        for kind, name, host, port, tls, verify, login, changed_at, sealed in await reader.rows(
            _RELAYS
        )
    ]


async def noted_routing(reader: Reader) -> str:
    """By which routing all that is queued goes, '' where none was noted."""
    row = await reader.row("SELECT value FROM meta WHERE name = 'routing'")
    return str(row[0]) if row is not None else ""
