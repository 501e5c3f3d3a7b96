r"""The names that LIST and LSUB speak of, a slice at a time, while the client reads.

First the account's own, then those of others below the names of their owners, at the end what is subscribed
to and is no mailbox (shown as ``\NonExistent``). Which names there are is looked at when an account's turn
comes (``outline``); what of them is there still is read slice by slice, each as it is then. A mailbox that
is renamed meanwhile is listed once, under its old name or its new one.
"""

from array import array
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from malleposte.directory.sharing import owner_shown, root_of
from malleposte.services.imapd import names, outline
from malleposte.services.imapd.known_names import KnownNames
from malleposte.services.imapd.outline import ABOVE, CHILDREN, LEVEL, STANDS, Choice
from malleposte.services.imapd.special_use import ATTRIBUTES
from malleposte.store.execute.mailboxes import MAX_DEPTH
from malleposte.store.ids import LOW, account_of
from malleposte.store.read import mailboxes, outlines, sharers
from malleposte.store.read.mailboxes import Mailbox
from malleposte.store.read.rights import ALL
from malleposte.store.read.sharers import Sharer
from malleposte.store.unread import as_read
from malleposte.wire.imap.mailbox_names import INBOX

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

AT_ONCE: Final = 100
"""Names of a slice: some 1.2 kB each."""
DEEPEST: Final = MAX_DEPTH + 2
"""Levels of a subscribed name above which nothing is shown for its sake: no mailbox has more."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A name to list: a mailbox, or a subscription to none (``box`` is None).

    ``letters``: the session's rights on it. ``level``: it only stands above mailboxes of others.
    ``above``: a chosen name stands below it; ``stands``: and one that no pattern matches.
    """

    name: str
    box: Mailbox | None
    subscribed: bool
    special_use: bytes | None
    children: bool
    letters: str = ALL
    level: bool = False
    above: bool = False
    stands: bool = False


class _Subscribed:
    """Names of the account's list of subscriptions, and what stands above them if they are chosen."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self.names = KnownNames()
        self.above = KnownNames()
        self.standing = KnownNames()

    async def read(self, choice: Choice | None) -> None:
        chosen = choice if choice is not None and choice.chooses(True, None) else None
        before: set[str] = set()
        async for name in self.each():
            self.names.add(name)
            if chosen is None:
                continue
            above = _above(name)
            stands = not chosen.matches(name)
            for one in above:
                if one not in before:
                    self.above.add(one)
                if stands:
                    self.standing.add(one)
            before = set(above)
        for known in (self.names, self.above, self.standing):
            known.settle()

    async def each(self) -> AsyncIterator[str]:
        """All names of the list as it is now."""
        reader, after = self._session.service.store.reader, ""
        while True:
            some = await self._session.reading(
                mailboxes.some_subscriptions(reader, self._session.actor, after)
            )
            for name in some:
                await self._session.give_way()
                yield name
            if len(some) < mailboxes.SUBSCRIPTIONS:
                return
            after = some[-1]


def _above(name: str) -> list[str]:
    """Names above one, the topmost first."""
    levels = name.split(names.SEPARATOR)
    if len(levels) > DEEPEST:
        return []
    return [names.SEPARATOR.join(levels[:n]) for n in range(1, len(levels))]


class Names:
    """What one command lists. ``matches``: names that it may show; ``gone``: also those that no mailbox
    has; ``unseen``: count what the session has not read; ``choice`` as in ``outline``."""

    def __init__(
        self,
        session: "Session",
        matches: Callable[[str], bool],
        *,
        gone: bool,
        unseen: bool = False,
        choice: Choice | None = None,
    ) -> None:
        self._session = session
        self._reader = session.service.store.reader
        self._matches = matches
        self._gone = gone
        self._unseen = unseen
        self._choice = choice
        self._subscribed = _Subscribed(session)
        self._alike: dict[str, int] = {}
        """The account's own mailboxes under names such as others' have: they come first."""
        self._over: set[str] = set()
        """Those of them that stand above others'."""

    async def slices(self) -> AsyncGenerator[list[Entry], None]:
        """All of them."""
        session = self._session
        owners = await self._owners()
        if self._gone or owners:
            await self._subscribed.read(self._choice)
        own, self._alike = await outline.own(session, self._pick, self._choice)
        for few in own.slices(AT_ONCE):
            yield await self._own(few)
        del own
        for root, accounts in owners.items():
            async for some in self._of_others(root, accounts):
                yield some
        ends = [path for path, mailbox in self._alike.items() if mailbox and self._pick(path)]
        for at in range(0, len(ends), AT_ONCE):
            some_ends = ends[at : at + AT_ONCE]
            yield await self._own(
                [(self._alike[e], CHILDREN if e in self._over else 0, ALL) for e in some_ends]
            )
        if self._gone:
            async for some in self._of_none():
                yield some

    def _pick(self, name: str) -> bool:
        """Whether a name is to be read; it is no name of nothing then."""
        self._subscribed.names.meet(name)
        self._subscribed.above.meet(name)
        return self._matches(name)

    def _pick_others(self, name: str) -> bool:
        """The same for a name of others, which one of the account's own may have."""
        if self._alike:
            self._over.update(above for above in _above(name) if above in self._alike)
            if name in self._alike:
                return False
        return self._pick(name)

    def _entry(self, name: str, box: Mailbox | None, marks: int, letters: str) -> Entry:
        known = self._subscribed
        level = bool(marks & LEVEL)
        own = box is not None and account_of(box.id) == self._session.actor
        return Entry(
            name,
            None if level else box,
            box.subscribed if own and box else name in known.names,
            # Not of others': a program would take another's Sent for its own.
            ATTRIBUTES.get(box.role or "") if own and box else None,
            bool(marks & CHILDREN),
            letters,
            level,
            bool(marks & ABOVE) or name in known.above,
            bool(marks & STANDS) or name in known.standing,
        )

    async def _own(self, few: list[tuple[int, int, str]]) -> list[Entry]:
        session = self._session
        boxes = await session.reading(outlines.whole(self._reader, [one for one, *_ in few]))
        return [
            self._entry(boxes[one].path, boxes[one], marks, letters)
            for one, marks, letters in few
            if one in boxes and self._matches(boxes[one].path)
        ]

    async def _owners(self) -> "dict[str, array[int]]":
        """Accounts that share with the session, below each of the two names that stand above them."""
        reader, session = self._reader, self._session
        found: dict[str, list[tuple[str, int]]] = {root: [] for root in names.ROOTS}
        for one in await session.reading(sharers.sharing(reader, session.actor)):
            await session.give_way()
            shown = owner_shown(one.kind, one.address)
            found[root_of(one.kind)].append((shown, one.account))
        return {
            root: array("q", [account for _, account in sorted(some)])
            for root, some in found.items()
            if some
        }

    async def _of_others(self, root: str, accounts: "array[int]") -> AsyncIterator[list[Entry]]:
        """What is shared by accounts, below the name that stands above them all."""
        session, reader, told = self._session, self._reader, root in self._alike
        for at in range(0, len(accounts), outlines.TOGETHER):
            some = accounts[at : at + outlines.TOGETHER]
            sharing = await session.reading(sharers.some(reader, session.actor, some))
            for together in outlines.together(sharing):
                found = await outline.of_others(session, together, self._pick_others)
                if found.any and not told:
                    told = True
                    if self._pick(root):
                        yield [self._entry(root, None, CHILDREN | LEVEL, "")]
                owners = {one.account: one for one in together}
                for few in found.slices(AT_ONCE):
                    yield await self._theirs(few, owners)

    async def _theirs(
        self, few: list[tuple[int, int, str]], owners: dict[int, Sharer]
    ) -> list[Entry]:
        session = self._session
        real = [one for one, *_ in few if one & LOW]
        boxes = await session.reading(outlines.whole(self._reader, real))
        more: dict[int, int] = {}
        if self._unseen and boxes:
            accounts = {account_of(one) for one in boxes}
            unread = session.service.store.unread
            more = await session.reading(unread.differences(session.actor, accounts))
        entries: list[Entry] = []
        for one, marks, letters in few:
            box, sharer = boxes.get(one), owners[account_of(one)]
            if box is not None:
                name = names.full(sharer, box.path)
                box = as_read(box, more) if one in more else box
            elif not one & LOW:
                name = f"{names.full(sharer, INBOX)}{names.SEPARATOR}{INBOX}"
            else:
                continue
            if self._matches(name):
                entries.append(self._entry(name, box, marks, letters))
        return entries

    async def _of_none(self) -> AsyncIterator[list[Entry]]:
        """What is subscribed to and was not come by, each below what is shown for its sake."""
        known = self._subscribed
        entries: list[Entry] = []
        async for name in known.each():
            for above in _above(name) if len(known.above) else ():
                if known.above.left(above) and above not in known.names:
                    known.above.meet(above)
                    if not self._matches(above):
                        continue
                    stands = above in known.standing
                    entries.append(
                        Entry(above, None, False, None, False, above=True, stands=stands)
                    )
            if known.names.left(name) and self._matches(name):
                entries.append(self._entry(name, None, 0, ALL))
            if len(entries) >= AT_ONCE:
                yield entries
                entries = []
        yield entries
