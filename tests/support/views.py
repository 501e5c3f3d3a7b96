"""Open views of a shared mailbox, and what they tell."""

from dataclasses import dataclass, field

from malleposte.store.flags import SEEN
from malleposte.store.view import View
from support.store import House, inbox

Told = tuple[list[int], list[int], bool]


@dataclass(eq=False)
class Watcher:
    """Writes down what it is told."""

    told: list[Told] = field(default_factory=list)

    def view_changed(
        self, expunged: list[tuple[int, int]], flagged: list[int], grown: bool
    ) -> None:
        self.told.append(([uid for uid, _ in expunged], sorted(flagged), grown))

    def view_gone(self) -> None:
        raise AssertionError("it is there")


@dataclass
class Eyes:
    """Somebody's open view of an INBOX."""

    view: View
    watcher: Watcher

    async def news(self) -> list[Told]:
        """What the view told since the last time, when it is brought up to date; some of it perhaps when
        another's was, for they share what is brought up to date."""
        await self.view.refresh()
        told = list(self.watcher.told)
        self.watcher.told.clear()
        return told

    @property
    def seen(self) -> list[bool]:
        return [bool(self.view.flags_at(at)[0] & SEEN) for at in range(len(self.view))]


async def look(house: House, box: int, who: int = 0) -> Eyes:
    view = await house.store.views.open(box, who)
    watcher = Watcher()
    view.watchers.add(watcher)
    return Eyes(view, watcher)


async def shared(house: House, messages: int = 3) -> tuple[int, int, int]:
    """A shared INBOX with messages, and two readers."""
    owner, one, two = [await house.account() for _ in range(3)]
    await house.fill(owner, messages)
    for reader in (one, two):
        await house.grant(inbox(owner), reader, "lrswite")
    return inbox(owner), one, two
