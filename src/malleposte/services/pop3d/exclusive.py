"""One POP3 session an account at a time (RFC 1939 §4: the maildrop is locked).

Over all workers of a node it is counted (``policy.account_counts``). Where there may be several nodes
(PostgreSQL) each session also holds a lease of the store, which ``renew`` keeps; that of a worker that died
runs out. IMAP and delivery are not locked out: a session numbers what it found, and marks go by UID.
"""

import secrets
from dataclasses import dataclass, field
from typing import Final

from malleposte.policy.account_counts import AccountCounts
from malleposte.store import Store
from malleposte.store.commands import TakeLease
from malleposte.store.results import LeaseTaken

LEASE: Final = 90
"""Seconds; a worker renews its leases every 20."""


@dataclass(slots=True)
class Exclusive:
    """See the module. One for each worker; ``counts`` share memory between workers."""

    store: Store
    counts: AccountCounts = field(default_factory=AccountCounts)
    holder: str = field(default_factory=lambda: secrets.token_hex(8))

    async def take(self, account: int) -> bool:
        """Have an account's maildrop; False: somebody else has. Store failures come through."""
        if not self.counts.enter(account, 1):
            return False
        taken = False
        try:
            taken = await self.renew(account)
        finally:
            if not taken:
                self.counts.leave(account)
        return taken

    async def renew(self, account: int) -> bool:
        """Keep it; False: the lease had run out, and another node has it."""
        return not self._leased or await self._lease(account, LEASE)

    async def release(self, account: int) -> None:
        """Let the next one in. Store failures come through; the lease runs out then."""
        try:
            await self.give_up(account)
        finally:
            self.counts.leave(account)

    async def give_up(self, account: int) -> None:
        """Let the lease go, if this worker has it."""
        if self._leased:
            await self._lease(account, 0)

    @property
    def _leased(self) -> bool:
        return self.store.reader.dialect == "postgres"

    async def _lease(self, account: int, seconds: int) -> bool:
        command = TakeLease(name=f"pop3:{account}", holder=self.holder, seconds=seconds)
        result = await self.store.submit(command)
        return isinstance(result, LeaseTaken) and result.epoch > 0
