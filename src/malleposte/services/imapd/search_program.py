"""Evaluating a search program over a mailbox, the cheapest keys first (RFC 9051 §6.4.4).

Messages are positions in a snapshot of the view. Each kind of key has a cost: what the view knows,
what a column tells, what only the content tells. AND runs its keys in that order on what is left; OR
on what no key has matched yet. Work goes in slices, with pauses, so that the loop is never held.
"""

from collections.abc import Awaitable, Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from malleposte.services.imapd import search_columns, search_headers, search_text
from malleposte.services.imapd.opened import Opened
from malleposte.services.imapd.replies import Refuse
from malleposte.services.imapd.search_headers import Test, over_content
from malleposte.store import flags as store_flags
from malleposte.wire.imap import codes
from malleposte.wire.imap.commands import search_keys as keys
from malleposte.wire.imap.commands.search_keys import SearchKey
from malleposte.wire.imap.flags import DELETED
from malleposte.wire.imap.sets import MessageSet, NumberSet, SavedResult

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

Positions = Sequence[int]
"""Ascending."""

CHUNK: Final = 20_000
"""Messages whose flags are compared at a time: some 2 ms."""


class Cost(IntEnum):
    """What a key must read."""

    VIEW = 0
    COLUMN = 1
    CONTENT = 2


class Evaluation:
    """A snapshot of what the client knows of the mailbox, and the keys evaluated on it."""

    __slots__ = (
        "_held",
        "_kinds",
        "account",
        "emails",
        "flagsets",
        "modseqs",
        "saved",
        "seqs",
        "session",
        "sets",
        "uids",
    )

    def __init__(self, session: "Session") -> None:
        selected = session.mailbox
        view, known = selected.view, selected.known
        self.session = session
        self.account = view.account
        self.uids = view.uids[:known]
        self.emails = view.emails[:known]
        self.sets = view.sets[:known]
        self.modseqs = view.modseqs[:known]
        self.flagsets = view.flagsets
        self.seqs = selected.seqs(self.uids)
        self.saved = selected.saved
        self._kinds: dict[int, Kind] = {}
        self._held: list[SearchKey] = []  # keys made here must live as long as their ids count

    def __len__(self) -> int:
        return len(self.uids)

    async def run(self, key: SearchKey, among: Positions) -> Positions:
        """Those of the positions that match."""
        if not among:
            return among
        if self._kind(key).content_only:
            return await over_content(self, among, _content_test(key))
        if isinstance(key, keys.And):
            for part in self._ordered(key):
                among = await self.run(part, among)
            return among
        if isinstance(key, keys.Not):
            hits = set(await self.run(key.key, among))
            return [at for at in among if at not in hits]
        if isinstance(key, keys.Or):
            found: set[int] = set()
            rest = among
            for part in self._ordered(key):
                found.update(await self.run(part, rest))
                rest = [at for at in rest if at not in found]
            return sorted(found)
        return await _LEAVES[type(key)](self, key, among)

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


def _content_test(key: SearchKey) -> Test:
    """The test of an opened email for a key that reads nothing but content."""
    if isinstance(key, keys.And):
        return _all_of([_content_test(part) for part in key.keys])
    if isinstance(key, keys.Or):
        return _any_of([_content_test(part) for part in key.keys])
    if isinstance(key, keys.Not):
        return _none_of(_content_test(key.key))
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


async def _nothing(run: Evaluation, key: SearchKey, among: Positions) -> Positions:
    """RECENT: nothing is (RFC 9051 App. E); SAVEDATE comes with its extension."""
    return []


async def _has_flag(run: Evaluation, key: keys.HasFlag, among: Positions) -> Positions:
    wanted = _flag_sets(run, key)
    sets = run.sets
    if not wanted:
        return []
    found: list[int] = []
    for start in range(0, len(among), CHUNK):
        found += [at for at in among[start : start + CHUNK] if sets[at] in wanted]
        await run.session.pause()
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


def _resolved(run: Evaluation, messages: MessageSet, highest: int) -> NumberSet:
    if isinstance(messages, SavedResult):
        return run.saved or NumberSet()
    return messages.resolve(highest)


async def _numbers(run: Evaluation, key: keys.Numbers, among: Positions) -> Positions:
    if isinstance(key.messages, SavedResult):
        return _cut(run.saved or NumberSet(), run.uids, among)
    if key.messages.beyond(run.session.mailbox.exists) and not key.messages.tail:
        raise Refuse("There is no message of such a number", codes.CLIENTBUG, bad=True)
    return _cut(key.messages.resolve(run.session.mailbox.exists), run.seqs, among)


async def _uids(run: Evaluation, key: keys.Uids, among: Positions) -> Positions:
    return _cut(_resolved(run, key.messages, run.uids[-1]), run.uids, among)


def _cut(wanted: NumberSet, numbers: Sequence[int], among: Positions) -> Positions:
    """Positions whose number is wanted."""
    ranges = [range(start, stop) for start, stop in wanted.slices(numbers)]
    if len(among) == len(numbers):
        return ranges[0] if len(ranges) == 1 else [at for part in ranges for at in part]
    inside = {at for part in ranges for at in part}
    return [at for at in among if at in inside]


async def _modseq(run: Evaluation, key: keys.ModSeq, among: Positions) -> Positions:
    modseqs, least = run.modseqs, key.modseq
    return [at for at in among if modseqs[at] >= least]


Leaf = Callable[[Evaluation, Any, Positions], Awaitable[Positions]]

_LEAVES: Final[dict[type[SearchKey], Leaf]] = {
    keys.Everything: _everything,
    keys.HasFlag: _has_flag,
    keys.IsRecent: _nothing,
    keys.Numbers: _numbers,
    keys.Uids: _uids,
    keys.ModSeq: _modseq,
    keys.SavedDate: _nothing,
    keys.SaveDateSupported: _nothing,
    **search_columns.LEAVES,
}
"""What evaluates each key that holds no other; an extension adds a line."""

_CONTENT: Final[dict[type[SearchKey], Callable[[Any], Test]]] = {
    keys.Header: search_headers.header_test,
    keys.BodyText: search_text.body_test,
    keys.AnyText: search_text.text_test,
}
"""What tests the content of one message."""
