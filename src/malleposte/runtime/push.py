"""Who is told that an account changed: hints wake what waits, the store says what changed.

On SQLite a look at ``data_version`` ten times a second (a microsecond each) sees every commit of this
machine, so no process need tell another anything. On PostgreSQL ``NOTIFY`` carries hints between nodes,
sent in batches outside the delivering transactions; and once a second, on both, ``account_head`` is
asked for the accounts somebody waits for: a lost hint costs a second.
"""

import asyncio
from collections.abc import Callable, Iterable

from malleposte.store import Store, StoreError
from malleposte.store.dialect import any_of, both

LOOK_EVERY = 0.1
"""Seconds between looks for commits on this machine: a tenth of the promised second (p99)."""
ASK_EVERY = 1.0
MAX_ASKED = 500
"""Accounts asked for in one statement."""

Callback = Callable[[], None]

_HEADS = both("SELECT account, modseq FROM account_head WHERE {ids}", ids=any_of("account", 1))


class PushHub:
    """One for each worker. ``run`` until cancelled."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[int, set[Callback]] = {}
        self._modseqs: dict[int, int] = {}
        self._moved: int | None = None
        self._hinted: set[int] = set()
        self._wake = asyncio.Event()

    def subscribe(self, account: int, callback: Callback) -> Callable[[], None]:
        """Have ``callback()`` called soon after the account changes; returns the way out.

        A first call may come for a change that was known already.
        """
        self._waiting.setdefault(account, set()).add(callback)

        def unsubscribe() -> None:
            callbacks = self._waiting.get(account)
            if callbacks is not None:
                callbacks.discard(callback)
                if not callbacks:
                    del self._waiting[account]
                    self._modseqs.pop(account, None)

        return unsubscribe

    def hint(self, accounts: Iterable[int]) -> None:
        """These accounts may have changed."""
        wanted = self._waiting.keys() & set(accounts)
        if wanted:
            self._hinted |= wanted
            self._wake.set()

    async def run(self) -> None:
        """Look, ask, call back."""
        loop = asyncio.get_running_loop()
        asked = 0.0
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            if not self._waiting:
                continue
            moved = self._store.clock.moved()
            local = moved is not None and moved != self._moved
            self._moved = moved
            everyone = local or loop.time() - asked >= ASK_EVERY
            hinted, self._hinted = self._hinted, set()
            if everyone:
                asked = loop.time()
                hinted = set(self._waiting)
            if hinted:
                try:
                    await self._ask(sorted(hinted))
                except StoreError:
                    # Away: sessions notice by themselves when they are asked something.
                    self._moved = None

    async def _ask(self, accounts: list[int]) -> None:
        for at in range(0, len(accounts), MAX_ASKED):
            for account, modseq in await _heads(self._store, accounts[at : at + MAX_ASKED]):
                if self._modseqs.get(account) == modseq:
                    continue
                known = account in self._modseqs
                self._modseqs[account] = modseq
                if known or account in self._waiting:
                    for callback in list(self._waiting.get(account, ())):
                        callback()
            await asyncio.sleep(0)


async def _heads(store: Store, accounts: list[int]) -> list[tuple[int, int]]:
    return [(row[0], row[1]) for row in await store.reader.rows(_HEADS, accounts)]
