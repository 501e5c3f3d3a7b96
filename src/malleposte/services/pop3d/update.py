"""QUIT: what is marked goes now (RFC 1939 §6), as an IMAP client's EXPUNGE would have it go."""

import time
from typing import TYPE_CHECKING, Any, Final

import structlog

from malleposte.store import StoreError
from malleposte.store.commands import Expunge
from malleposte.store.read import mailboxes
from malleposte.store.results import Expunged
from malleposte.wire.pop3 import Code, Err, Ok, Quit

if TYPE_CHECKING:
    from malleposte.services.pop3d.session import Session

log = structlog.get_logger(__name__)


async def update(session: "Session", command: Quit) -> None:
    """Delete in steps, each whole; unlock the maildrop; say goodbye."""
    try:
        whole = await _delete(session)
    except StoreError as error:
        log.warning("pop3_store_away", error=str(error))
        whole = False
    # Before the answer: whoever has it may come back at once.
    await session.leave()
    if whole:
        session.engine.reply(Ok("Goodbye"))
    else:
        session.engine.reply(Err("Some deleted messages were not removed", Code.TEMPORARY))


async def _delete(session: "Session") -> bool:
    """Whether all that is marked is gone. Those that were expunged by others need not be."""
    drop, service = session.drop, session.service
    marked = drop.marked()
    if not marked:
        return True
    box = await mailboxes.mailbox(service.store.reader, drop.mailbox)
    if box is None or box.uidvalidity != drop.validity:
        return False  # UIDs are others' now: a copy of the database was put back
    until = int(time.time()) + service.settings.recoverable
    for ranges in marked:
        result = await service.store.submit(
            Expunge(
                actor=drop.account,
                mailbox=drop.mailbox,
                uids=ranges,
                marked=False,
                recoverable_until=until,
            )
        )
        if not isinstance(result, Expunged):
            return False
        session.deleted += len(result.uids)
    return True


HANDLERS: Final[dict[type, Any]] = {Quit: update}
