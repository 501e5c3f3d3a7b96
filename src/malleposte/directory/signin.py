"""Signing in: one way for every protocol.

The name is looked up first, so that an account is one for the throttle however it is spelt; then the
throttle is asked (also before the memory of verified credentials). The comparison takes the same time
whether the account exists or not, and what went wrong is told only where it gives nothing away: a wrong
password, an unknown account and a suspended one all read the same until the password was right.

A few attempts at a time run for one account from one network, and a few computations for one network;
others wait in line. So guesses in parallel are counted as if they came one after the other, honest
programs that all come back after a restart need one computation, and no network takes the whole queue.
"""

from asyncio import sleep
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from malleposte.directory.addresses import BadAddressError, normalise
from malleposte.directory.book import Account, Book
from malleposte.directory.signin_log import SignInLog
from malleposte.policy.network import network_of
from malleposte.policy.throttle import Outcome, Throttle
from malleposte.policy.turns import Turns


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
BUSY_TEXT = "Too many sign-ins at a time; try again in a moment"

PAIR_AT_ONCE: Final = 4
"""Attempts at a time on one account from one network, delays included."""
NETWORK_AT_ONCE: Final = 4
"""Computations at a time, running or queued, that one network asks for: two threads are kept busy."""
PATIENCE: Final = 20.0
"""Seconds in a line, at most; some programs give up after 30."""


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
        network_at_once: int = NETWORK_AT_ONCE,
    ) -> None:
        self._book = book
        self._throttle = throttle
        self._passwords = passwords
        self._memory = memory
        self._busy = busy
        self.log = SignInLog()
        """For the services: where they write down what came of it."""
        self._pairs = Turns(PAIR_AT_ONCE)
        self._networks = Turns(network_at_once)

    @property
    def waiting(self) -> int:
        """Lines that somebody stands in or is served from."""
        return len(self._pairs) + len(self._networks)

    async def sign_in(
        self,
        name: str,
        password: str,
        peer: str,
        *,
        acting_as: str | None = None,
        submission: bool = False,
    ) -> SignIn:
        """Sign ``name`` in from a peer's address, a device for ``submission`` alone. Store failures come
        through as they are."""
        account = await self._book.sign_in_name(name)
        who = _one_for_all(account, name)
        # Whoever would be refused does not wait in line for it.
        refused = self._throttle.refusal(peer, who)
        if refused is not None:
            return SignIn(None, Refusal.TOO_MANY, refused.text)
        try:
            async with self._pairs.turn((network_of(peer), who), PATIENCE):
                refusal = await self._compare(account, who, password, peer)
        except TimeoutError:
            refusal = SignIn(None, Refusal.AWAY, BUSY_TEXT)
        except self._busy as error:
            refusal = SignIn(None, Refusal.AWAY, str(error))
        if refusal is not None or account is None:
            return refusal or SignIn(None, Refusal.WRONG, WRONG_TEXT)
        if account.status != "active":
            return SignIn(
                None, Refusal.SUSPENDED, "This account is suspended; ask your administrator"
            )
        if account.kind == "device" and not submission:
            return SignIn(
                None, Refusal.SUSPENDED, "This account is a device's: it sends, and reads no mail"
            )
        if acting_as is not None:
            other = await self._book.sign_in_name(acting_as)
            if other is None or other.id != account.id:
                return SignIn(None, Refusal.WRONG, "Signing in as another account is not allowed")
        return SignIn(account)

    async def _compare(
        self, account: Account | None, who: str, password: str, peer: str
    ) -> SignIn | None:
        """None if the password is right, else why not. Raises what ``busy`` is, and TimeoutError."""
        attempt = self._throttle.attempt(peer, who)
        if attempt.refused:
            return SignIn(None, Refusal.TOO_MANY, attempt.text)
        outcome: Outcome = "failed"  # also for who hangs up
        try:
            if attempt.delay:
                await sleep(attempt.delay)
            if account is not None and self._remembered(account, password):
                outcome = "succeeded"
                return None
            async with self._networks.turn(network_of(peer), PATIENCE):
                if attempt.refused_meanwhile():
                    outcome = "unknown"
                    return SignIn(None, Refusal.TOO_MANY, attempt.text)
                if not await self._verify(account, password):
                    return SignIn(None, Refusal.WRONG, WRONG_TEXT)
            outcome = "succeeded"
            return None
        except (TimeoutError, self._busy):
            outcome = "unknown"
            raise
        finally:
            attempt.ended(outcome)

    def _remembered(self, account: Account, password: str) -> bool:
        # By id: an account that is made anew under the same address begins at the same version.
        version = account.credential_version
        return account.hash is not None and self._memory.knows(str(account.id), version, password)

    async def _verify(self, account: Account | None, password: str) -> bool:
        if account is None or account.hash is None:
            await self._passwords.verify(None, password)
            return False
        # Who waited in line may be known by now.
        if self._remembered(account, password):
            return True
        right = await self._passwords.verify(account.hash, password)
        if right:
            self._memory.remember(str(account.id), account.credential_version, password)
        return right


def _one_for_all(account: Account | None, name: str) -> str:
    """What stands for an account, or for a name that has none, however it is spelt."""
    if account is not None:
        return f"\0{account.id}"  # no name is spelt like that
    try:
        return normalise(name)
    except BadAddressError:
        return name.strip()
