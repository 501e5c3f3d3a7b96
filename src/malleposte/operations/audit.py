"""The audit in the store: a line for every operator's action."""

import msgspec

from malleposte.policy.audit import AuditEvent
from malleposte.store import Store
from malleposte.store.commands import RecordAudit


def line_of(event: AuditEvent) -> RecordAudit:
    """The store's command for an event; the store stamps the time."""
    return RecordAudit(
        actor=event.actor.name,
        operation=str(event.operation),
        target=event.target.name,
        outcome=event.outcome.value,
        details=msgspec.json.encode(dict(event.details)).decode(),
    )


class StoreAudit:
    """An ``AuditSink``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def append(self, event: AuditEvent) -> None:
        """Durable when it returns. Raises the store's failures."""
        await self._store.submit(line_of(event))
