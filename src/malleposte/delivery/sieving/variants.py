"""Messages with a changed header, put into the store before the delivery that names them."""

from typing import Final

import msgspec

from malleposte.delivery.onward import MOST_HEADER
from malleposte.delivery.spool import COPIED, Spool, prepare
from malleposte.directory.book import Account
from malleposte.sieve import HeaderEdit
from malleposte.store import Store
from malleposte.store.commands import Enclosed, PutContent

from .header_edits import edited, in_front

MOST: Final = 20
"""Variants of one message; whoever comes later gets it unchanged."""

Edits = tuple[HeaderEdit, ...]
Made = Edits | bytes
"""What makes a variant: edits of the header, or another one."""


class Variants:
    """Of one message. ``made``: in the order of their numbers, from 1."""

    def __init__(
        self, store: Store, buffer: bytes | memoryview, header_size: int, now: float
    ) -> None:
        self._store = store
        self._buffer = buffer
        self._header_size = header_size
        self._now = int(now)
        self._known: dict[Made, int] = {}
        self._put: set[tuple[int, int]] = set()
        self._headers: dict[int, bytes] = {}
        self.made: list[Enclosed] = []

    def header(self, variant: int) -> bytes:
        """The header of a variant, 0: as it came."""
        if not variant and 0 not in self._headers:
            self._headers[0] = bytes(self._buffer[: self._header_size])
        return self._headers[variant]

    async def changed(self, account: Account, edits: Edits) -> tuple[bytes, int]:
        """Lines to put before the message, and the number of its variant, for an account with these edits.
        Raises as ``of``."""
        if not edits:
            return b"", 0
        lines = in_front(edits)
        if lines is not None or self._header_size > MOST_HEADER:
            return lines or b"", 0
        return b"", await self.of(account, edits)

    async def of(self, account: Account, wanted: Made) -> int:
        """The number of the variant with these edits, or this header, for an account; 0 where there are too
        many. Raises what the store raises, and ``OSError``."""
        known = self._known.get(wanted)
        if known is not None and (account.organisation, known) in self._put:
            return known
        if known is None and len(self.made) >= MOST:
            return 0
        header = wanted if isinstance(wanted, bytes) else edited(self.header(0), wanted)
        spool = Spool(self._store.incoming)
        try:
            spool.write(header)
            for at in range(self._header_size, len(self._buffer), COPIED):
                spool.write(bytes(self._buffer[at : at + COPIED]))
            message = await prepare(spool)
        finally:
            spool.close()
        try:
            command = PutContent(account=account.id, content=message.content)
            await self._store.submit(command, message.descriptor)
        finally:
            message.close()
        if known is None:
            content = msgspec.structs.replace(message.content, frames=(), file=False)
            enclosed = Enclosed(content=content, rendered=message.rendered, received_at=self._now)
            self.made.append(enclosed)
            known = self._known[wanted] = len(self.made)
            self._headers[known] = header
        self._put.add((account.organisation, known))
        return known
