"""NOTIFY (RFC 5465): the client says what it wants to hear of; ``watching`` tells it."""

from typing import TYPE_CHECKING, Final

from malleposte.services.imapd import updates
from malleposte.services.imapd.fetch_plan import plan
from malleposte.services.imapd.replies import Refuse, done
from malleposte.services.imapd.watching import Watch
from malleposte.wire.imap import codes
from malleposte.wire.imap.commands.notify import EventGroup, Notify, NotifyEvent

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

SUPPORTED: Final = (
    NotifyEvent.MESSAGE_NEW,
    NotifyEvent.MESSAGE_EXPUNGE,
    NotifyEvent.FLAG_CHANGE,
    NotifyEvent.MAILBOX_NAME,
    NotifyEvent.SUBSCRIPTION_CHANGE,
    NotifyEvent.MAILBOX_METADATA_CHANGE,
    NotifyEvent.SERVER_METADATA_CHANGE,
)
"""What can be asked for. There are no annotations, so that those cannot change."""


async def notify(session: "Session", command: Notify) -> bytes:
    """RFC 5465 §3.1. SET brings what happened in the selected mailbox up to now, as NOOP does."""
    wanted = {event for group in command.groups for event in group.events}
    if command.foreign or not wanted.issubset(SUPPORTED):
        raise Refuse(
            "Some of these events cannot be told", codes.bad_event(e.value for e in SUPPORTED)
        )
    watch = Watch(session, command.groups)
    before = session.watch
    if command.groups:
        _fetches(session, command.groups)
        session.watch = None
        try:
            await updates.tell(session, expunge=True)
            await watch.begin(status=command.status)
        except BaseException:
            watch.close()
            session.watch = before
            raise
    if before is not None:
        before.close()
    session.watch = watch
    return done(command.tag)


def _fetches(session: "Session", groups: tuple[EventGroup, ...]) -> None:
    """See to what shall be fetched of new messages: raises ``Refuse`` where it cannot be."""
    for group in groups:
        if group.items and plan(group.items, session.engine.utf8).modseq:
            session.enable_condstore()  # RFC 7162 §3.1


HANDLERS: Final = {Notify: notify}
