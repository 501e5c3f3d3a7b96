"""How much of each route is in hand, and how much more it may have.

A few recipients of each route at first; one that gets through them has as many more as it does in some
seconds. So a hundred slow destinations hold little, and a quick one never waits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

FEW: Final = 20
"""Recipients of a route that is not known yet."""
SECONDS: Final = 10.0
"""So much of its work a route may have in hand."""
SIZES: Final = (20, 50, 100, 200, 500)


@dataclass(slots=True)
class _Route:
    held: int = 0
    more: bool = False
    """The last take was full: there may be more."""
    since: float = 0.0
    done: int = 0
    each: int = FEW
    guest: bool = False


class Hand:
    """See the module. ``ahead``: of one route; ``most``: of all. Routes of guests (``pool.Slots``) have
    half of it together."""

    def __init__(self, ahead: int, most: int) -> None:
        self._ahead = max(1, ahead)
        self._most = most
        self._held = 0
        self._routes: dict[str, _Route] = {}
        self._hungry: dict[str, None] = {}

    @property
    def few(self) -> int:
        """How many of a route that is not in hand."""
        return min(FEW, self._ahead)

    @property
    def room(self) -> int:
        """How many more may be taken."""
        return max(0, self._most - self._held)

    @property
    def held(self) -> int:
        """Recipients in hand."""
        return self._held

    def too_many(self, route: str) -> bool:
        """Whether guests have more than their half, and what came of this route is too much; if not, it is
        a guest's from now on."""
        known = self._routes.get(route)
        if known is None:
            return False
        held = sum(one.held for one in self._routes.values() if one.guest and one is not known)
        if held + known.held > self._most // 2:
            known.guest = False
            known.more = False
            self._hungry.pop(route, None)
            return True
        known.guest = True
        return False

    def known(self, route: str) -> None:
        """A route is no guest's."""
        if (found := self._routes.get(route)) is not None:
            found.guest = False

    @property
    def enough(self) -> tuple[str, ...]:
        """Routes of which there is enough in hand."""
        few = self.few
        return tuple(route for route, known in self._routes.items() if known.held >= few)

    @property
    def hungry_soon(self) -> bool:
        """Whether a route wants more."""
        return bool(self._hungry)

    def has_more(self, route: str) -> bool:
        """Whether the last take of a route was full."""
        known = self._routes.get(route)
        return known is not None and known.more

    def taken(
        self, counts: Mapping[str, int], each: int, now: float, *, asked: Iterable[str] = ()
    ) -> None:
        """So many recipients came into hand of each route, ``each`` at most; none of those that were
        asked for and are not among them."""
        for route in asked:
            if route not in counts and (known := self._routes.get(route)) is not None:
                known.more = False
                self._hungry.pop(route, None)
                if not known.held:
                    del self._routes[route]
        for route, count in counts.items():
            known = self._routes.setdefault(route, _Route())
            known.held += count
            known.more = count >= each
            known.since, known.done = now, 0
            self._held += count
            self._hungry.pop(route, None)

    def done(self, route: str) -> None:
        """A recipient is in hand no more."""
        known = self._routes.get(route)
        if known is None:
            return
        self._held -= 1
        known.held -= 1
        known.done += 1
        if known.more and known.held <= known.each // 2:
            self._hungry[route] = None
        elif known.held <= 0 and not known.more:
            del self._routes[route]

    def hungry(self, now: float) -> list[tuple[int, tuple[str, ...]]]:
        """Routes that may have more, by how much: (each, routes)."""
        found: dict[int, list[str]] = {}
        room = self.room
        for route in self._hungry:
            known = self._routes[route]
            wish = known.done / max(now - known.since, 0.001) * SECONDS
            each = max((size for size in SIZES if size <= wish), default=self.few)
            each = min(each, self._ahead)
            if each > room:
                break
            room -= each
            known.each = each
            found.setdefault(each, []).append(route)
        return [(each, tuple(routes)) for each, routes in sorted(found.items())]
