"""Signing in: one way for every protocol.

The throttle is asked first (also before the memory of verified credentials), the comparison takes the
same time whether the account exists or not, and what went wrong is told only where it gives nothing
away: a wrong password, an unknown account and a suspended one all read the same until the password was
right.
"""

import asyncio
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from malleposte.directory.book import Account, Book
from malleposte.policy.throttle import Outcome, Throttle


class Passwords(Protocol):
    """Verifies hashes without holding the loop (``runtime.passwords``)."""

    async def verify(self, stored: str | None, password: str) -> bool: ...


class Memory(Protocol):
    """Credentials found right not long ago (``runtime.passwords_memory``)."""

    def knows(self, account: str, version: int, password: str) -> bool: ...

    def remember(self, account: str, version: int, password: str) -> None: ...


class Refusal(Enum):
    """Why a sign-in was refused."""

    WRONG = "wrong"
    TOO_MANY = "too many"
    SUSPENDED = "suspended"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class SignIn:
    """What came out. ``account`` on success; otherwise why, in words for the client's screen."""

    account: Account | None
    refusal: Refusal | None = None
    text: str = ""


WRONG_TEXT = "The name or the password is wrong"


class Door:
    """See the module. One for each worker."""

    def __init__(
        self,
        book: Book,
        throttle: Throttle,
        passwords: Passwords,
        memory: Memory,
        *,
        busy: type[Exception],
    ) -> None:
        self._book = book
        self._throttle = throttle
        self._passwords = passwords
        self._memory = memory
        self._busy = busy

    async def sign_in(
        self, name: str, password: str, peer: str, *, acting_as: str | None = None
    ) -> SignIn:
        """Sign ``name`` in from a peer's address. Store failures come through as they are."""
        attempt = self._throttle.attempt(peer, name.casefold())
        if attempt.refused:
            return SignIn(None, Refusal.TOO_MANY, attempt.text)
        outcome: Outcome = "unknown"
        try:
            if attempt.delay:
                await asyncio.sleep(attempt.delay)
            account = await self._book.sign_in_name(name)
            right = await self._verify(account, password)
            outcome = "succeeded" if right else "failed"
        except self._busy as error:
            return SignIn(None, Refusal.AWAY, str(error))
        finally:
            attempt.ended(outcome)
        if not right or account is None:
            return SignIn(None, Refusal.WRONG, WRONG_TEXT)
        if account.status != "active":
            return SignIn(
                None, Refusal.SUSPENDED, "This account is suspended; ask your administrator"
            )
        if acting_as is not None:
            other = await self._book.sign_in_name(acting_as)
            if other is None or other.id != account.id:
                return SignIn(None, Refusal.WRONG, "Signing in as another account is not allowed")
        return SignIn(account)

    async def _verify(self, account: Account | None, password: str) -> bool:
        if account is None or account.hash is None:
            await self._passwords.verify(None, password)
            return False
        version = account.credential_version
        if self._memory.knows(account.address, version, password):
            return True
        right = await self._passwords.verify(account.hash, password)
        if right:
            self._memory.remember(account.address, version, password)
        return right
