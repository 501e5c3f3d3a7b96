"""What an operation works with; made by whoever calls it, for one actor."""

from dataclasses import dataclass
from typing import Protocol

from malleposte.directory.book import Book
from malleposte.operations.audit import StoreAudit
from malleposte.policy.audit import AuditSink
from malleposte.policy.permissions import Actor
from malleposte.store import Store


class Hasher(Protocol):
    """Makes stored forms of passwords (``runtime.passwords``)."""

    async def hash(self, password: str) -> str:
        """Raises ``UnfitPasswordError`` and ``TooBusyError``."""
        ...


@dataclass(frozen=True, slots=True)
class OperationSettings:
    """``quota``: octets of an account that has no value of its own (0: no limit). ``recoverable``:
    seconds that deleted mail can be brought back. ``alone``: no server runs beside this process."""

    hostname: str
    quota: int = 0
    recoverable: int = 14 * 86_400
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """See the module."""

    store: Store
    book: Book
    passwords: Hasher
    settings: OperationSettings
    actor: Actor
    audit: AuditSink

    @classmethod
    def of(
        cls,
        store: Store,
        book: Book,
        passwords: Hasher,
        settings: OperationSettings,
        actor: Actor,
    ) -> "Context":
        """A context whose audit is the store's."""
        return cls(store, book, passwords, settings, actor, StoreAudit(store))
