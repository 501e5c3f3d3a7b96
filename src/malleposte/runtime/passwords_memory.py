"""Remembers for some minutes which password was right, so that a second connection costs nothing.

Invariants: no password is kept, only a BLAKE2b of account, credential version and password under a
key that is made at random in this process and never leaves it; an entry ends after a fixed time
from the computation that proved it (use does not lengthen it); a new credential version (password
changed, account disabled) makes every older entry unreachable at once; memory is bounded.

It does not ask whether the account may sign in: that is the caller's question, each time. Wrong
passwords are not remembered."""

import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

# About 150 bytes an entry: 3 MB. More accounts than a worker serves within the minutes.
MAX_ENTRIES: Final = 20_000


class VerifiedMemory:
    """For `seconds` after `remember`, `knows` is true for the same three values. 0 seconds: never.

    `clock` gives seconds that never go back (time.monotonic)."""

    def __init__(
        self,
        seconds: float,
        *,
        entries: int = MAX_ENTRIES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._entries = entries
        self._clock = clock
        self._key = os.urandom(hashlib.blake2b.MAX_KEY_SIZE)
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until)

    def remember(self, account: str, version: int, password: str) -> None:
        """Call it when a computation found the password right for this credential version."""
        if self._seconds <= 0:
            return
        digest = self._digest(account, version, password)
        self._until[digest] = self._clock() + self._seconds
        self._until.move_to_end(digest)
        while len(self._until) > self._entries:
            self._until.popitem(last=False)

    def knows(self, account: str, version: int, password: str) -> bool:
        """Whether this password was right for this credential version not long ago."""
        digest = self._digest(account, version, password)
        # A dictionary compares digests under an unknown key: its timing tells nothing of use.
        until = self._until.get(digest)
        if until is None:
            return False
        if self._clock() >= until:
            del self._until[digest]
            return False
        return True

    def _digest(self, account: str, version: int, password: str) -> bytes:
        name = account.encode("utf-8", "surrogatepass")
        # The length in front keeps ("a", "bc") apart from ("ab", "c").
        head = b"%d:%d:" % (version, len(name))
        octets = password.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(head + name + octets, key=self._key, digest_size=32).digest()
