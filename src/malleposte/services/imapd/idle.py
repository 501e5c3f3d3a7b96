"""IDLE: the client waits for news (RFC 9051 §6.3.13).

The session's own task sleeps in ``Connection.read``; a hint of the push hub, or of another session
through the view, wakes it. Nothing else is kept while it sleeps.
"""

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from malleposte.services.connection import TimedOut
from malleposte.services.imapd import rights, updates
from malleposte.services.imapd.replies import done
from malleposte.store import TemporaryFailure
from malleposte.wire.imap import responses
from malleposte.wire.imap.commands.session import Idle
from malleposte.wire.imap.events import NEED_DATA, IdleDone

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session


async def idle(session: "Session", command: Idle) -> bytes | None:
    """From ``+ idling`` to DONE."""
    engine, connection, selected = session.engine, session.connection, session.selected
    settings = session.service.settings
    if selected is not None:
        # News first: Thunderbird leaves what comes in one piece with `+ idling` unread until more comes.
        with suppress(TemporaryFailure):
            await selected.view.refresh()
        if not selected.gone and rights.still_readable(session, selected):
            await updates.tell(session, expunge=True)
    engine.start_idle()
    session.send(engine.data_to_send())
    session.flush()
    account = session.actor if selected is None else selected.view.account
    stop = session.service.push.subscribe(account, session.hint)
    if selected is not None:
        selected.wake = session.hint
    until = time.monotonic() + settings.idle_timeout
    try:
        while True:
            event = engine.next_event()
            session.send(engine.data_to_send())
            if isinstance(event, IdleDone):
                return done(command.tag)
            if event is not NEED_DATA:
                return None  # refused, or the end: the engine has answered
            if session.dismissed:
                return None
            session.hinted = False
            if selected is not None:
                with suppress(TemporaryFailure):  # the hub looks again in a second
                    await selected.view.refresh()
                if selected.gone:
                    session.leave_gone()
                    return None
                if not rights.still_readable(session, selected):
                    return None
                await updates.tell(session, expunge=True)
            session.flush()
            await connection.drain()
            if session.hinted:
                continue  # while we were looking, or sending: look again
            rest = until - time.monotonic()
            try:
                await session.read(min(rest, settings.idle_notice))
            except TimedOut:
                if rest <= settings.idle_notice:
                    raise
                session.send(responses.ok(responses.UNTAGGED, "Still here"))
    finally:
        stop()
        if selected is not None:
            selected.wake = None


HANDLERS: Final = {Idle: idle}
