"""What a listener serves: the parts all sessions share, and who is signed in."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from malleposte.directory.book import Account, Book
from malleposte.directory.signin import Door
from malleposte.policy.account_counts import AccountCounts
from malleposte.policy.hourly import Hourly
from malleposte.services.connection import Connection
from malleposte.services.imapd.at_hand import AtHand
from malleposte.services.imapd.session import Session
from malleposte.services.imapd.settings import ImapSettings
from malleposte.services.imapd.watched import AllWatched
from malleposte.services.turns import Turns
from malleposte.store import PermanentFailure, Store, StoreError

log = structlog.get_logger(__name__)

CHANGES_OF_RIGHTS: Final = 1_000
"""Of an account in an hour, in each worker: each is a line in the audit, which only grows. LISTRIGHTS
counts as one: it tells who is there."""
LOOK_EVERY: Final = 20.0
"""Seconds between looks at the accounts that are signed in: one that is suspended, or whose password
changed, is out within the minute."""


class Push(Protocol):
    """Tells that something of an account may have changed. A hint may be wrong or come twice."""

    def subscribe(self, account: int, callback: Callable[[], None]) -> Callable[[], None]:
        """Have ``callback`` called on hints; the function that ends it. It is called in the loop."""
        ...


class Silence:
    """A push hub that tells nothing: sessions see changes when they ask."""

    def subscribe(self, account: int, callback: Callable[[], None]) -> Callable[[], None]:
        """See ``Push``."""
        return lambda: None


class Observer:
    """Told of what happens, for metrics and logs; this one logs defects and keeps the rest."""

    def connected(self) -> None:
        """A session began."""

    def ended(self, reason: str) -> None:
        """A session is over."""

    def command(self, name: str, seconds: float, good: bool) -> None:
        """A command was answered."""

    def rejected(self, cause: str) -> None:
        """A command never reached a handler."""

    def signed_in(self, service: str, good: bool) -> None:
        """A sign-in ended."""

    def defect(self, where: str) -> None:
        """An exception of ours was met (called in its handler)."""
        log.exception("imap_defect", where=where)


@dataclass(slots=True)
class ImapService:
    """See the module. One for each listener of a worker."""

    settings: ImapSettings
    store: Store
    book: Book
    door: Door
    push: Push = field(default_factory=Silence)
    observer: Observer = field(default_factory=Observer)
    sessions: dict[int, set[Session]] = field(default_factory=dict)
    """Signed-in sessions by account; share one dict between the listeners of a worker."""
    counts: AccountCounts = field(default_factory=AccountCounts)
    """How many there are over all workers; share one between the listeners of a worker."""
    at_hand: AtHand = field(default_factory=AtHand)
    changes_of_rights: Hourly = field(default_factory=lambda: Hourly(CHANGES_OF_RIGHTS))
    turns: Turns = field(default_factory=Turns)
    """Share one between the listeners of a worker."""
    watched: AllWatched = field(init=False)
    """What sessions watch (NOTIFY); share one between the listeners of a worker."""

    def __post_init__(self) -> None:
        self.watched = AllWatched(self.store.reader)

    async def serve(self, connection: Connection) -> None:
        """One connection, from greeting to end."""
        await Session(self, connection).run()

    def enter(self, session: Session, account: Account) -> bool:
        """Count a session that signs in; False where the account has too many already."""
        if not self.counts.enter(account.id, self.settings.sessions_per_account):
            return False
        self.sessions.setdefault(account.id, set()).add(session)
        return True

    def leave(self, session: Session) -> None:
        """Forget a session."""
        account = session.account
        if account is not None:
            sessions = self.sessions.get(account.id)
            if sessions is not None and session in sessions:
                self.counts.leave(account.id)
                sessions.remove(session)
                if not sessions:
                    del self.sessions[account.id]

    async def look(self) -> None:
        """End the sessions of accounts that may not be signed in any more. One that could not be looked
        at now is looked at again soon."""
        away: list[StoreError] = []
        for number, sessions in list(self.sessions.items()):
            try:
                account = await self.book.account(number)
            except PermanentFailure:
                self.observer.defect("store")
                continue
            except StoreError as error:
                away.append(error)
                continue
            for session in list(sessions):
                before = session.account
                if account is None or account.status != "active":
                    session.dismiss("The account is suspended; ask your administrator")
                elif before and before.credential_version != account.credential_version:
                    session.dismiss("The password was changed; sign in again")
        if away:
            log.warning("imap_store_away", error=str(away[0]), not_looked_at=len(away))

    async def watch(self) -> None:
        """Look at the accounts again and again; run beside the listeners until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self.look()
