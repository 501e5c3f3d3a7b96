"""Evaluating a search program over a mailbox, the cheapest keys first (RFC 9051 §6.4.4).

Messages are positions in a snapshot of the view. Each kind of key has a cost: what the view knows,
what a column tells, what only the content tells. AND runs its keys in that order on what is left; OR
on what no key has matched yet. Work goes in slices, with pauses, so that the loop is never held.
"""

import time
from array import array
from collections.abc import Awaitable, Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from malleposte.services.imapd import search_columns, search_content
from malleposte.services.imapd.recency import RecentUids
from malleposte.services.imapd.search_content import Test, over_content
from malleposte.store import flags as store_flags
from malleposte.store.opened import Opened
from malleposte.wire.imap import codes, responses
from malleposte.wire.imap.commands import search_keys as keys
from malleposte.wire.imap.commands.search_keys import SearchKey
from malleposte.wire.imap.flags import DELETED
from malleposte.wire.imap.sets import NumberSet, SavedResult

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

Positions = Sequence[int]
"""Ascending."""

CHUNK: Final = 10_000
"""Positions looked at at a time: some 1 ms."""


class Cost(IntEnum):
    """What a key must read."""

    VIEW = 0
    COLUMN = 1
    CONTENT = 2


class Evaluation:
    """A snapshot of what the client knows of the mailbox, and the keys evaluated on it.

    The client's sequence numbers hold while its command runs: no EXPUNGE is told before its end.
    """

    __slots__ = (
        "_goal",
        "_held",
        "_kinds",
        "_notice",
        "account",
        "emails",
        "flagsets",
        "mailbox",
        "modseqs",
        "saved",
        "seqs",
        "session",
        "sets",
        "tag",
        "uids",
    )

    def __init__(self, session: "Session", tag: bytes) -> None:
        selected = session.mailbox
        view, known = selected.view, selected.known
        self.session = session
        self.tag = tag
        self.account, self.mailbox = view.account, view.mailbox
        self.uids = view.uids[:known]
        self.emails = view.emails[:known]
        self.sets = view.sets_of(range(known))
        self.modseqs = view.modseqs_of(range(known))
        self.flagsets = view.flagsets
        self.seqs = selected.seqs(self.uids)
        self.saved = selected.saved
        self._kinds: dict[int, Kind] = {}
        self._held: list[SearchKey] = []  # keys made here must live as long as their ids count
        self._goal = 0
        self._notice = time.monotonic()

    def __len__(self) -> int:
        return len(self.uids)

    # Telling --------------------------------------------------------------------------------------

    def number(self, at: int, *, uid: bool) -> int:
        """The UID or the sequence number of a position."""
        return self.uids[at] if uid else self.seqs[at]

    async def numbers(self, hits: Sequence[int], *, uid: bool) -> "array[int]":
        """The same of positions, in their order."""
        column: Sequence[int] = self.uids if uid else self.seqs
        if isinstance(hits, range):
            return array("I", column[hits.start : hits.stop])
        found = array("I")
        for start in range(0, len(hits), CHUNK):
            found.extend([column[at] for at in hits[start : start + CHUNK]])
            await self.pause()
        return found

    async def highest_modseq(self, hits: Sequence[int]) -> int:
        """The highest modseq of positions, of which there is one at least (RFC 7162 §3.1.5)."""
        modseqs, highest = self.modseqs, 0
        for start in range(0, len(hits), CHUNK):
            highest = max(highest, *[modseqs[at] for at in hits[start : start + CHUNK]])
            await self.pause()
        return highest

    async def pause(self, done: int = 0, goal: int = 0) -> None:
        """Let others run where it is time; between responses only. The client hears how far a long
        command has come, ``done`` of ``goal`` messages (RFC 9585)."""
        await self.session.pause()
        now = time.monotonic()
        if now - self._notice < self.session.service.settings.waiting_notice:
            return
        self._notice = now
        self._goal = self._goal or goal
        # What is told never goes back: a second reading of messages is told without numbers.
        known = goal > 0 and goal == self._goal
        code = codes.in_progress(self.tag, done, goal) if known else codes.in_progress(self.tag)
        self.session.send(responses.ok(responses.UNTAGGED, "Still searching", code))
        self.session.flush()

    # Evaluating -----------------------------------------------------------------------------------

    async def run(self, key: SearchKey, among: Positions) -> Positions:
        """Those of the positions that match."""
        if not among:
            return among
        if self._kind(key).content_only:
            return await over_content(self, among, await _content_test(self, key))
        if isinstance(key, keys.And):
            for part in self._ordered(key):
                among = await self.run(part, among)
            return among
        if isinstance(key, keys.Not):
            return await self._without(among, await self._mark(await self.run(key.key, among)))
        if isinstance(key, keys.Or):
            marks = bytearray(len(self))
            rest = among
            for part in self._ordered(key):
                marks = await self._mark(await self.run(part, rest), marks)
                rest = await self._without(rest, marks)
            return await self.marked(among, marks)
        return await _LEAVES[type(key)](self, key, among)

    async def _mark(self, hits: Positions, marks: bytearray | None = None) -> bytearray:
        """A 1 for each position of the hits."""
        if marks is None:
            marks = bytearray(len(self))
        if isinstance(hits, range):
            marks[hits.start : hits.stop] = b"\1" * len(hits)
            return marks
        for start in range(0, len(hits), CHUNK):
            for at in hits[start : start + CHUNK]:
                marks[at] = 1
            await self.pause()
        return marks

    async def marked(self, among: Positions, marks: bytearray) -> list[int]:
        found: list[int] = []
        for start in range(0, len(among), CHUNK):
            found += [at for at in among[start : start + CHUNK] if marks[at]]
            await self.pause()
        return found

    async def _without(self, among: Positions, marks: bytearray) -> list[int]:
        found: list[int] = []
        for start in range(0, len(among), CHUNK):
            found += [at for at in among[start : start + CHUNK] if not marks[at]]
            await self.pause()
        return found

    def _ordered(self, key: keys.And | keys.Or) -> list[SearchKey]:
        """The keys to run one after the other: the cheapest first, and those that read nothing but
        content as one, so that a message is read once for all of them."""
        together = [part for part in key.keys if self._kind(part).content_only]
        others = [part for part in key.keys if not self._kind(part).content_only]
        others.sort(key=lambda part: self._kind(part).cost)
        if len(together) > 1:
            together = [type(key)(tuple(together))]
        plain = [part for part in others if self._kind(part).cost < Cost.CONTENT]
        return [*plain, *together, *others[len(plain) :]]

    def _kind(self, key: SearchKey) -> "Kind":
        """What a key must read; asked once for each."""
        known = self._kinds.get(id(key))
        if known is None:
            if isinstance(key, keys.And | keys.Or):
                parts = [self._kind(part) for part in key.keys]
                known = Kind(
                    max(part.cost for part in parts), all(part.content_only for part in parts)
                )
            elif isinstance(key, keys.Not):
                known = self._kind(key.key)
            else:
                cost = cost_of(key)
                known = Kind(cost, cost is Cost.CONTENT)
            self._kinds[id(key)] = known
            self._held.append(key)
        return known


class Kind(NamedTuple):
    """What a key must read at most, and whether it reads nothing else."""

    cost: Cost
    content_only: bool


def cost_of(key: SearchKey) -> Cost:
    """What a key that holds no other must read."""
    if type(key) in _CONTENT:
        column = isinstance(key, keys.Header) and search_columns.has_column(key)
        return Cost.COLUMN if column else Cost.CONTENT
    return Cost.COLUMN if type(key) in search_columns.LEAVES else Cost.VIEW


def content_keys(key: SearchKey) -> int:
    """How many keys read content."""
    if isinstance(key, keys.And | keys.Or):
        return sum(map(content_keys, key.keys))
    if isinstance(key, keys.Not):
        return content_keys(key.key)
    return int(cost_of(key) is Cost.CONTENT)


async def _content_test(run: Evaluation, key: SearchKey) -> Test:
    """The test of an opened email for a key that reads nothing but content."""
    if isinstance(key, keys.And):
        return _all_of([await _content_test(run, part) for part in key.keys])
    if isinstance(key, keys.Or):
        return _any_of([await _content_test(run, part) for part in key.keys])
    if isinstance(key, keys.Not):
        return _none_of(await _content_test(run, key.key))
    await run.pause()  # making a text comparable takes up to 3 ms
    return _CONTENT[type(key)](key)


def _all_of(tests: list[Test]) -> Test:
    async def matches(opened: Opened) -> bool:
        for test in tests:
            if not await test(opened):
                return False
        return True

    return matches


def _any_of(tests: list[Test]) -> Test:
    async def matches(opened: Opened) -> bool:
        for test in tests:
            if await test(opened):
                return True
        return False

    return matches


def _none_of(test: Test) -> Test:
    async def matches(opened: Opened) -> bool:
        return not await test(opened)

    return matches


# What the view knows ------------------------------------------------------------------------------


async def _everything(run: Evaluation, key: keys.Everything, among: Positions) -> Positions:
    return among


async def _recent(run: Evaluation, key: keys.IsRecent, among: Positions) -> Positions:
    """What the session was the first to hear of; in rev2 nothing (RFC 9051 App. E)."""
    recent = run.session.mailbox.recent
    return [] if recent is None else await _cut(run, recent, run.uids, among)


async def _has_flag(run: Evaluation, key: keys.HasFlag, among: Positions) -> Positions:
    wanted = _flag_sets(run, key)
    sets = run.sets
    if not wanted:
        return []
    found: list[int] = []
    for start in range(0, len(among), CHUNK):
        found += [at for at in among[start : start + CHUNK] if sets[at] in wanted]
        await run.pause()
    return found


def _flag_sets(run: Evaluation, key: keys.HasFlag) -> set[int]:
    """Which of the mailbox's flag sets hold the flag."""
    if key.flag == DELETED:
        return {n for n, (_, _, deleted) in enumerate(run.flagsets) if deleted}
    bits, words = store_flags.split([key.flag])
    if bits:
        return {n for n, (flags, _, _) in enumerate(run.flagsets) if flags & bits}
    (word,) = words
    return {n for n, (_, kept, _) in enumerate(run.flagsets) if kept and word in kept.split(" ")}


async def _numbers(run: Evaluation, key: keys.Numbers, among: Positions) -> Positions:
    """Numbers past the last message match nothing: a client may count one that is gone (Dovecot and
    others answer OK here too)."""
    if isinstance(key.messages, SavedResult):
        return await _cut(run, run.saved or NumberSet(), run.uids, among)
    return await _cut(run, key.messages.resolve(run.session.mailbox.exists), run.seqs, among)


async def _uids(run: Evaluation, key: keys.Uids, among: Positions) -> Positions:
    messages = key.messages
    if isinstance(messages, SavedResult):
        wanted = run.saved or NumberSet()
    else:
        wanted = messages.resolve(run.uids[-1])
    return await _cut(run, wanted, run.uids, among)


async def _cut(
    run: Evaluation, wanted: NumberSet | RecentUids, numbers: Sequence[int], among: Positions
) -> Positions:
    """Positions whose number is wanted."""
    cuts = list(wanted.slices(numbers))
    if len(among) == len(numbers) and len(cuts) == 1:
        return range(*cuts[0])
    marks = bytearray(len(numbers))
    for start, stop in cuts:
        marks[start:stop] = b"\1" * (stop - start)
    return await run.marked(among, marks)


async def _modseq(run: Evaluation, key: keys.ModSeq, among: Positions) -> Positions:
    modseqs, least = run.modseqs, key.modseq
    found: list[int] = []
    for start in range(0, len(among), CHUNK):
        found += [at for at in among[start : start + CHUNK] if modseqs[at] >= least]
        await run.pause()
    return found


Leaf = Callable[[Evaluation, Any, Positions], Awaitable[Positions]]

_LEAVES: Final[dict[type[SearchKey], Leaf]] = {
    keys.Everything: _everything,
    keys.HasFlag: _has_flag,
    keys.IsRecent: _recent,
    keys.Numbers: _numbers,
    keys.Uids: _uids,
    keys.ModSeq: _modseq,
    keys.SaveDateSupported: _everything,
    **search_columns.LEAVES,
}
"""What evaluates each key that holds no other; an extension adds a line."""

_CONTENT: Final[dict[type[SearchKey], Callable[[Any], Test]]] = {
    keys.Header: search_content.header_test,
    keys.BodyText: search_content.body_test,
    keys.AnyText: search_content.text_test,
}
"""What tests the content of one message."""
