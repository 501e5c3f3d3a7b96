"""What a listener serves: the parts all sessions share, and who is signed in."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

import structlog

from malleposte.directory.book import Book
from malleposte.directory.signin import Door
from malleposte.services.connection import Connection
from malleposte.services.pop3d.exclusive import Exclusive
from malleposte.services.pop3d.session import Session
from malleposte.services.pop3d.settings import Pop3Settings
from malleposte.services.turns import Turns
from malleposte.store import PermanentFailure, Store, StoreError
from malleposte.wire.pop3 import Code

log = structlog.get_logger(__name__)

LOOK_EVERY: Final = 20.0
"""Seconds between looks at the accounts that are signed in: one that is suspended, or whose password
changed, is out within the minute."""


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
        others. One that could not be looked at now is looked at again soon."""
        away: list[StoreError] = []
        for number, session in list(self.sessions.items()):
            try:
                await self._look_at(number, session)
            except PermanentFailure:
                self.observer.defect("pop3 store")
            except StoreError as error:
                away.append(error)
        if away:
            log.warning("pop3_store_away", error=str(away[0]), not_looked_at=len(away))

    async def _look_at(self, number: int, session: Session) -> None:
        account = await self.book.account(number)
        before = session.account
        if account is None or account.status != "active":
            # Another password would not help (RFC 3206): programs must not ask for one.
            session.dismiss("The account is suspended; ask your administrator", Code.PERMANENT)
        elif before and before.credential_version != account.credential_version:
            session.dismiss("The password was changed; sign in again")
        elif not await self.exclusive.renew(number):
            session.dismiss("Somebody else has opened this mailbox meanwhile")
        if number not in self.sessions:
            await self.exclusive.give_up(number)  # it ended while its lease was renewed

    async def watch(self) -> None:
        """Look at the accounts again and again; run beside the listeners until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self.look()
