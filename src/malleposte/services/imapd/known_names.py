"""Names of which only the hash is kept, nine octets each, and which of them a list has come by.

Two names with one hash would hide one of them from a list: among 10,000 names that is less likely than
1 in 10^11, and nobody can choose such names, for the hash differs from process to process.
"""

from array import array
from bisect import bisect_left


class KnownNames:
    """See the module. ``add`` all, ``settle``, then ask."""

    __slots__ = ("_hashes", "_met")

    def __init__(self) -> None:
        self._hashes = array("q")
        self._met = bytearray()

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, name: str) -> None:
        """One more; it may be there already."""
        self._hashes.append(hash(name))

    def settle(self) -> None:
        """From now on there are no more."""
        self._hashes = array("q", sorted(set(self._hashes)))
        self._met = bytearray(len(self._hashes))

    def _at(self, name: str) -> int:
        key = hash(name)
        at = bisect_left(self._hashes, key)
        return at if at < len(self._hashes) and self._hashes[at] == key else -1

    def __contains__(self, name: str) -> bool:
        return self._at(name) >= 0

    def meet(self, name: str) -> bool:
        """Whether it is one of them; the list has come by it then."""
        at = self._at(name)
        if at >= 0:
            self._met[at] = 1
        return at >= 0

    def left(self, name: str) -> bool:
        """Whether it is one of them, and the list has not come by it."""
        at = self._at(name)
        return at >= 0 and not self._met[at]
