"""Rendering emails anew, one read and parsed at a time, some written together.

Memory is bounded by one message in a spool and ``TOGETHER`` commands. Whatever happens to an email
meanwhile is no error: one that is gone is passed over, and what is written is made of the very content
that the store says it has.
"""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import blake2b

import msgspec

from malleposte.delivery.spool import Spool, rendered, summarized
from malleposte.operations.errors import refused_by_store
from malleposte.store import PermanentFailure, Store
from malleposte.store.commands import Render
from malleposte.store.errors import DatabaseDamaged
from malleposte.store.read import emails
from malleposte.store.read.rendering import Kept, kept
from malleposte.store.results import Done, Refused

TOGETHER = 32
"""Emails written in one commit where they come that fast: past it little is gained."""
TOGETHER_OCTETS = 4 * 1024 * 1024
"""Octets of what is to be written; a message of 10,000 parts has some MB."""

LeftOut = Callable[[int, str], Awaitable[None]]


class Renderer:
    """See the module. ``left_out(email, why)`` is told of what cannot be rendered: damaged content."""

    def __init__(self, store: Store, left_out: LeftOut) -> None:
        self._store = store
        self._left_out = left_out
        self._waiting: list[Render] = []
        self._octets = 0
        self.looked = 0
        """Emails looked at; those that were gone are not counted."""
        self.changed = 0
        """Emails whose rendering was another."""
        self.restored = 0
        """Those of them whose wide row had been lost."""
        self.failed = 0
        """Emails left out."""

    async def render(self, email: int) -> None:
        """Look at an email; write what differs, soon. Raises ``StoreError`` and ``OSError``."""
        # On SQLite nothing else here waits while all is small and the same.
        await asyncio.sleep(0)
        try:
            found = await kept(self._store.reader, email)
            if found is None:
                return
            command = await self._command(found)
        except (emails.Damaged, PermanentFailure, DatabaseDamaged) as error:
            if await self._store.reader.row("SELECT 1 FROM email WHERE id = $1", email):
                self.looked += 1
                await self._fail(email, error)
            return
        self.looked += 1
        if not found.differs(command.rendered):
            return
        self._waiting.append(command)
        self._octets += len(msgspec.msgpack.encode(command))
        if len(self._waiting) >= TOGETHER or self._octets >= TOGETHER_OCTETS:
            await self.finish()

    async def finish(self) -> None:
        """Write what waits. Raises ``StoreError``."""
        waiting, self._waiting, self._octets = self._waiting, [], 0
        answers = await asyncio.gather(
            *(self._store.submit(command) for command in waiting), return_exceptions=True
        )
        for command, answer in zip(waiting, answers, strict=True):
            match answer:
                case Done():
                    self.changed += 1
                    self.restored += answer.count
                case Refused(reason="no-such-email" | "no-such-account"):
                    # Gone since it was looked at.
                    pass
                case Refused():
                    raise refused_by_store(answer)
                case PermanentFailure():
                    await self._fail(command.email, answer)
                case BaseException():
                    raise answer

    async def _fail(self, email: int, error: Exception) -> None:
        self.failed += 1
        await self._left_out(email, str(error))

    async def _command(self, found: Kept) -> Render:
        """What the email's row should be. Raises ``Damaged``."""
        stored = found.content
        spool = Spool(self._store.incoming)
        try:
            hashed = blake2b(digest_size=32)
            pieces = emails.read(self._store.reader, self._store.blobs, stored, 0, stored.size)
            async for piece in pieces:
                hashed.update(piece)
                spool.write(piece)
                await asyncio.sleep(0)
            if hashed.digest() != found.digest:
                raise emails.Damaged(f"blob {stored.blob} is not what was stored")
            with spool.buffer() as buffer:
                summary = await summarized(buffer)
        finally:
            spool.close()
        return Render(email=stored.email, blob=stored.blob, rendered=rendered(summary))
