"""Passwords for one program on one device: made by the server, shown once, good for some protocols.

Its text begins with its number, as ``app3-dovak-rifus-molan-bidag-tupov``: so one hash is computed for a
sign-in, however many passwords an account has.
"""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from malleposte.policy.remembered import Remembered
from malleposte.store import Store, StoreError
from malleposte.store.commands import UseAppPassword
from malleposte.store.commands.credentials import APP_NOTED_EVERY

SCOPES: Final = ("imap", "pop3", "smtp", "sieve", "jmap", "dav")
"""Protocols that one can be for."""
WEB: Final = "web"
"""Where people sign in themselves, and no app password is taken."""

_TEXT: Final = re.compile(r"app([1-9][0-9]{0,9})-([a-z]{5}(?:-[a-z]{5}){4,9})")
_MOST_KNOWN: Final = 20_000


@dataclass(frozen=True, slots=True)
class AppPassword:
    """One as sign-in needs it. ``scopes``: protocols, none for all."""

    id: int
    hash: str
    label: str
    scopes: frozenset[str]

    def is_for(self, protocol: str) -> bool:
        """Whether it signs in there."""
        return protocol != WEB and (not self.scopes or protocol in self.scopes)


def written(id_: int, secret: str) -> str:
    """What a person types; ``secret``, which is what is hashed, is a ``runtime`` readable password."""
    return f"app{id_}-{secret}"


def read(text: str) -> tuple[int, str] | None:
    """Number and secret, if a password has that form; phones begin with a capital."""
    found = _TEXT.fullmatch(text.strip().lower())
    return (int(found[1]), found[2]) if found else None


class AppUses:
    """Notes when app passwords were used, beside the sign-in and rarely. One for each worker."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._noted = Remembered[tuple[int, int], float](_MOST_KNOWN)
        self._tasks: set[asyncio.Task[None]] = set()

    def used(self, account: int, id_: int) -> None:
        """It signed in."""
        now, key = self._clock(), (account, id_)
        last = self._noted.get(key)
        if last is not None and now - last < APP_NOTED_EVERY:
            return
        self._noted.keep(key, now)
        task = asyncio.get_running_loop().create_task(self._note(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _note(self, key: tuple[int, int]) -> None:
        try:
            await self._store.submit(UseAppPassword(account=key[0], id=key[1]))
        except StoreError:
            self._noted.keep(key, self._clock() - APP_NOTED_EVERY)
