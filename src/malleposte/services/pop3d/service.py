"""What a listener serves: the parts all sessions share, and who is signed in."""

from dataclasses import dataclass, field

import structlog

from malleposte.directory.book import Book
from malleposte.directory.signin import Door
from malleposte.services.connection import Connection
from malleposte.services.pop3d.exclusive import Exclusive
from malleposte.services.pop3d.session import Session
from malleposte.services.pop3d.settings import Pop3Settings
from malleposte.services.still_signed_in import SUSPENDED, again_and_again, look_at_each, why_not
from malleposte.services.turns import Turns
from malleposte.store import Store
from malleposte.wire.pop3 import Code

log = structlog.get_logger(__name__)


class Observer:
    """Told of what happens, for metrics and logs; this one logs defects and keeps the rest."""

    def command(self, name: str, seconds: float) -> None:
        """A command was answered."""

    def signed_in(self, service: str, good: bool) -> None:
        """A sign-in ended."""

    def defect(self, where: str) -> None:
        """An exception of ours was met (called in its handler)."""
        log.exception("pop3_defect", where=where)


@dataclass(slots=True)
class Pop3Service:
    """See the module. One for each listener of a worker."""

    settings: Pop3Settings
    store: Store
    book: Book
    door: Door
    exclusive: Exclusive
    """Share one between the listeners of a worker."""
    observer: Observer = field(default_factory=Observer)
    sessions: dict[int, Session] = field(default_factory=dict)
    """Signed-in sessions by account; share one dict between the listeners of a worker."""
    turns: Turns = field(default_factory=Turns)
    """Share one between all services of a worker."""

    async def serve(self, connection: Connection) -> None:
        """One connection, from greeting to end."""
        await Session(self, connection).run()

    async def look(self) -> None:
        """End the sessions of accounts that may not be signed in any more, and keep the leases of the
        others."""
        await look_at_each(self.sessions.items(), self._look_at, "pop3", self.observer)

    async def _look_at(self, signed_in: tuple[int, Session]) -> None:
        number, session = signed_in
        account = await self.book.account(number)
        if words := why_not(session.account, account):
            # Another password does not help who is suspended (RFC 3206): programs must not ask for one.
            code = Code.PERMANENT if words == SUSPENDED else Code.TEMPORARY
            session.dismiss(words, code)
        elif not await self.exclusive.renew(number):
            session.dismiss("Somebody else has opened this mailbox meanwhile")
        if number not in self.sessions:
            await self.exclusive.give_up(number)  # it ended while its lease was renewed

    async def watch(self) -> None:
        """Look at the accounts again and again; run beside the listeners until cancelled."""
        await again_and_again(self.look)
