"""Destinations whose policies of TLS do not count until a date, since an operator said so.

A partner whose certificate has run out, or whose policy is broken, would get no mail at all. Such an
exception ends by itself.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from malleposte.store import Store, StoreError
from malleposte.store.read import tls as kept

log = structlog.get_logger("tls")

READ_EVERY: Final = 5.0
"""Seconds until a new exception counts."""


class Exceptions:
    """Those of the store. ``clock``: seconds of the Unix epoch."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._read_at = time.monotonic() - READ_EVERY
        self._known: dict[str, kept.TlsException] = {}
        self._reading = asyncio.Lock()

    async def of(self, *destinations: str) -> kept.TlsException | None:
        """The exception that holds now for one of these, None for none."""
        await self._fresh()
        for destination in destinations:
            found = self._known.get(destination)
            if found is not None and found.until > self._clock():
                return found
        return None

    async def _fresh(self) -> None:
        if time.monotonic() - self._read_at < READ_EVERY:
            return
        async with self._reading:
            if time.monotonic() - self._read_at < READ_EVERY:
                return
            try:
                rows = await kept.exceptions(self._store.reader)
                self._known = {row.destination: row for row in rows}
            except StoreError as error:
                log.warning("exceptions cannot be read", reason=str(error))
            self._read_at = time.monotonic()
