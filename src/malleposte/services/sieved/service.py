"""What a listener serves: the parts all sessions share, and who is signed in."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

import structlog

from malleposte.delivery.sieving.checking import Checker
from malleposte.directory.book import Book
from malleposte.directory.signin import Door
from malleposte.services.connection import Connection
from malleposte.services.sieved.session import Session
from malleposte.services.sieved.settings import SieveSettings
from malleposte.services.turns import Turns
from malleposte.store import PermanentFailure, Store, StoreError

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
        """End the sessions of accounts that may not be signed in any more. One that could not be looked at
        now is looked at again soon."""
        for number, sessions in list(self.sessions.items()):
            try:
                account = await self.book.account(number)
            except PermanentFailure:
                self.observer.defect("sieve store")
                continue
            except StoreError as error:
                log.warning("sieve_store_away", error=str(error))
                return
            for session in list(sessions):
                if account is None or account.status != "active":
                    session.dismiss("The account is suspended; ask your administrator")
                elif (
                    session.account is not None
                    and session.account.credential_version != account.credential_version
                ):
                    session.dismiss("The password was changed; sign in again")

    async def watch(self) -> None:
        """Look at the accounts again and again; run beside the listeners until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self.look()
