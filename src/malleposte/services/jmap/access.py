"""What who asks may see of an account: everything of his own, of another's what its lists of rights say.

States in another's account carry a mark of the rights they were told under: where those are others now,
what is seen is so too, and nothing that changed tells of it. A mailbox that was made since under the same
lists changes nothing for what was told before, and is left out of the mark of then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.states import UNKNOWN, point_of, state_of
from malleposte.store import Store
from malleposte.store.ids import account_number
from malleposte.store.read import rights
from malleposte.store.read.change_log import Changes, Point
from malleposte.store.read.rights import ALL, Held

_MASK: Final = (1 << 64) - 1
_BETWEEN: Final = "."
_READING: Final = frozenset("lrp")
_FAR: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Access:
    """``held``: rights by mailbox of an account that is another's; None: it is the asking one's own."""

    account: int
    actor: int
    held: Mapping[int, Held] | None = None
    mailboxes: tuple[int, ...] | None = field(init=False)
    """Those in which messages may be read; None: all."""
    listed: frozenset[int] | None = field(init=False)
    """Those that are there to him; None: all."""

    def __post_init__(self) -> None:
        read = listed = None
        if self.held is not None:
            listed = frozenset(box for box, one in self.held.items() if "l" in one.letters)
            read = tuple(sorted(box for box in listed if "r" in self.held[box].letters))
        object.__setattr__(self, "mailboxes", read)
        object.__setattr__(self, "listed", listed)

    @property
    def reader(self) -> int:
        """As the store's reads have it: 0 for the owner."""
        return 0 if self.held is None else self.actor

    @property
    def read_only(self) -> bool:
        """Whether there is no mailbox in which he may do more than read."""
        if self.held is None:
            return False
        return all(_READING.issuperset(one.letters) for one in self.held.values())

    def letters(self, mailbox: int) -> str:
        """What he may do in a mailbox (RFC 4314)."""
        if self.held is None:
            return ALL
        one = self.held.get(mailbox)
        return "" if one is None else one.letters

    def lists(self, mailbox: int) -> bool:
        """Whether a mailbox of the account is there to him."""
        return self.listed is None or mailbox in self.listed

    # States ---------------------------------------------------------------------------------------

    def state(self, modseq: int, *, boxes: bool = False, subscribed: Iterable[int] = ()) -> str:
        """The state of emails and threads, or of mailboxes."""
        return self._marked(str(modseq), self._mark(boxes, subscribed, _FAR))

    def since(
        self, state: str, *, boxes: bool = False, subscribed: Iterable[int] = ()
    ) -> tuple[Point, str]:
        """The point of a state, and its mark. Raises ``MethodError`` where what is seen became other."""
        text, _, mark = state.partition(_BETWEEN)
        point = point_of(text, self.account)
        if mark != self._mark(boxes, subscribed, point.known):
            raise MethodError(UNKNOWN)
        return point, mark

    def after(
        self, found: Changes, mark: str, *, boxes: bool = False, subscribed: Iterable[int] = ()
    ) -> str:
        """The state after changes that were told; ``mark``: that of before, for those half way."""
        if not found.more:
            mark = self._mark(boxes, subscribed, _FAR)
        return self._marked(state_of(found.point), mark)

    def _marked(self, text: str, mark: str) -> str:
        return f"{text}{_BETWEEN}{mark}" if mark else text

    def _mark(self, boxes: bool, subscribed: Iterable[int], upto: int) -> str:
        if self.held is None:
            return ""
        total = 0
        for mailbox, (letters, created) in self.held.items():
            if created > upto or not {"l"} <= set(letters):
                continue
            if boxes:
                total += _digest(f"{mailbox} {letters}")
            elif "r" in letters:
                total += _digest(str(mailbox))
        for mailbox in subscribed:
            total += _digest(f"+{mailbox}")
        return f"{total & _MASK:x}"


async def access_to(store: Store, actor: int, account: str) -> Access:
    """What an actor may in an account, by its id. Raises ``MethodError``: it is not there to him."""
    number = account_number(account)
    if number == actor:
        return Access(actor, actor)
    found = Access(
        number, actor, await rights.holding(store.reader, actor, number) if number else {}
    )
    if not found.listed:
        raise MethodError("accountNotFound")
    return found


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
