"""APPEND of one message or several (RFC 9051 §6.3.12, RFC 3502), prepared as a delivery is.

Several are filed by one command of the store, all or none. A command has a bounded size: what was made
of the messages must fit; content that does not is put before.
"""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import msgspec

from malleposte.delivery.spool import Prepared, compressed, drop, prepare, rendered, summarized
from malleposte.services.imapd import names, updates
from malleposte.services.imapd.receiving import Announced, Received, receive
from malleposte.services.imapd.replies import NO_ROOM, Refuse
from malleposte.store import commands as c
from malleposte.store.ids import account_of
from malleposte.store.read import usage
from malleposte.store.results import Appended, AppendedAll, Done
from malleposte.wire.imap import codes, responses
from malleposte.wire.imap.events import AppendStart

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

INLINE: Final = 1 << 20
"""Octets of compressed content that go along in a command that files several messages."""
COLUMNS: Final = 5 << 19
"""Octets of all that was made of them, 2.5 MB: 1,000 messages of common kind. Both together are less
than the writer takes in one command (``store.writer.MAX_FRAME``)."""

_encode = msgspec.msgpack.Encoder().encode


class Appending:
    """One APPEND (``receiving.Filing``)."""

    def __init__(self, session: "Session", start: AppendStart) -> None:
        self.session = session
        self.tag = start.tag
        self.name = start.mailbox
        self.mailbox = 0
        """Where the messages go, once it was found."""
        self._room: int | None = None

    async def check(self, start: AppendStart, before: int) -> None:
        """See ``Filing``: what would be refused at the end."""
        session = self.session
        if not self.mailbox:
            self.mailbox = await names.need(session, self.name, "i", target=True)
            self._room = await self.room()
        if start.size == 0:
            # RFC 3502 §6.3.11: an empty literal gives the command up.
            raise Refuse("Given up" if start.index else "There is no message")
        if start.utf8 and not session.engine.utf8:
            raise Refuse("ENABLE UTF8=ACCEPT first", codes.CANNOT)
        if self._room is not None and before + start.size > self._room:
            raise Refuse(NO_ROOM, codes.OVERQUOTA)
        if before and before + start.size > session.service.settings.append_total:
            raise Refuse("Together this is more than the server takes at a time", codes.LIMIT)

    async def room(self) -> int | None:
        """Octets the account may still take; None: no bound."""
        reader = self.session.service.store.reader
        account = account_of(self.mailbox)
        used, allowed = await self.session.reading(usage.octets(reader, account))
        return allowed - used if allowed else None

    async def file(self, received: Received) -> bytes:
        """See ``Filing``."""
        session = self.session
        if len(received.messages) == 1:
            one = await self.file_one(received)
            code = codes.append_uid(one.uidvalidity, (one.uid,))
        else:
            result = await self._file_all(received)
            code = codes.append_uid(result.uidvalidity, result.uids)
        if session.selected is not None:
            await session.reading(session.selected.view.refresh())
            await updates.tell(session, expunge=True)
        return responses.ok(self.tag, "Appended", code)

    async def file_one(self, received: Received) -> Appended:
        """File the one message that came."""
        prepared = await prepare(received.spool)
        try:
            command = self.command(received.messages[0], prepared)
            result = await self.session.submit(command, prepared.descriptor, target=True)
        finally:
            prepared.close()
        assert isinstance(result, Appended)
        return result

    def command(self, message: Announced, prepared: Prepared) -> c.Append:
        """What the store is to do with the one message."""
        return c.Append(
            actor=self.session.actor,
            mailbox=self.mailbox,
            content=prepared.content,
            rendered=prepared.rendered,
            received_at=message.received_at,
            flags=message.flags,
            keywords=message.keywords,
            deleted=message.deleted,
        )

    async def _file_all(self, received: Received) -> AppendedAll:
        session = self.session
        with received.octets() as parts:
            # All is parsed before any content is put: what does not fit leaves nothing behind.
            made: list[c.Rendered] = []
            size = 0
            for part in parts:
                made.append(rendered(await summarized(part)))
                size += len(_encode(made[-1]))
                if size > COLUMNS:
                    raise Refuse("These are too many messages for one command", codes.LIMIT)
                await session.pause()
            new: list[bytes] = []
            try:
                contents = await self._contents(parts, new)
                messages = zip(received.messages, contents, made, strict=True)
                result = await session.submit(
                    c.AppendAll(
                        actor=session.actor,
                        mailbox=self.mailbox,
                        messages=tuple(_enclosed(*message) for message in messages),
                    ),
                    target=True,
                )
            except BaseException:
                # Refused, or given up by the client: what was put would take room that is nobody's.
                await drop(session.service.store, account_of(self.mailbox), new)
                raise
        assert isinstance(result, AppendedAll)
        return result

    async def _contents(
        self, parts: Iterable[bytes | memoryview], new: list[bytes]
    ) -> list[c.Content]:
        """Content for ``AppendAll``; ``new``: takes the digests of what was put and not there before."""
        contents: list[c.Content] = []
        inline = 0
        for part in parts:
            contents.append(await self._content(part, INLINE - inline, new))
            inline += sum(map(len, contents[-1].frames))
            await self.session.pause()
        return contents

    async def _content(
        self, octets: bytes | memoryview, inline: int, new: list[bytes]
    ) -> c.Content:
        """One: with its frames, of at most ``inline`` octets, or put before."""
        session = self.session
        content, descriptor = await compressed(octets, session.service.store.blobs)
        try:
            if descriptor is None and sum(map(len, content.frames)) <= inline:
                return content
            command = c.PutContent(account=account_of(self.mailbox), content=content)
            new.append(content.digest)
            put = await session.submit(command, descriptor)
            if isinstance(put, Done) and not put.count:
                new.pop()
        finally:
            if descriptor is not None:
                os.close(descriptor)
        return c.Content(digest=content.digest, size=content.size)


def _enclosed(message: Announced, content: c.Content, made: c.Rendered) -> c.Enclosed:
    return c.Enclosed(
        content=content,
        rendered=made,
        received_at=message.received_at,
        flags=message.flags,
        keywords=message.keywords,
        deleted=message.deleted,
    )


async def append(session: "Session", start: AppendStart) -> None:
    """From the first message's announcement to the answer."""
    await receive(session, start, Appending(session, start))
