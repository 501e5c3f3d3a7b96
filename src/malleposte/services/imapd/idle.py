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
    from malleposte.services.imapd.selected import Selected
    from malleposte.services.imapd.session import Session

SETTLING: Final = 0.2
"""Seconds from ``+ idling`` to the first news: what comes in one piece with that line, Thunderbird (153)
leaves unread until something else comes, perhaps for hours."""

ECHO: Final = 5
"""Seconds from the first news to a line that says nothing new: who was too slow to read the two apart
reads on with it."""


async def idle(session: "Session", command: Idle) -> bytes | None:
    """From ``+ idling`` to DONE."""
    engine, connection, selected = session.engine, session.connection, session.selected
    settings = session.service.settings
    engine.start_idle()
    account = session.actor if selected is None else selected.view.account
    stop = session.service.push.subscribe(account, session.hint)
    if selected is not None:
        selected.wake = session.hint
    began = time.monotonic()
    until = began + settings.idle_timeout
    looked = False
    echo = False
    try:
        while True:
            event = engine.next_event()
            session.send(engine.data_to_send())
            if isinstance(event, IdleDone):
                if not looked and selected is not None and not await _look(session, selected):
                    return None
                return done(command.tag)
            if event is not NEED_DATA:
                return None  # refused, or the end: the engine has answered
            if session.dismissed:
                return None
            early = began + SETTLING - time.monotonic()
            if early > 0:
                session.flush()
                with suppress(TimedOut):
                    await session.read(early)
                continue
            session.hinted = False
            if selected is not None:
                known = selected.announced
                if not await _look(session, selected):
                    return None
                if not looked and selected.listened < selected.announced:
                    echo = True
                    if known == selected.announced:
                        # Thunderbird passes over an EXISTS that it was sent while it loaded a message.
                        session.send(responses.exists(selected.exists))
            looked = True
            if session.watch is not None:
                session.watch.listen()
                with suppress(TemporaryFailure):
                    await session.watch.tell_others()
            session.flush()
            await connection.drain()
            if session.hinted:
                continue  # while we were looking, or sending: look again
            rest = until - time.monotonic()
            try:
                await session.read(min(rest, settings.idle_notice, ECHO if echo else rest))
            except TimedOut:
                if echo and selected is not None:
                    echo = False
                    session.send(responses.exists(selected.exists))
                    continue
                if rest <= settings.idle_notice:
                    raise
                session.send(responses.ok(responses.UNTAGGED, "Still here"))
    finally:
        stop()
        if selected is not None:
            selected.wake = None
            if looked:
                selected.listened = selected.announced


async def _look(session: "Session", selected: "Selected") -> bool:
    """Tell what is new of the mailbox; False: the session is at its end."""
    with suppress(TemporaryFailure):  # the hub looks again in a second
        await selected.view.refresh()
    if selected.gone:
        session.leave_gone()
        return False
    if not rights.still_readable(session, selected):
        return False
    await updates.tell(session, expunge=True)
    return True


HANDLERS: Final = {Idle: idle}
