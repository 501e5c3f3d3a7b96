"""FETCH and UID FETCH (RFC 9051 §6.4.5, RFC 7162 §3.1.4), answered in slices.

What is sent was rendered when the message came; flags and modseqs are in the view.
"""

from typing import TYPE_CHECKING, Final

from malleposte.services.imapd import fetch_bodies, resync
from malleposte.services.imapd.fetch_plan import Plan, plan, with_news
from malleposte.services.imapd.fetch_slice import read_slice
from malleposte.services.imapd.numbering import Chosen
from malleposte.services.imapd.replies import EXPUNGED, Refuse, done
from malleposte.wire.imap import codes, fetch_rows, responses
from malleposte.wire.imap.commands.fetch import Fetch
from malleposte.wire.imap.sets import NumberSet, SavedResult

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

NARROW_ROWS: Final = 2_000
"""Messages at a time where only the view is read: some 2 ms."""
WIDE_ROWS: Final = 500
"""Messages at a time where columns are read: some 2 ms, and 1 MB at most in common mail."""


async def fetch(session: "Session", command: Fetch) -> bytes:
    """RFC 9051 §6.4.5; CHANGEDSINCE and VANISHED are RFC 7162 §3.1.4.1, §3.2.6."""
    selected = session.mailbox
    chosen = selected.choose(command.messages, uid=command.uid)
    made = plan(command.items, session.engine.utf8)
    if command.vanished and not session.qresync:
        raise Refuse("QRESYNC must be enabled first", bad=True)  # RFC 7162 §3.2.6
    if made.modseq or command.changed_since is not None:
        session.enable_condstore()
    if made.marks and session.condstore and "s" in selected.changeable:
        # What sets \Seen says so with the new MODSEQ (RFC 7162 §3.1.4, §3.2.4).
        made = plan(with_news(command.items, session.qresync), session.engine.utf8)
    if command.changed_since is not None:
        if command.vanished:
            await _vanished(session, command, command.changed_since)
        chosen = await resync.changed(session, chosen, command.changed_since)
    if command.page is not None:
        # A page of what would be answered (RFC 9394 §3.3).
        chosen = chosen.part(*command.page.cut(len(chosen)))
    if made.bodies:
        gone = await fetch_bodies.answer(session, made, chosen)
    else:
        gone = await answer(session, made, chosen)
    if gone:
        return responses.no(command.tag, EXPUNGED, codes.EXPUNGEISSUED)
    return done(command.tag)


async def _vanished(session: "Session", command: Fetch, since: int) -> None:
    """RFC 7162 §3.2.6."""
    selected = session.mailbox
    if isinstance(command.messages, SavedResult):
        known = selected.saved or NumberSet()
    else:
        # `*` is the last UID there ever was: the last messages may be those that went.
        known = command.messages.resolve(selected.view.uidnext - 1)
    gone = await resync.vanished(session, selected, known, since)
    session.send(responses.vanished(gone, earlier=True))


async def answer(session: "Session", made: Plan, chosen: Chosen) -> int:
    """Send what a plan without bodies asks for; how many messages are gone for good."""
    most = WIDE_ROWS if made.columns else NARROW_ROWS
    selected = session.mailbox
    gone = start = 0
    step, total = most, len(chosen)
    while start < total:
        part = await read_slice(session, made, chosen, start, min(start + step, total))
        gone += part.gone
        if part.uids:
            values = await part.values(made)
            session.send(fetch_rows.fetch_columns(part.seqs, made.formats, *values))
        if made.flags:
            selected.seen(part.uids)
        # Where long ones lie close together, less is read in vain.
        step = min(most, 2 * (part.stop - start))
        start = part.stop
        if start < total:
            await session.breathe()
    return gone


HANDLERS: Final = {Fetch: fetch}
