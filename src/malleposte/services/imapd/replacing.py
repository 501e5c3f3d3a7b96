"""REPLACE: a message takes the place of another, in this or another mailbox, both or neither (RFC 8508)."""

import time
from typing import TYPE_CHECKING

import msgspec

from malleposte.delivery.spool import Prepared
from malleposte.services.imapd import names, rights, updates
from malleposte.services.imapd.appending import Appending
from malleposte.services.imapd.receiving import Announced, Received, receive
from malleposte.services.imapd.replies import EXPUNGED, NO_SUCH_MAILBOX, READ_ONLY, Refuse, refuse
from malleposte.store import commands as c
from malleposte.store.ids import account_of
from malleposte.store.read import emails as read_emails
from malleposte.wire.imap import codes, responses
from malleposte.wire.imap.commands.replace import Replace
from malleposte.wire.imap.events import AppendStart
from malleposte.wire.imap.responses import UNTAGGED

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session


class Replacing(Appending):
    """One REPLACE. Which message goes is settled when the command is read, as its number is."""

    def __init__(self, session: "Session", start: AppendStart) -> None:
        super().__init__(session, start)
        assert isinstance(start.command, Replace)
        self._message = start.command.message
        self._by_uid = start.command.uid
        self._uid = 0
        self._email = 0

    async def check(self, start: AppendStart, before: int) -> None:
        """See ``Appending``."""
        session = self.session
        selected = session.mailbox
        await session.reading(selected.view.refresh())
        if selected.gone:
            session.leave_gone()
            raise refuse(NO_SUCH_MAILBOX)
        if not rights.still_readable(session, selected):
            raise refuse(NO_SUCH_MAILBOX)
        if selected.read_only:
            raise Refuse(READ_ONLY, codes.READ_ONLY)
        names.demand(selected.letters, "te")
        chosen = selected.choose(self._message, uid=self._by_uid)
        if chosen.ghosts:
            raise Refuse(EXPUNGED, codes.EXPUNGEISSUED)
        if not chosen:
            raise Refuse("There is no message with this UID", codes.NONEXISTENT)
        self._uid, self._email = chosen.uids[0], chosen.emails[0]
        await super().check(start, before)

    async def room(self) -> int | None:
        """See ``Appending``: with the room of the message that goes."""
        room = await super().room()
        account = self.session.mailbox.view.account
        if room is None or account != account_of(self.mailbox):
            return room
        reader = self.session.service.store.reader
        rows = await self.session.reading(
            read_emails.columns_of(reader, account, [self._email], ("e.size",))
        )
        return room + (int(rows[0][1]) if rows else 0)

    def command(self, message: Announced, prepared: Prepared) -> c.Append:
        """See ``Appending``."""
        settings = self.session.service.settings
        return c.Replace(
            **msgspec.structs.asdict(super().command(message, prepared)),
            source=self.session.mailbox.view.mailbox,
            uid=self._uid,
            recoverable_until=int(time.time()) + settings.recoverable,
        )

    async def file(self, received: Received) -> bytes:
        """See ``Filing``: APPENDUID goes before the EXPUNGE (RFC 8508 §4.3)."""
        session = self.session
        result = await self.file_one(received)
        code = codes.append_uid(result.uidvalidity, [result.uid])
        session.send(responses.ok(UNTAGGED, "It takes the place", code))
        view = session.mailbox.view
        await session.reading(view.refresh())
        await updates.tell(session, expunge=True)
        if session.qresync:
            # As after EXPUNGE (RFC 7162 §3.2.7).
            return responses.ok(
                self.tag, "Replaced", codes.highest_modseq(updates.told_up_to(session))
            )
        return responses.ok(self.tag, "Replaced")


async def replace(session: "Session", start: AppendStart) -> None:
    """From the message's announcement to the answer."""
    await receive(session, start, Replacing(session, start))
