"""APPEND: a message streams in, is prepared as a delivery is, and filed (RFC 9051 §6.3.12).

Small messages stay in memory, larger ones go to an unnamed file (``delivery.spool``). What can be
refused is refused before the message is sent.
"""

import time
from typing import TYPE_CHECKING, Final

import structlog

from malleposte.delivery.spool import Prepared, Spool, prepare
from malleposte.services.imapd import names, updates
from malleposte.services.imapd.replies import Refuse
from malleposte.store import PermanentFailure, TemporaryFailure
from malleposte.store import commands as c
from malleposte.store import flags as store_flags
from malleposte.store.read import mailboxes
from malleposte.store.results import Appended
from malleposte.wire.imap import codes, responses
from malleposte.wire.imap.events import AppendAborted, AppendData, AppendEnd, AppendStart, Closed
from malleposte.wire.imap.flags import DELETED

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

log = structlog.get_logger(__name__)

_FULL: Final = "The server's disk is almost full; try again later"


async def append(session: "Session", start: AppendStart) -> None:
    """The whole of an APPEND, from its first message's announcement to its answer."""
    tag = start.command.tag
    spool = Spool(session.service.store.blobs)
    try:
        try:
            mailbox = await _check(session, start)
            session.engine.accept_append()
            if not await _take(session, spool):
                return
        except Refuse as refusal:
            session.engine.refuse_append(refusal.reply(tag))
            return
        except TemporaryFailure:
            away = "The store cannot answer now; try again later"
            session.engine.refuse_append(responses.no(tag, away, codes.UNAVAILABLE))
            return
        except OSError:
            session.engine.refuse_append(responses.no(tag, _FULL, codes.UNAVAILABLE))
            return
        session.send(await _file(session, start, mailbox, spool))
        session.engine.command_done()
    finally:
        spool.close()


async def _check(session: "Session", start: AppendStart) -> int:
    """The mailbox to append to. Raises ``Refuse`` for what would be refused at the end."""
    mailbox = await names.need(session, start.command.mailbox, target=True)
    if start.size == 0:
        # RFC 3502 §6.3.11: an empty literal gives the command up.
        raise Refuse("There is no message")
    reader = session.service.store.reader
    used, allowed, _ = await session.reading(mailboxes.usage(reader, mailbox >> 32))
    if allowed and used + start.size > allowed:
        raise Refuse("The account has no room left for this", codes.OVERQUOTA)
    return mailbox


async def _take(session: "Session", spool: Spool) -> bool:
    """Take the message; False where the command broke off and the engine has answered."""
    while True:
        event = await session.next_event()
        if isinstance(event, AppendData):
            spool.write(event.data)
        elif isinstance(event, AppendEnd):
            return True
        elif isinstance(event, AppendStart):
            raise Refuse("One message in a command, please", codes.CANNOT)
        elif isinstance(event, AppendAborted | Closed):
            return False


async def _file(session: "Session", start: AppendStart, mailbox: int, spool: Spool) -> bytes:
    """File the message; the tagged response."""
    tag = start.command.tag
    prepared: Prepared | None = None
    try:
        prepared = await prepare(spool)
        bits, words = store_flags.split(start.flags)
        result = await session.submit(
            c.Append(
                actor=session.actor,
                mailbox=mailbox,
                content=prepared.content,
                rendered=prepared.rendered,
                received_at=int(start.date.timestamp() if start.date else time.time()),
                flags=bits,
                keywords=tuple(flag for flag in start.flags if flag.lower() in words),
                deleted=DELETED in start.flags,
            ),
            prepared.descriptor,
            target=True,
        )
        assert isinstance(result, Appended)
        selected = session.selected
        if selected is not None:
            await session.reading(selected.view.refresh())
            await updates.tell(session, expunge=True)
    except Refuse as refusal:
        return refusal.reply(tag)
    except OSError:
        return responses.no(tag, _FULL, codes.UNAVAILABLE)
    except TemporaryFailure as error:
        log.warning("imap_store_away", error=str(error))
        full = "disk" in str(error)
        return responses.no(
            tag,
            _FULL if full else "The store cannot answer now; try again later",
            codes.UNAVAILABLE,
        )
    except PermanentFailure:
        session.service.observer.defect("store")
        return responses.no(tag, "This went wrong in the server", codes.SERVERBUG)
    finally:
        if prepared is not None:
            prepared.close()
    return responses.ok(tag, "Appended", codes.append_uid(result.uidvalidity, [result.uid]))
