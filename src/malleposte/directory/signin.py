"""Signing in: one way for every protocol.

The name is looked up first, so that an account is one for the throttle however it is spelt; then the
throttle is asked (also before the memory of verified credentials). The comparison takes the same time
whether the account exists or not, and what went wrong is told only where it gives nothing away: a wrong
password, an unknown account and a suspended one all read the same until the password was right.

A few attempts at a time run for one account from one network, and a few computations for one network;
others wait in line. So guesses in parallel are counted as if they came one after the other, honest
programs that all come back after a restart need one computation, and no network takes the whole queue.

An account with a second step is refused its main password everywhere but on the web, and told so; app
passwords sign in to the protocols they are for. One hash is computed for a sign-in, whatever was typed.
"""

from asyncio import sleep
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, Protocol

from malleposte.directory.addresses import BadAddressError, normalise
from malleposte.directory.app_passwords import WEB, AppPassword, AppUses, read
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
    SECOND_STEP = "second step"
    """The main password was right, and is not enough."""
    SCOPE = "scope"
    """The app password was right, and is for something else."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """What came out. ``account`` on success; otherwise why, in words for the client's screen."""

    account: Account | None
    refusal: Refusal | None = None
    text: str = ""


WRONG_TEXT = "The name or the password is wrong"
SECOND_STEP_TEXT = (
    "This account has a second step: make an app password in the settings of the web client, and use"
    " it here"
)
SCOPE_TEXT = "This app password is for something else: make one for this program"
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
        uses: AppUses | None = None,
    ) -> None:
        self._book = book
        self._throttle = throttle
        self._passwords = passwords
        self._memory = memory
        self._busy = busy
        self._uses = uses
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
        protocol: str,
        acting_as: str | None = None,
    ) -> SignIn:
        """Sign ``name`` in from a peer's address, by a protocol of ``app_passwords.SCOPES`` or the ``WEB``,
        where a second step is the caller's to ask for; a device signs in to smtp alone. Store failures come
        through as they are."""
        account = await self._book.sign_in_name(name)
        who = _one_for_all(account, name)
        # Whoever would be refused does not wait in line for it.
        refused = self._throttle.refusal(peer, who)
        if refused is not None:
            return SignIn(None, Refusal.TOO_MANY, refused.text)
        shown = _shown(account, password, protocol)
        try:
            async with self._pairs.turn((network_of(peer), who), PATIENCE):
                refusal = await self._compare(account, who, shown, peer)
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
        if account.kind == "device" and protocol != "smtp":
            return SignIn(
                None, Refusal.SUSPENDED, "This account is a device's: it sends, and reads no mail"
            )
        if acting_as is not None:
            other = await self._book.sign_in_name(acting_as)
            if other is None or other.id != account.id:
                return SignIn(None, Refusal.WRONG, "Signing in as another account is not allowed")
        return self._by(account, shown.app, protocol)

    def _by(self, account: Account, app: AppPassword | None, protocol: str) -> SignIn:
        """What comes of a right password."""
        if app is None:
            if account.second_step and protocol != WEB:
                return SignIn(None, Refusal.SECOND_STEP, SECOND_STEP_TEXT)
            return SignIn(account)
        if not app.is_for(protocol):
            return SignIn(None, Refusal.SCOPE, SCOPE_TEXT)
        if self._uses is not None:
            self._uses.used(account.id, app.id)
        return SignIn(replace(account, app=app))

    async def _compare(
        self, account: Account | None, who: str, shown: "_Shown", peer: str
    ) -> SignIn | None:
        """None if the password is right, else why not. Raises what ``busy`` is, and TimeoutError."""
        attempt = self._throttle.attempt(peer, who)
        if attempt.refused:
            return SignIn(None, Refusal.TOO_MANY, attempt.text)
        outcome: Outcome = "failed"  # also for who hangs up
        try:
            if attempt.delay:
                await sleep(attempt.delay)
            if account is not None and self._remembered(account, shown):
                outcome = "succeeded"
                return None
            async with self._networks.turn(network_of(peer), PATIENCE):
                if attempt.refused_meanwhile():
                    outcome = "unknown"
                    return SignIn(None, Refusal.TOO_MANY, attempt.text)
                if not await self._verify(account, shown):
                    return SignIn(None, Refusal.WRONG, WRONG_TEXT)
            outcome = "succeeded"
            return None
        except (TimeoutError, self._busy):
            outcome = "unknown"
            raise
        finally:
            attempt.ended(outcome)

    def _remembered(self, account: Account, shown: "_Shown") -> bool:
        version = account.credential_version
        return shown.hash is not None and self._memory.knows(shown.whose, version, shown.secret)

    async def _verify(self, account: Account | None, shown: "_Shown") -> bool:
        if account is None or shown.hash is None:
            await self._passwords.verify(None, shown.secret)
            return False
        # Who waited in line may be known by now.
        if self._remembered(account, shown):
            return True
        right = await self._passwords.verify(shown.hash, shown.secret)
        if right:
            self._memory.remember(shown.whose, account.credential_version, shown.secret)
        return right


@dataclass(frozen=True, slots=True)
class _Shown:
    """What was typed, beside the one hash that it is compared with; None: there is none."""

    secret: str
    hash: str | None
    app: AppPassword | None = None
    whose: str = ""
    """For the memory. By the account's id, for one that is made anew under the same address begins at the
    same version; an app password's hash besides, for its number may be another's later."""


def _shown(account: Account | None, password: str, protocol: str) -> _Shown:
    if account is None:
        return _Shown(password, None)
    parts = read(password) if account.apps and protocol != WEB else None
    for app in account.apps if parts is not None else ():
        if parts is not None and app.id == parts[0]:
            return _Shown(parts[1], app.hash, app, f"{account.id} {app.hash}")
    return _Shown(password, account.hash, whose=str(account.id))


def _one_for_all(account: Account | None, name: str) -> str:
    """What stands for an account, or for a name that has none, however it is spelt."""
    if account is not None:
        return f"\0{account.id}"  # no name is spelt like that
    try:
        return normalise(name)
    except BadAddressError:
        return name.strip()
