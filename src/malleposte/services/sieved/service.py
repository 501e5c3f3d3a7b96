"""What a listener serves: the parts all sessions share, and who is signed in."""

from dataclasses import dataclass, field

import structlog

from malleposte.delivery.sieving.checking import Checker
from malleposte.directory.book import Book
from malleposte.directory.signin import Door
from malleposte.services.connection import Connection
from malleposte.services.sieved.session import Session
from malleposte.services.sieved.settings import SieveSettings
from malleposte.services.still_signed_in import again_and_again, look_at_each, why_not
from malleposte.services.turns import Turns
from malleposte.store import Store

log = structlog.get_logger(__name__)


class Observer:
    """Told of what happens, for metrics and logs; this one logs defects and keeps the rest."""

    def command(self, name: str, seconds: float) -> None:
        """A command was answered."""

    def signed_in(self, service: str, good: bool) -> None:
        """A sign-in ended."""

    def defect(self, where: str) -> None:
        """An exception of ours was met (called in its handler)."""
        log.exception("sieve_defect", where=where)


@dataclass(slots=True)
class SieveService:
    """See the module. One for each listener of a worker."""

    settings: SieveSettings
    store: Store
    book: Book
    door: Door
    checker: Checker
    """Share one between the listeners of a worker."""
    observer: Observer = field(default_factory=Observer)
    sessions: dict[int, set[Session]] = field(default_factory=dict)
    """Signed-in sessions by account; share one dict between the listeners of a worker."""
    turns: Turns = field(default_factory=Turns)
    """Share one between all services of a worker."""

    async def serve(self, connection: Connection) -> None:
        """One connection, from greeting to end."""
        await Session(self, connection).run()

    async def look(self) -> None:
        """End the sessions of accounts that may not be signed in any more."""
        await look_at_each(self.sessions, self._look_at, "sieve", self.observer)

    async def _look_at(self, number: int) -> None:
        account = await self.book.account(number)
        for session in list(self.sessions.get(number, ())):
            if words := why_not(session.account, account):
                session.dismiss(words)

    async def watch(self) -> None:
        """Look at the accounts again and again; run beside the listeners until cancelled."""
        await again_and_again(self.look)
