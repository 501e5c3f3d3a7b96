"""Blobs being read: an email, a part of one decoded as it goes, an upload (RFC 8620 §6).

What is not an account's is not there to it, and says so in the same words. A message in a message is put
into a spool, bounded as an upload is, for as long as it is open.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from malleposte.delivery.spool import Spool, summarized
from malleposte.mime import Part, find_part, load_structure
from malleposte.mime.part import Kind
from malleposte.mime.transfer import IDENTITIES, KNOWN, decoder
from malleposte.services.jmap.access import Access
from malleposte.services.jmap.mail.blobs import BlobName, parsed
from malleposte.services.jmap.mail.messages import Loaded, Message
from malleposte.services.jmap.settings import JmapSettings
from malleposte.store import Store
from malleposte.store.ids import account_of
from malleposte.store.incoming import NoRoom
from malleposte.store.opened import Opened
from malleposte.store.read import emails, memberships, sieve, uploads


@dataclass(frozen=True, slots=True)
class Blob:
    """Octets ``start`` to ``end`` of a message, ``encoding`` undone. ``media``: what they are."""

    message: Message
    start: int
    end: int
    encoding: str = ""
    media: str = "application/octet-stream"

    @property
    def length(self) -> int | None:
        """Octets, where that is known before they are read."""
        plain = self.encoding in IDENTITIES or self.encoding not in KNOWN
        return self.end - self.start if plain else None

    async def pieces(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The content; some of it only where its length is known."""
        if self.length is not None:
            last = self.end if end is None else min(self.start + end, self.end)
            async for piece in self.message.pieces(self.start + start, last):
                yield piece
                await asyncio.sleep(0)
            return
        undo = decoder(self.encoding)
        async for piece in self.message.pieces(self.start, self.end):
            if decoded := undo.feed(piece):
                yield decoded
            await asyncio.sleep(0)
        if rest := undo.end():
            yield rest


@dataclass(frozen=True, slots=True)
class Blobs:
    """The blobs that somebody sees in an account."""

    store: Store
    settings: JmapSettings
    access: Access

    @asynccontextmanager
    async def opened(self, id_: str) -> AsyncIterator[Blob | None]:
        """A blob by its id; None where there is none. Raises ``StoreError``, ``Damaged``, ``NoRoom``."""
        name = parsed(id_)
        async with AsyncExitStack() as stack:
            yield None if name is None else await self._open(stack, name)

    async def _open(self, stack: AsyncExitStack, name: BlobName) -> Blob | None:
        if len(name.sections) > 1 or (name.sections and name.upload):
            outer = await self._open(stack, name.outer)
            if outer is None:
                return None
            message = await stack.enter_async_context(self.loaded(outer))
            return None if message is None else await _part(message, name)
        access, reader = self.access, self.store.reader
        if name.upload:
            if name.account != (access.account if access.reader else 0):
                return None
            stored = await uploads.upload(reader, access.actor, name.upload)
            return None if stored is None else Blob(Opened(self.store, stored), 0, stored.size)
        if name.script:
            return None if access.reader else await self._script(name)
        if account_of(name.email) != access.account:
            return None
        if name.email not in await memberships.of(reader, [name.email], access.mailboxes):
            return None
        found = await emails.stored_by_id(self.store.reader, name.email)
        if found is None:
            return None
        opened = Opened(self.store, found)
        if name.sections:
            return await _part(opened, name)
        return Blob(opened, 0, found.size, media="message/rfc822")

    async def _script(self, name: BlobName) -> Blob | None:
        octets = await sieve.octets_of(
            self.store.reader, self.access.account, name.script, name.version
        )
        if octets is None:
            return None
        return Blob(Loaded(octets, ()), 0, len(octets), media="application/sieve")

    @asynccontextmanager
    async def loaded(self, blob: Blob) -> AsyncIterator[Loaded | None]:
        """A blob as a message, for as long as it is read; None where it is too large to be one."""
        spool = Spool(self.store.incoming, self.access.actor)
        try:
            if not await self.spooled(blob, spool):
                yield None
                return
            with spool.buffer() as buffer:
                summary = await summarized(buffer)
                yield Loaded(buffer, load_structure(summary.structure))
        finally:
            spool.close()

    async def spooled(self, blob: Blob, spool: Spool) -> bool:
        """Put a blob into a spool. False: it is larger than what may be uploaded."""
        async for piece in blob.pieces():
            if spool.size + len(piece) > self.settings.max_size_upload:
                return False
            spool.write(piece)
        return True


async def _part(message: Message, name: BlobName) -> Blob | None:
    parts = await message.parts()
    part = find_part(parts, name.numbers)
    if part is None and name.numbers == [1] and parts[0].kind != Kind.MULTIPART:
        part = parts[0]  # the body of a message that is no multipart
    if part is None or part.kind == Kind.MULTIPART:
        return None
    return of_part(message, part)


def of_part(message: Message, part: Part) -> Blob:
    """The body of a part."""
    start, end = message.body(part)
    return Blob(message, start, end, part.encoding, part.media)


__all__ = ["Blob", "Blobs", "NoRoom", "of_part"]
