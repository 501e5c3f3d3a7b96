"""All names of an account, or of some that share with the session, in eleven octets each.

A list is made from it slice by slice while its client reads: what is in memory for a client that reads
slowly does not grow with the names there are. To be put in order they are in memory for a moment; no
client is waited for in it, and many such lists are made one after the other.

In an account of others all stands below its INBOX, which has the owner's name. A mailbox that the session
may not look up is a level if others below it may be: programs build trees from what they are told. So is
``…/INBOX``, a name of nothing, where mailboxes stand below INBOX.
"""

import contextlib
import heapq
import itertools
from array import array
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from malleposte.directory.sharing import owner_shown, under_root
from malleposte.services.imapd import names
from malleposte.services.imapd.special_use import ATTRIBUTES
from malleposte.store.dialect import Row
from malleposte.store.ids import LOW, account_of
from malleposte.store.read import outlines
from malleposte.store.read.mailboxes import Paths
from malleposte.store.read.outlines import inbox_of
from malleposte.store.read.rights import ALL, AT_ONCE, MAX_DEPTH, nearest
from malleposte.store.read.sharers import Sharer
from malleposte.wire.imap.mailbox_names import INBOX

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

CHILDREN: Final = 1
"""Names stand below it."""
LEVEL: Final = 2
"""It is no mailbox to the session, and only stands above some."""
ABOVE: Final = 4
"""A chosen name stands below it (RECURSIVEMATCH, RFC 5258 §3.5) …"""
STANDS: Final = 8
"""… and one of these matches no pattern, so that this name is shown for its sake."""

_RUN: Final = 1_000
"""Names put in order at once: some 1 ms."""
_LEVELS: Final = "\0"
"""Nothing in a name comes before it: names are in order as lists of their levels would be."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What stands above which names is to be known. ``chooses`` takes whether a name is subscribed to, and
    its special use; ``matches`` is whether a pattern matches."""

    chooses: Callable[[bool, bytes | None], bool]
    matches: Callable[[str], bool]


class Outline:
    """See the module. Ids in the order of their names; that of ``…/INBOX`` has no number."""

    __slots__ = ("_ids", "_letters", "_marks", "_texts", "any")

    def __init__(self, *, any_: bool = True) -> None:
        self.any = any_
        """Whether there is any name, picked or not."""
        self._ids = array("q")
        self._marks = bytearray()
        self._letters = array("H")
        self._texts: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, mailbox: int, marks: int, letters: str = ALL) -> None:
        """The next one."""
        self._ids.append(mailbox)
        self._marks.append(marks)
        self._letters.append(self._texts.setdefault(letters, len(self._texts)))

    def slices(self, size: int) -> Iterator[list[tuple[int, int, str]]]:
        """All of them: id, marks, letters."""
        texts = list(self._texts)
        for at in range(0, len(self._ids), size):
            end = at + size
            chosen = zip(self._ids[at:end], self._marks[at:end], self._letters[at:end], strict=True)
            yield [(mailbox, marks, texts[letters]) for mailbox, marks, letters in chosen]


async def own(
    session: "Session", pick: Callable[[str], bool], choice: Choice | None
) -> tuple[Outline, dict[str, int]]:
    """The session's own mailboxes whose names are picked; each name is asked for once.

    And all that have names such as others' have (which an import may have brought) by name: the id, if
    nothing of its own stands below it. These ends are not in the outline.
    """
    async with contextlib.AsyncExitStack() as stack:
        rows: list[Row] = []
        named: dict[int, tuple[int, str]] = {}
        while True:
            reader, last = session.service.store.reader, rows[-1][0] if rows else 0
            more = await session.reading(outlines.own(reader, session.actor, last))
            rows += more
            named.update((row[0], (row[1], row[2])) for row in more)
            await session.give_way()
            if len(more) < AT_ONCE:
                return await _own(session, rows, named, pick, choice)
            if last == 0:
                await stack.enter_async_context(session.service.turns.one_list)


async def _own(
    session: "Session",
    rows: list[Row],
    named: dict[int, tuple[int, str]],
    pick: Callable[[str], bool],
    choice: Choice | None,
) -> tuple[Outline, dict[str, int]]:
    paths = Paths(named)
    marks: dict[int, int] = {}
    keys: list[tuple[Any, ...]] = []
    for mailbox, parent, _, role, subscribed, order in rows:
        await session.give_way()
        marks[parent] = marks.get(parent, 0) | CHILDREN
        path = paths.of(mailbox)
        keys.append((order, path, mailbox))
        if choice is None or not choice.chooses(bool(subscribed), ATTRIBUTES.get(role or "")):
            continue
        above, at = ABOVE if choice.matches(path) else ABOVE | STANDS, parent
        for _ in range(MAX_DEPTH):
            if at not in named or marks.get(at, 0) & above == above:
                break
            marks[at] = marks.get(at, 0) | above
            at = named[at][0]
    found = Outline()
    alike: dict[str, int] = {}
    async for _, path, mailbox in _in_order(session, keys):
        mark = marks.get(mailbox, 0)
        if under_root(path):
            alike[path] = 0 if mark & CHILDREN else mailbox
            if not mark & CHILDREN:
                continue
        if pick(path):
            found.add(mailbox, mark)
    return found, alike


async def of_others(session: "Session", few: list[Sharer], pick: Callable[[str], bool]) -> Outline:
    """What the session may look up of accounts that are read together, and the levels above it, as far as
    the names are picked; each is asked for once."""
    async with contextlib.AsyncExitStack() as stack:
        if sum(sharer.reach for sharer in few) > AT_ONCE:
            await stack.enter_async_context(session.service.turns.one_list)
        named: dict[int, tuple[int, str]] = {}
        lists: dict[int, str] = {}
        last = 0
        while True:
            reader = session.service.store.reader
            more = await session.reading(outlines.of_others(reader, session.actor, few, last))
            for mailbox, parent, name, text in more:
                named[mailbox] = (parent, name)
                if text is not None:
                    lists[mailbox] = text
            await session.give_way()
            if len(few) > 1 or len(more) < AT_ONCE:
                return await _of_others(session, named, lists, few, pick)
            last = more[-1][0]


async def _of_others(
    session: "Session",
    named: dict[int, tuple[int, str]],
    lists: dict[int, str],
    few: list[Sharer],
    pick: Callable[[str], bool],
) -> Outline:
    paths = Paths(named)
    parents = {mailbox: parent for mailbox, (parent, _) in named.items()}
    await session.give_way()
    letters: dict[int, str] = {}
    marks: dict[int, int] = {}
    for mailbox in parents:
        await session.give_way()
        held = lists.get(nearest(mailbox, parents, lists), "")
        if "l" not in held:
            continue
        letters[mailbox] = held
        for above in _above(mailbox, parents):
            if marks.get(above, 0) & CHILDREN:
                break
            marks[above] = CHILDREN
    rank = {sharer.account: at for at, sharer in enumerate(few)}
    owners = [owner_shown(sharer.kind, sharer.address) for sharer in few]
    keys: list[tuple[Any, ...]] = []
    for mailbox in itertools.chain(letters, marks.keys() - letters.keys()):
        await session.give_way()
        path = INBOX if not mailbox & LOW else paths.of(mailbox)
        key = "" if mailbox == inbox_of(mailbox) else path.replace(names.SEPARATOR, _LEVELS)
        keys.append((rank[account_of(mailbox)], key, mailbox))
    found = Outline(any_=bool(keys))
    async for at, key, mailbox in _in_order(session, keys):
        path = key.replace(_LEVELS, names.SEPARATOR)
        if not pick(f"{owners[at]}{names.SEPARATOR}{path}" if path else owners[at]):
            continue
        mark = marks.get(mailbox, 0)
        found.add(mailbox, mark if mailbox in letters else mark | LEVEL, letters.get(mailbox, ""))
    return found


def _above(mailbox: int, parents: dict[int, int]) -> Iterable[int]:
    """What stands above a mailbox of another account in its name here, the nearest first."""
    inbox = inbox_of(mailbox)
    for _ in range(MAX_DEPTH):
        if mailbox == inbox:
            return
        if mailbox == inbox - 1:
            mailbox = inbox
        else:
            above = parents.get(mailbox, 0)
            mailbox = inbox - 1 if above == inbox else above or inbox
        yield mailbox


async def _in_order(
    session: "Session", keys: list[tuple[Any, ...]]
) -> AsyncIterator[tuple[Any, ...]]:
    runs: list[list[tuple[Any, ...]]] = []
    for at in range(0, len(keys), _RUN):
        runs.append(sorted(keys[at : at + _RUN]))
        await session.give_way()
    for key in heapq.merge(*runs):
        await session.give_way()
        yield key
