"""QUIT: what is marked goes now (RFC 1939 §6), as an IMAP client's EXPUNGE would have it go."""

import time
from typing import TYPE_CHECKING, Any, Final

import structlog

from malleposte.store import PermanentFailure, StoreError
from malleposte.store.commands import Expunge
from malleposte.store.read import mailboxes
from malleposte.store.results import Expunged, Refused
from malleposte.wire.pop3 import Code, Err, Ok, Quit

if TYPE_CHECKING:
    from malleposte.services.pop3d.session import Session

log = structlog.get_logger(__name__)


async def update(session: "Session", command: Quit) -> None:
    """Delete in steps, each whole; unlock the maildrop; say goodbye."""
    whole = False
    try:
        refusal = await _delete(session)
        whole = not refusal
        if refusal:
            log.warning("pop3_not_deleted", account=session.drop.account, reason=refusal)
    except PermanentFailure:
        session.service.observer.defect("pop3 store")
    except StoreError as error:
        log.warning("pop3_store_away", error=str(error))
    # Before the answer: whoever has it may come back at once.
    await session.leave()
    if whole:
        session.engine.reply(Ok("Goodbye"))
    else:
        session.engine.reply(Err("Some deleted messages were not removed", Code.TEMPORARY))


async def _delete(session: "Session") -> str:
    """Why not all that is marked is gone, or ''. Those that were expunged by others need not be."""
    drop, service = session.drop, session.service
    if drop.count == len(drop):
        return ""
    box = await mailboxes.mailbox(service.store.reader, drop.mailbox)
    if box is None or box.uidvalidity != drop.validity:
        return "other-uids"  # UIDs are others' now: a copy of the database was put back
    until = int(time.time()) + service.settings.recoverable
    for ranges in drop.marked():
        result = await service.store.submit(
            Expunge(
                actor=drop.account,
                mailbox=drop.mailbox,
                uids=ranges,
                marked=False,
                recoverable_until=until,
            )
        )
        if isinstance(result, Refused):
            return result.reason
        if isinstance(result, Expunged):
            session.deleted += len(result.uids)
    return ""


HANDLERS: Final[dict[type, Any]] = {Quit: update}
