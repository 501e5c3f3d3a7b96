"""The server's key for push services: made once, kept sealed, the same for every worker and node.

Clients bind their subscriptions to it: with another key none of them would be taken any more.
"""

import time
from collections.abc import Callable
from typing import Final

import structlog

from malleposte.secrets.node_key import NodeKeyError
from malleposte.secrets.redaction import Secret
from malleposte.secrets.sealing import KeyRing, SealError
from malleposte.services.jmap.webpush.vapid import Vapid, new_key, read_key
from malleposte.store import Store
from malleposte.store.commands import PutSecret

log = structlog.get_logger(__name__)

NAME: Final = "vapid"
"""Of the secret, and what it is sealed for."""
AGAIN: Final = 60.0
"""Seconds after which is looked again, where there was no key to open it with."""
_FIND: Final = "SELECT sealed FROM secret WHERE name = $1"


class VapidKept:
    """One for each worker. ``keys`` gives the node's keys, or raises ``NodeKeyError``."""

    def __init__(self, store: Store, keys: Callable[[], KeyRing], contact: str) -> None:
        self._store = store
        self._keys = keys
        self._contact = contact
        self._found: Vapid | None = None
        self._not_before = 0.0

    async def vapid(self) -> Vapid | None:
        """What signs; None where nothing can be opened here. Store failures come through."""
        if self._found is None and time.monotonic() >= self._not_before:
            try:
                self._found = await self._read_or_made()
            except (NodeKeyError, SealError, ValueError) as error:
                self._not_before = time.monotonic() + AGAIN
                log.warning("web push goes without VAPID", reason=str(error))
        return self._found

    async def _read_or_made(self) -> Vapid:
        ring = self._keys()
        row = await self._store.reader.row(_FIND, NAME)
        if row is None:
            sealed = ring.seal(NAME, Secret(new_key()))
            # Refused where another worker was first: then its key counts.
            await self._store.submit(
                PutSecret(name=NAME, sealed=sealed, key_id=ring.current.id.hex(), fresh=True)
            )
            row = await self._store.reader.row(_FIND, NAME)
        if row is None:
            raise ValueError("the key that was just made is not there")
        return Vapid(read_key(ring.unseal(NAME, bytes(row[0])).reveal()), self._contact)
