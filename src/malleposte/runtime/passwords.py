"""Password hashes: argon2id, computed beside the event loop.

Invariants: no computation runs in the caller's thread; at most `threads` run and `waiting` wait at
a time, more are refused with `TooBusyError`, so that guessing cannot eat memory or starve the loop;
a sign-in to an account that does not exist costs the same computation as a wrong password.
Passwords are not kept, and stand in no error text.

Measured with the parameters below on 2 cores: 32 ms for one, 20 one after the other 466 ms, 40 in
two threads 511 ms: argon2-cffi releases the interpreter's lock."""

import asyncio
import base64
import os
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import argon2

from malleposte.normal_form import normal

Result = TypeVar("Result")

# A password is typed by a person or made by a generator; the bound keeps hostile ones cheap.
MAX_PASSWORD_BYTES: Final = 1024
SALT_BYTES: Final = 16  # RFC 9106 §3.1
HASH_BYTES: Final = 32

# A stored hash says its own price; a mistaken import must not let one sign-in take the machine.
MAX_MEMORY_KIB: Final = 1024**2
MAX_ITERATIONS: Final = 20
MAX_PARALLELISM: Final = 16

_STORED: Final = re.compile(r"\$argon2id\$v=19\$m=([0-9]{1,10}),t=([0-9]{1,4}),p=([0-9]{1,4})\$")


class TooBusyError(Exception):
    """More sign-ins wait than may: a temporary failure, the password was not looked at."""


class UnfitPasswordError(ValueError):
    """Not usable as a password; the text says why and shows nothing of it."""


@dataclass(frozen=True, slots=True)
class PasswordSettings:
    """Parameters of argon2id (OWASP's smallest advice by default) and of the threads."""

    memory_kib: int = 19 * 1024
    iterations: int = 2
    parallelism: int = 1
    threads: int = 2
    waiting: int = 64


class Passwords:
    """Hashes and verifies in a pool of threads. One for each process; `close` ends the threads."""

    def __init__(self, settings: PasswordSettings) -> None:
        self._settings = settings
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="argon2")
        self._pending = 0
        self._hasher = argon2.PasswordHasher(
            time_cost=settings.iterations,
            memory_cost=settings.memory_kib,
            parallelism=settings.parallelism,
            hash_len=HASH_BYTES,
            salt_len=SALT_BYTES,
            type=argon2.Type.ID,
        )
        self._nobodys = self._made_up()

    async def hash(self, password: str) -> str:
        """The stored form `$argon2id$…` of a new password.

        Raises UnfitPasswordError (empty, too long, control characters) and TooBusyError."""
        prepared = prepared_password(password)
        return await self._run(lambda: self._hasher.hash(prepared))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one `stored` was made from.

        None (no such account, or none that may sign in) and a stored form that is no acceptable
        argon2id hash cost a computation too and are False. Raises TooBusyError."""
        usable = stored is not None and _is_affordable(stored)
        against = stored if usable and stored is not None else self._nobodys
        try:
            prepared = prepared_password(password)
        except UnfitPasswordError:
            # Known from the password alone, whatever the account; a computation hides nothing.
            return False
        matches = await self._run(lambda: self._matches(against, prepared))
        return matches and usable

    def needs_rehash(self, stored: str) -> bool:
        """Whether a stored form has other parameters than today's: hash again at sign-in."""
        try:
            return self._hasher.check_needs_rehash(stored)
        except argon2.exceptions.InvalidHashError:
            return True

    def close(self) -> None:
        """Ends the threads; what waits is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _matches(self, stored: str, prepared: bytes) -> bool:
        try:
            return self._hasher.verify(stored, prepared)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    async def _run(self, computation: Callable[[], Result]) -> Result:
        if self._pending >= self._settings.threads + self._settings.waiting:
            raise TooBusyError("too many sign-ins at a time")
        loop = asyncio.get_running_loop()
        self._pending += 1
        future = self._pool.submit(computation)
        # Counted until the thread is done, even if the caller went away meanwhile.
        future.add_done_callback(lambda done: self._done(done, loop))
        return await asyncio.wrap_future(future)

    def _done(self, _: Future[Result], loop: asyncio.AbstractEventLoop) -> None:
        # The loop may be closed while a thread still computes; then nobody counts any more.
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._release)

    def _release(self) -> None:
        self._pending -= 1

    def _made_up(self) -> str:
        """A stored form that belongs to no password but costs what a real one does."""
        s = self._settings
        salt, digest = (
            base64.b64encode(os.urandom(count)).rstrip(b"=").decode()
            for count in (SALT_BYTES, HASH_BYTES)
        )
        return f"$argon2id$v=19$m={s.memory_kib},t={s.iterations},p={s.parallelism}${salt}${digest}"


def prepared_password(password: str) -> bytes:
    """The octets that are hashed: RFC 8265 §4.2.2 (OpaqueString), so that "é" typed on one system
    is "é" typed on another. Spaces of any kind become U+0020, then NFC.

    Raises UnfitPasswordError."""
    # Checked before the work, which is linear: NFC can at most treble the length.
    if not 0 < len(password) <= MAX_PASSWORD_BYTES:
        raise UnfitPasswordError(f"a password has 1 to {MAX_PASSWORD_BYTES} bytes")
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in password)
    composed = normal("NFC", spaced)
    # RFC 8264 §9.11: controls are not in the FreeformClass; surrogates are no characters.
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in composed):
        raise UnfitPasswordError("a password has no control characters")
    octets = composed.encode()
    if len(octets) > MAX_PASSWORD_BYTES:
        raise UnfitPasswordError(f"a password has 1 to {MAX_PASSWORD_BYTES} bytes")
    return octets


def _is_affordable(stored: str) -> bool:
    match = _STORED.match(stored)
    if match is None:
        return False
    memory, iterations, parallelism = map(int, match.groups())
    return (
        memory <= MAX_MEMORY_KIB
        and 1 <= iterations <= MAX_ITERATIONS
        and 1 <= parallelism <= MAX_PARALLELISM
    )
