"""A view of a mailbox: what one account sees of it, for all its sessions in a worker.

The owner sees the messages as they stand in the arrays (``messages``), which all views of a mailbox in
a worker share. Another's mailbox is seen through a view of the reader's own: ``\\Seen`` is each reader's,
and MODSEQ the later one of the message's and the reader's mark's; all that such a view keeps of messages
are those marks (``marks``), laid over the arrays when flags are asked for. It also knows the reader's
rights, as of its last refresh.

A view is brought up to date before every command that reads it (design, §3); hints only wake sleepers.
Sessions (``Watcher``) are told what changed, whoever had the arrays brought up to date.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from malleposte.store import marks as reading
from malleposte.store.dialect import Row
from malleposte.store.flag_sets import FlagSet
from malleposte.store.flags import SEEN
from malleposte.store.marks import Mark, Marks
from malleposte.store.messages import Messages
from malleposte.store.onlooker import Flagged
from malleposte.store.read.rights import ALL, letters

if TYPE_CHECKING:
    from array import array

STALE = 1_000
"""Marks kept on messages that are gone, besides one for every message there is."""


class Watcher(Protocol):
    """A session that has a view selected."""

    def view_changed(
        self, expunged: list[tuple[int, int]], flagged: list[int], grown: bool
    ) -> None:
        """UIDs and email numbers gone, UIDs whose flags changed, whether new messages came."""
        ...

    def view_gone(self) -> None:
        """The mailbox was deleted, or its UIDVALIDITY changed."""
        ...


class View:
    """See the module."""

    def __init__(self, messages: Messages, reader: int = 0) -> None:
        self.messages = messages
        self.mailbox = messages.mailbox
        self.account = messages.account
        self.reader = reader
        """The account that looks; 0: the owner."""
        self.letters = "" if reader else ALL
        """The reader's rights when the view was last brought up to date: whoever acts by rights looks
        here after ``refresh``. '' too where the mailbox is gone."""
        self.watchers: set[Watcher] = set()
        self.marks: Marks | None = Marks() if reader else None
        """What a reader has marked; None: the owner."""
        self._shown: dict[str, str] = {}
        self._pending: list[int] = []  # UIDs whose flags changed by marks, not told yet
        self._loaded = False
        self._known = -1  # the modseq at which the rights were read
        self._lock = asyncio.Lock()
        if not reader:
            messages.views.add(self)

    def __len__(self) -> int:
        return len(self.messages.uids)

    # What all views of the mailbox share ----------------------------------------------------------

    @property
    def gone(self) -> bool:
        """Whether the mailbox was deleted, or its UIDVALIDITY changed."""
        return self.messages.gone

    @property
    def uidvalidity(self) -> int:
        """The mailbox's UIDVALIDITY; 0: not known yet."""
        return self.messages.uidvalidity

    @property
    def uidnext(self) -> int:
        """The mailbox's UIDNEXT."""
        return self.messages.uidnext

    @property
    def modseq(self) -> int:
        """The account's modseq up to which the view is complete."""
        return self.messages.modseq

    @property
    def highest(self) -> int:
        """The mailbox's HIGHESTMODSEQ at that time."""
        return self.messages.highest

    @property
    def recent_from(self) -> int:
        """See ``Messages.recent_from``."""
        return self.messages.recent_from

    @recent_from.setter
    def recent_from(self, uid: int) -> None:
        self.messages.recent_from = uid

    @property
    def claiming(self) -> asyncio.Lock:
        """See ``Messages.claiming``."""
        return self.messages.claiming

    @property
    def uids(self) -> "array[int]":
        """All UIDs, ascending. The arrays are for reading only."""
        return self.messages.uids

    @property
    def emails(self) -> "array[int]":
        """All email numbers."""
        return self.messages.emails

    @property
    def flagsets(self) -> list[FlagSet]:
        """The distinct sets of flags, by number; what is added later comes behind."""
        flags = self.messages.flags
        if self.marks:
            # Those a reader sees are all there, whether they were asked for or not.
            flags.by_seen(range(len(flags)))
        return flags.sets

    def rank(self, uid: int) -> int:
        """How many UIDs are smaller than ``uid``."""
        return bisect_left(self.messages.uids, uid)

    def position(self, uid: int) -> int | None:
        """Where ``uid`` stands, from 0; None: not here."""
        uids = self.messages.uids
        at = bisect_left(uids, uid)
        return at if at < len(uids) and uids[at] == uid else None

    # What the reader sees -------------------------------------------------------------------------

    @property
    def shown(self) -> dict[str, str]:
        """Keywords of the account, as they were first written; of another's only those that this reader
        met in the mailbox: names of flags tell of mail."""
        return self._shown if self.reader else self.messages.flags.shown

    @property
    def sets(self) -> Sequence[int]:
        """The flag sets of all messages; a reader's are put together: ask ``sets_of`` for a few."""
        return self.sets_of(range(len(self))) if self.marks else self.messages.sets

    @property
    def modseqs(self) -> Sequence[int]:
        """The modseqs of all messages; as ``sets``."""
        return self.modseqs_of(range(len(self))) if self.marks else self.messages.modseqs

    def sets_of(self, places: Sequence[int]) -> Sequence[int]:
        """The flag sets of messages at positions; quickest for a range."""
        messages = self.messages
        if not isinstance(places, range):
            if self.marks:
                return [self._set_at(at) for at in places]
            return [messages.sets[at] for at in places]
        found = messages.sets[places.start : places.stop]
        if self.marks:
            by_seen = messages.flags.by_seen(set(found))
            for at, value in self.marks.among(messages.uids, places.start, places.stop):
                found[at] = by_seen[value & 1][found[at]]
        return found

    def modseqs_of(self, places: Sequence[int]) -> Sequence[int]:
        """The modseqs of messages at positions; quickest for a range."""
        messages = self.messages
        if not isinstance(places, range):
            if self.marks:
                return [self._modseq_at(at) for at in places]
            return [messages.modseqs[at] for at in places]
        found = messages.modseqs[places.start : places.stop]
        if self.marks:
            for at, value in self.marks.among(messages.uids, places.start, places.stop):
                modseq = value >> 1
                if modseq > found[at]:
                    found[at] = modseq
        return found

    def flags_at(self, position: int) -> FlagSet:
        """The flags of the message at a position."""
        messages = self.messages
        flags = messages.flags.sets[messages.sets[position]]
        if self.marks and (mark := self.marks.of(messages.uids[position])):
            return (flags[0] & ~SEEN) | mark[0], flags[1], flags[2]
        return flags

    def wire_flags(self, number: int) -> bytes:
        """A flag set as IMAP writes it, without parentheses."""
        return self.messages.flags.wire[number]

    def wire_lists(self, sets: Iterable[int]) -> list[bytes]:
        """Flag sets as IMAP writes them, without parentheses."""
        return list(map(self.messages.flags.wire.__getitem__, sets))

    async def flags_of(self, numbers: Sequence[int]) -> list[Row]:
        """Rows (email number, flags, keywords, modseq) of emails, as the reader sees them, that are in the
        mailbox no more: a session may still show what was expunged. Those gone for good are left out."""
        return await self.messages.rows.of(numbers, self.reader)

    def _set_at(self, at: int) -> int:
        messages = self.messages
        number = messages.sets[at]
        if self.marks and (mark := self.marks.of(messages.uids[at])):
            return messages.flags.by_seen((number,))[mark[0]][number]
        return number

    def _modseq_at(self, at: int) -> int:
        messages = self.messages
        mark = self.marks.of(messages.uids[at]) if self.marks else None
        return max(messages.modseqs[at], mark[1]) if mark else messages.modseqs[at]

    # Bringing up to date --------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Bring the view up to date with what is committed now."""
        messages = self.messages
        await messages.refresh()
        if not self.reader:
            return
        if messages.gone:
            self.letters = ""
        elif self._known != messages.modseq:
            async with self._lock:
                await self._refresh()

    async def stored(
        self, modseq: int, uids: "array[int]", words: set[str], change: Callable[[FlagSet], FlagSet]
    ) -> None:
        """Bring the view up to date after a STORE of its own: see ``Messages.stored``."""
        if self.reader or not await self.messages.stored(modseq, uids, words, change):
            await self.refresh()

    async def expunged(self, modseq: int, ranges: list[Row]) -> None:
        """Bring the view up to date after an EXPUNGE of its own: see ``Messages.expunged``."""
        if self.reader or not await self.messages.expunged(modseq, ranges):
            await self.refresh()

    async def _refresh(self) -> None:
        """What is the reader's own."""
        messages, marks = self.messages, self.marks
        assert marks is not None
        if not self._loaded:
            await self._load(marks)
            self._loaded = True
        known = messages.modseq
        if self._known != known:
            self.letters = await letters(messages.db, self.reader, self.mailbox)
            self._known = known
        if len(marks) > len(messages) + STALE:
            marks.keep(messages.uids)

    async def _load(self, marks: Marks) -> None:
        messages = self.messages
        async with messages.lock:
            # From now on it is told of news, of marks too: nothing falls between.
            messages.views.add(self)
        self._meet(messages.flags.words(set(messages.sets)))
        rows = await reading.marked(messages.db, self.mailbox, self.reader)
        if len(rows) < reading.SLICE:
            marks.put(reading.in_mailbox(rows))
            return
        # Many in the account: those on the messages of the mailbox, which may be few.
        last = 0
        while (at := self.rank(last + 1)) < len(messages):
            first, last = last + 1, messages.uids[min(at + reading.SLICE, len(messages)) - 1]
            marks.put(await reading.within(messages.db, self.mailbox, self.reader, first, last))
            await asyncio.sleep(0)

    def _meet(self, words: set[str]) -> None:
        for word in words - self._shown.keys():
            self._shown[word] = self.messages.flags.shown.get(word, word)

    # The messages tell (onlooker.Onlooker) --------------------------------------------------------

    def marked(self, rows: list[Mark]) -> None:
        """See ``Onlooker``."""
        marks = self.marks
        assert marks is not None
        for uid, seen, _ in rows:
            at = self.position(uid)
            if at is not None and self.flags_at(at)[0] & SEEN != seen:
                self._pending.append(uid)
        marks.put(rows)

    def messages_changed(
        self, expunged: list[tuple[int, int]], flagged: Flagged, grown: bool, words: set[str]
    ) -> None:
        """See ``Onlooker``."""
        if self.reader:
            self._meet(words)
        if self.marks:
            uids = [uid for uid, old, now in flagged if self._shows(uid, old, now)]
        else:
            uids = [uid for uid, _, _ in flagged]
        if self._pending:
            pending, self._pending = self._pending, []
            there = [uid for uid in pending if self.position(uid) is not None]
            uids = list(dict.fromkeys(there + uids))
        if expunged or uids or grown:
            for watcher in list(self.watchers):
                watcher.view_changed(expunged, uids, grown)

    def _shows(self, uid: int, old: FlagSet, now: FlagSet) -> bool:
        r"""Whether the reader sees a change of flags: of ``\Seen`` only where nothing is marked."""
        if (old[0] | SEEN, *old[1:]) != (now[0] | SEEN, *now[1:]):
            return True
        return self.marks is None or self.marks.of(uid) is None

    def messages_gone(self) -> None:
        """See ``Onlooker``."""
        for watcher in list(self.watchers):
            watcher.view_gone()
