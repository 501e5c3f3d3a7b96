"""What a listener serves: the parts all sessions share, and who is signed in."""

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
from malleposte.services.still_signed_in import again_and_again, look_at_each, why_not
from malleposte.services.turns import Turns
from malleposte.store import Store

log = structlog.get_logger(__name__)

CHANGES_OF_RIGHTS: Final = 1_000
"""Of an account in an hour, in each worker: each is a line in the audit, which only grows. LISTRIGHTS
counts as one: it tells who is there."""


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
        """End the sessions of accounts that may not be signed in any more."""
        await look_at_each(self.sessions, self._look_at, "imap", self.observer)

    async def _look_at(self, number: int) -> None:
        account = await self.book.account(number)
        for session in list(self.sessions.get(number, ())):
            if words := why_not(session.account, account):
                session.dismiss(words)

    async def watch(self) -> None:
        """Look at the accounts again and again; run beside the listeners until cancelled."""
        await again_and_again(self.look)
