"""What a session asked to hear of by NOTIFY, and how far it has been told (RFC 5465).

A session that watches has no task of its own: where it waits for its client, in ``Session.next_event``,
a hint of the push hub wakes it, and if nothing of a command has come it looks and tells. What the
mailboxes are is looked up once for all sessions of a worker (``watched``); a session keeps the scene up to
which it was told, and tells the difference to the newest. One that did not watch keeps nothing.
"""

import asyncio
from array import array
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import structlog

from malleposte.services.connection import TimedOut
from malleposte.services.imapd import (
    fetch,
    fetch_bodies,
    mailbox_news,
    metadata,
    names,
    rights,
    updates,
)
from malleposte.services.imapd.fetch_plan import plan
from malleposte.services.imapd.mailbox_news import Counted, Rules, Scene
from malleposte.services.imapd.replies import Refuse
from malleposte.services.imapd.watched import Others, Watched, WatchedNotes, WatchedOthers
from malleposte.store import PermanentFailure, TemporaryFailure
from malleposte.store import commands as c
from malleposte.store.commands import AnyCommand
from malleposte.store.results import AnyResult, Appended, AppendedAll, Copied
from malleposte.wire.imap import account_responses, codes, responses
from malleposte.wire.imap.commands.fetch import Attribute, Binary, Body, FetchItem
from malleposte.wire.imap.commands.notify import EventGroup, MailboxFilter, NotifyEvent
from malleposte.wire.imap.mailbox_attributes import NO_ACCESS
from malleposte.wire.imap.sets import NumberSet

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

log = structlog.get_logger(__name__)

TOLD_AT_ONCE: Final = 2_000
"""Responses about other mailboxes made of one look. Past it LIST and STATUS are the quicker way, and the
client is told so: [NOTIFICATIONOVERFLOW] (RFC 5465 §5.8)."""
OWN_MAX: Final = 1_000
"""Changes of the session's own that are remembered until they are seen to be nobody else's."""
MANY: Final = 1_000
"""Mailboxes of others past which sessions that wake together tell their news one after the other: some 1 ms
of each."""
LOOK_AGAIN: Final = 1.0
"""Seconds after which is looked again when the store did not answer."""


_NOTHING: Final = EventGroup(MailboxFilter.SELECTED)
_NONE: Final = Others()


class Watch:
    """What one session asked for. Made by ``NOTIFY``; replaced by the next one."""

    __slots__ = (
        "_items",
        "_notes",
        "_others",
        "_own",
        "_own_uids",
        "_removed",
        "_rules",
        "_session",
        "_sharers",
        "_stops",
        "_told",
        "_watched",
        "counts",
        "flags",
        "immediate",
    )

    def __init__(self, session: "Session", groups: tuple[EventGroup, ...]) -> None:
        self._session = session
        selected = next((group for group in groups if group.selected), _NOTHING)
        self.counts = NotifyEvent.MESSAGE_NEW in selected.events
        """Whether messages that come and go in the selected mailbox are told."""
        self.flags = NotifyEvent.FLAG_CHANGE in selected.events
        """Whether flags that change there are."""
        self.immediate = selected.mailboxes is MailboxFilter.SELECTED
        """Whether EXPUNGE may come between commands (§6.1.1): the client then counts on UIDs alone."""
        self._items = tuple(map(_peeked, selected.items))
        self._rules = Rules(groups, names.kept)
        self._stops: dict[int, Callable[[], None]] = {}
        self._watched: Watched | None = None
        self._others: WatchedOthers | None = None
        self._notes: WatchedNotes | None = None
        self._told = Scene()
        # Accounts of others' mailboxes that are watched.
        self._sharers: frozenset[int] = frozenset()
        # What the session itself did: modseqs, new UIDs in the selected mailbox, and the mailbox out of
        # which it took messages.
        self._own: set[int] = set()
        self._own_uids: set[int] = set()
        self._removed = 0

    def close(self) -> None:
        """Hear of nothing any more."""
        for stop in self._stops.values():
            stop()
        self._stops = {}

    async def begin(self, *, status: bool) -> None:
        """Begin to listen; with ``status`` a STATUS goes out for each mailbox of whose messages anything
        shall be told (§3.1)."""
        session = self._session
        self.listen()
        if not self._rules:
            return
        every, actor = session.service.watched, session.actor
        watched = self._watched = every.own(actor)
        if self._rules.beyond:
            self._others = every.others(actor)
        if self._rules.about_metadata:
            self._notes = every.notes(actor)
        scene = self._told = await self._look(watched)
        self._tell_closed(await mailbox_news.closed(scene, self._rules, session.pause))
        if status:
            for one in await mailbox_news.all_counted(
                scene, self._rules, self._selected_id(), session.pause
            ):
                self._send_status(one)
                await session.relieve()

    def listen(self) -> None:
        """Have hints for the accounts that matter now."""
        session = self._session
        wanted = {session.actor, *self._sharers} if self._rules else set[int]()
        if self.counts and session.selected is not None:
            wanted.add(session.selected.view.account)
        if wanted == self._stops.keys():
            return
        for account in self._stops.keys() - wanted:
            self._stops.pop(account)()
        for account in wanted - self._stops.keys():
            self._stops[account] = session.service.push.subscribe(account, self._hint)
            # What happened before it listened.
            session.hinted = True

    async def _look(self, watched: Watched) -> Scene:
        """The mailboxes there are for the session now; those of others where they can be meant at all."""
        session = self._session
        own = await session.reading(watched.look())
        found = _NONE
        if self._others is not None:
            found = await session.reading(self._others.look())
            self._sharers = frozenset(found.modseqs)
        if self._notes is None:
            return Scene(own, found.others)
        modseqs = {session.actor: own.modseq, **found.modseqs}
        return Scene(own, found.others, await session.reading(self._notes.look(modseqs)))

    def _hint(self) -> None:
        """Something may have happened."""
        self._session.hint()

    # Telling --------------------------------------------------------------------------------------

    async def tell(self) -> bool:
        """Where the session waits for its client: tell what happened, if there was a hint and nothing of
        a command has come. False: there is nothing to do but to wait."""
        session = self._session
        self.listen()
        await session.connection.drain()
        if not (session.hinted and session.engine.resting) or session.connection.has_input:
            return False
        try:
            await self._tell_selected()
            if not session.dismissed:
                await self.tell_others()
        except TemporaryFailure as error:
            log.warning("imap_store_away", error=str(error))
            asyncio.get_running_loop().call_later(LOOK_AGAIN, self._hint)
        except PermanentFailure:
            session.service.observer.defect("store")
        return True

    async def wait(self, seconds: float) -> None:
        """Read what the client says. One that only listens hears now and then that the server lives, as
        in IDLE. Raises what ``Session.read`` does."""
        session = self._session
        notice = session.service.settings.idle_notice
        if not self._stops or seconds <= notice or not session.engine.resting:
            await session.read(seconds)
            return
        try:
            await session.read(notice)
        except TimedOut:
            session.send(responses.ok(responses.UNTAGGED, "Still here"))

    async def _tell_selected(self) -> None:
        session = self._session
        session.hinted = False
        selected = session.selected
        if selected is None or not self.counts:
            return
        await selected.view.refresh()
        if selected.gone:
            session.leave_gone()
        elif rights.still_readable(session, selected):
            await updates.tell(session, expunge=self.immediate)
            if session.qresync:
                updates.hold_back(session)

    async def tell_others(self) -> None:
        """Tell of the mailboxes that are not selected."""
        session = self._session
        if self._watched is None:
            return
        before, now = self._told, await self._look(self._watched)
        self._told = now
        own = now.own is before.own or self._all_own(before.own.modseq, now.own.modseq)
        if own and now.others is before.others:
            return
        if len(now.others) > MANY:
            await session.breathe()
        listed = await mailbox_news.listed(before, now, self._rules, session.pause)
        counted = await mailbox_news.counted(
            before, now, self._rules, self._selected_id(), session.pause
        )
        noted = mailbox_news.noted(before, now, self._rules)
        if len(listed) + len(counted) + len(noted) > TOLD_AT_ONCE:
            self._overflow()
            return
        utf8 = session.engine.utf8
        for one in listed:
            session.send(
                responses.list_mailbox(
                    one.attributes, names.SEPARATOR, one.name, utf8, old_name=one.old_name
                )
            )
            await session.relieve()
        for each in counted:
            self._send_status(each)
            await session.relieve()
        known = await mailbox_news.closed(before, self._rules, session.pause)
        closed = await mailbox_news.closed(now, self._rules, session.pause)
        self._tell_closed(closed - known.union(one.name for one in listed))
        for note in noted:
            entries = [metadata.full(name, private) for name, private in note.entries]
            session.send(account_responses.metadata_changed(note.name, utf8, entries))
            await session.relieve()

    def _tell_closed(self, closed: frozenset[str]) -> None:
        """Mailboxes of whose messages nothing can be told (§3.1, §5.9)."""
        utf8 = self._session.engine.utf8
        for name in sorted(closed):
            self._session.send(responses.list_mailbox([NO_ACCESS], names.SEPARATOR, name, utf8))

    def _overflow(self) -> None:
        """As if NOTIFY NONE had been given (§5.8)."""
        session = self._session
        words = "Too much has happened: LIST and STATUS tell it; NOTIFY is off"
        session.send(responses.ok(responses.UNTAGGED, words, codes.NOTIFICATIONOVERFLOW))
        self.close()
        session.watch = Watch(session, ())

    def _send_status(self, one: Counted) -> None:
        session, box = self._session, one.box
        items: dict[bytes, int | bytes | None] = {
            b"MESSAGES": box.messages,
            b"UIDNEXT": box.uidnext,
            b"UIDVALIDITY": box.uidvalidity,
        }
        if not one.foreign:
            items[b"UNSEEN"] = box.unseen
        if one.modseq or session.condstore:
            items[b"HIGHESTMODSEQ"] = box.message_modseq
        session.send(responses.status(one.name, session.engine.utf8, items))

    def _selected_id(self) -> int:
        selected = self._session.selected
        return 0 if selected is None else selected.view.mailbox

    async def arrived(self, known: int) -> None:
        """After EXISTS: what the client wants to have of messages with UIDs past ``known`` (§5.2), but
        of those that it put there itself."""
        session, selected = self._session, self._session.mailbox
        own, self._own_uids = self._own_uids, set()
        if not self._items:
            return
        new = selected.choose_uids(NumberSet(((known + 1, selected.announced),)))
        if own:
            uids = array("I", [uid for uid in new.uids if uid not in own])
            new = selected.choose_uids(NumberSet.from_sorted(uids))
        items = _with(self._items, modseq=session.condstore, uid=session.qresync)
        made = plan(items, session.engine.utf8)
        answer = fetch_bodies.answer if made.bodies else fetch.answer
        try:
            await answer(session, made, new)
        except Refuse as refusal:
            # All that can be sent was sent; no command waits for the answer.
            session.send(responses.no(responses.UNTAGGED, refusal.words, refusal.code))

    # The session's own changes --------------------------------------------------------------------

    def may_expunge(self) -> bool:
        """Whether EXPUNGE may be sent now: it is wanted, or answers a command of the session's."""
        removed, self._removed = self._removed, 0
        return self.counts or removed == self._selected_id()

    def note(self, command: AnyCommand, result: AnyResult) -> None:
        """The session changed something: of this the client knows (§5)."""
        accounts = command.accounts()
        if len(accounts) == 1:
            self.made(accounts[0], getattr(result, "modseq", 0))
        selected = self._selected_id()
        if not selected:
            return
        if isinstance(command, c.Expunge | c.Replace) or (
            isinstance(command, c.Copy) and command.move
        ):
            self._removed = selected
        if not self._items:
            return
        match command, result:
            case c.Append(mailbox=mailbox), Appended() if mailbox == selected:
                self._own_uids.add(result.uid)
            case c.AppendAll(mailbox=mailbox), AppendedAll() if mailbox == selected:
                self._own_uids.update(result.uids)
            case c.Copy(target=mailbox), Copied() if mailbox == selected:
                self._own_uids.update(new for _, new in result.uids)

    def made(self, account: int, modseq: int) -> None:
        """The session made the change of this modseq."""
        if self._watched is not None and account == self._session.actor:
            if len(self._own) >= OWN_MAX:
                self._own.clear()
            self._own.add(modseq)

    def _all_own(self, before: int, now: int) -> bool:
        """Whether the session itself made every change between two modseqs."""
        own = self._own
        found = now - before <= len(own) and own.issuperset(range(before + 1, now + 1))
        self._own = {modseq for modseq in own if modseq > now}
        return found


@lru_cache(maxsize=256)
def _with(items: tuple[FetchItem, ...], *, modseq: bool, uid: bool) -> tuple[FetchItem, ...]:
    """The items and what must be in every FETCH that is not asked for (RFC 7162 §3.1, §3.2.4)."""
    if modseq and Attribute.MODSEQ not in items:
        items = (*items, Attribute.MODSEQ)
    return (Attribute.UID, *items) if uid and Attribute.UID not in items else items


def _peeked(item: FetchItem) -> FetchItem:
    r"""Nobody has read a message because he was told of it: \Seen stays as it is."""
    return replace(item, peek=True) if isinstance(item, Body | Binary) else item
