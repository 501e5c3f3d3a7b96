"""What is watched by NOTIFY, as last looked up: once for all sessions of a worker.

An account's own mailboxes serve its sessions and all who watch what it shares; what is shared with an
account serves its sessions. A look reads only the accounts that changed, and of these what changed.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar
from weakref import WeakValueDictionary

from malleposte.services.imapd import names
from malleposte.services.imapd.mailbox_news import Note, Other
from malleposte.store.dialect import Reader
from malleposte.store.ids import account_of
from malleposte.store.read import changes, estates, sharers
from malleposte.store.read.changes import Snapshot
from malleposte.store.read.estates import Estate
from malleposte.store.read.sharers import Sharer

T = TypeVar("T")

AT_ONCE: Final = 500
"""Mailboxes named between two breaths: some 1 ms."""


class _Looked(Generic[T]):
    """Something that is looked up again and again; who asks meanwhile waits for the next look."""

    __slots__ = ("__weakref__", "_begun", "_done", "_known", "_lock")

    def __init__(self, first: T) -> None:
        self._known = first
        self._lock = asyncio.Lock()
        self._begun = 0
        self._done = 0

    async def look(self) -> T:
        """It as it is, or was at some moment after the call."""
        before = self._begun
        async with self._lock:
            if self._done <= before:
                self._begun += 1
                number = self._begun
                self._known = await self._read(self._known)
                self._done = number
            return self._known

    async def _read(self, before: T) -> T:
        raise NotImplementedError


class Watched(_Looked[Snapshot]):
    """An account's mailboxes."""

    __slots__ = ("_account", "_reader")

    def __init__(self, reader: Reader, account: int) -> None:
        super().__init__(Snapshot())
        self._reader = reader
        self._account = account

    async def _read(self, before: Snapshot) -> Snapshot:
        return await changes.look(self._reader, self._account, before)


class WatchedEstate(_Looked[Estate]):
    """An account's mailboxes with the rights of others on them."""

    __slots__ = ("_account", "_reader", "_watched")

    def __init__(self, reader: Reader, account: int, watched: Watched) -> None:
        super().__init__(Estate())
        self._reader = reader
        self._account = account
        self._watched = watched

    async def _read(self, before: Estate) -> Estate:
        now = await self._watched.look()
        return await estates.look(self._reader, self._account, now, before)


@dataclass(frozen=True, slots=True)
class _Part:
    """What an account may look up of one other's. It holds on to what it was taken from."""

    sharer: Sharer
    watched: WatchedEstate
    estate: Estate
    others: Mapping[int, Other]


@dataclass(frozen=True, slots=True)
class Others:
    """Others' mailboxes that an account may look up, by id, and the modseqs of the accounts that share them
    with it. ``others`` is the same object in the next one as long as nothing in it changed."""

    others: Mapping[int, Other] = field(default_factory=dict)
    modseqs: Mapping[int, int] = field(default_factory=dict)
    parts: Mapping[int, _Part] = field(default_factory=dict)


class WatchedOthers(_Looked[Others]):
    """Others' mailboxes that an account may look up."""

    __slots__ = ("_account", "_all", "_reader")

    def __init__(self, reader: Reader, account: int, watched: "AllWatched") -> None:
        super().__init__(Others())
        self._reader = reader
        self._account = account
        self._all = watched

    async def _read(self, before: Others) -> Others:
        parts: dict[int, _Part] = {}
        for sharer in await sharers.sharing(self._reader, self._account):
            part = before.parts.get(sharer.account)
            known = part.estate.snapshot.modseq if part is not None else 0
            if part is None or part.sharer != sharer or known != sharer.modseq:
                part = await self._part(sharer, part)
            parts[sharer.account] = part
        modseqs = {account: part.estate.snapshot.modseq for account, part in parts.items()}
        others = before.others
        if parts.keys() != before.parts.keys() or any(
            part.others is not before.parts[account].others for account, part in parts.items()
        ):
            others = {}
            for part in parts.values():
                others.update(part.others)
        return Others(others, modseqs, parts)

    async def _part(self, sharer: Sharer, before: _Part | None) -> _Part:
        watched = before.watched if before is not None else self._all.estate(sharer.account)
        estate = await watched.look()
        if before is not None and _same_names(sharer, estate, before):
            others = _counted(estate, before.others)
        else:
            known = before.others if before is not None else {}
            others = await self._named(sharer, estate, known)
        return _Part(sharer, watched, estate, others)

    async def _named(
        self, sharer: Sharer, estate: Estate, before: Mapping[int, Other]
    ) -> Mapping[int, Other]:
        found: dict[int, Other] = {}
        for at, (mailbox, box) in enumerate(estate.snapshot.boxes.items(), 1):
            letters = estate.letters(self._account, mailbox)
            if "l" in letters:
                name = names.full(sharer, estate.paths[mailbox])
                found[mailbox] = Other(name, box, "r" in letters)
            if not at % AT_ONCE:
                await asyncio.sleep(0)
        return found if found != before else before


def _same_names(sharer: Sharer, estate: Estate, before: _Part) -> bool:
    """Whether nothing changed but what is in the mailboxes."""
    known = before.estate
    return sharer == before.sharer and estate.lists is known.lists and estate.paths is known.paths


def _counted(estate: Estate, before: Mapping[int, Other]) -> Mapping[int, Other]:
    """The same mailboxes with what is in them now."""
    boxes = estate.snapshot.boxes
    changed = {
        mailbox: Other(other.name, boxes[mailbox], other.readable)
        for mailbox, other in before.items()
        if boxes[mailbox] is not other.box
    }
    return {**before, **changed} if changed else before


class WatchedNotes:
    """Entries of METADATA that an account sees, its own and others'; read where an account changed."""

    __slots__ = ("__weakref__", "_account", "_known", "_lock", "_notes", "_reader")

    def __init__(self, reader: Reader, account: int) -> None:
        self._reader = reader
        self._account = account
        self._known: dict[int, int] = {}
        self._notes: dict[Note, int] = {}
        self._lock = asyncio.Lock()

    async def look(self, modseqs: Mapping[int, int]) -> Mapping[Note, int]:
        """Those in these accounts, which are at these modseqs at least: entry to the modseq of its last
        change."""
        async with self._lock:
            stale = [a for a, modseq in modseqs.items() if self._known.get(a) != modseq]
            if stale or self._known.keys() != modseqs.keys():
                read = await changes.notes(self._reader, self._account, stale) if stale else {}
                kept = modseqs.keys() - set(stale)
                notes = {
                    note: modseq
                    for note, modseq in self._notes.items()
                    if (account_of(note[0]) or self._account) in kept
                }
                notes.update(read)
                self._known = dict(modseqs)
                if notes != self._notes:
                    self._notes = notes
            return self._notes


class AllWatched:
    """All that sessions of a worker watch, by account; what none watches any more is forgotten."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._own: WeakValueDictionary[int, Watched] = WeakValueDictionary()
        self._estates: WeakValueDictionary[int, WatchedEstate] = WeakValueDictionary()
        self._others: WeakValueDictionary[int, WatchedOthers] = WeakValueDictionary()
        self._notes: WeakValueDictionary[int, WatchedNotes] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._own) + len(self._estates) + len(self._others) + len(self._notes)

    def own(self, account: int) -> Watched:
        """An account's mailboxes."""
        found = self._own.get(account)
        if found is None:
            found = self._own[account] = Watched(self._reader, account)
        return found

    def estate(self, account: int) -> WatchedEstate:
        """An account's mailboxes with the rights of others on them."""
        found = self._estates.get(account)
        if found is None:
            found = WatchedEstate(self._reader, account, self.own(account))
            self._estates[account] = found
        return found

    def others(self, account: int) -> WatchedOthers:
        """What is shared with an account."""
        found = self._others.get(account)
        if found is None:
            found = self._others[account] = WatchedOthers(self._reader, account, self)
        return found

    def notes(self, account: int) -> WatchedNotes:
        """Entries of METADATA that an account sees."""
        found = self._notes.get(account)
        if found is None:
            found = self._notes[account] = WatchedNotes(self._reader, account)
        return found
