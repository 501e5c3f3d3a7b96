r"""The distinct sets of flags in a mailbox, each kept once and rendered once for the wire.

A message has the number of its set. A set with the other ``\Seen`` is found by number too: what a reader
sees of a message differs from what its owner sees in nothing else (``marks``).
"""

from collections.abc import Callable, Iterable

from malleposte.store.flags import SEEN, WIRE, join

FlagSet = tuple[int, str | None, int]
"""Flag bits, other keywords, ``\\Deleted``."""


def changer(
    mode: str, bits: int, words: frozenset[str], *, deleted: bool
) -> Callable[[FlagSet], FlagSet]:
    """What ``StoreFlags`` makes of flags, where whoever asks for it has all rights."""

    def change(flags: FlagSet) -> FlagSet:
        have, keywords, marked = flags
        others = frozenset(keywords.split(" ")) if keywords else frozenset()
        if mode == "=":
            return bits, join(words), int(deleted)
        if mode == "+":
            return have | bits, join(others | words), int(marked or deleted)
        return have & ~bits, join(others - words), int(marked and not deleted)

    return change


class FlagSets:
    """See the module."""

    __slots__ = ("_numbers", "_with_seen", "_without_seen", "sets", "shown", "wire")

    def __init__(self, shown: dict[str, str]) -> None:
        self.shown = shown
        """Keywords of the account, as they were first written."""
        self.sets: list[FlagSet] = []
        self.wire: list[bytes] = []
        """Each as IMAP writes it, without parentheses."""
        self._numbers: dict[FlagSet, int] = {}
        self._with_seen: dict[int, int] = {}
        self._without_seen: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.sets)

    def numbers(self, keys: Iterable[FlagSet]) -> list[int]:
        """The numbers of sets."""
        known = self._numbers
        return [known[key] if key in known else self.number(key) for key in keys]

    def number(self, key: FlagSet) -> int:
        """The number of a set."""
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.sets)
            self.sets.append(key)
            self.wire.append(self._render(key))
        return number

    def by_seen(self, numbers: Iterable[int]) -> tuple[dict[int, int], dict[int, int]]:
        r"""For each of these sets at least, the number of the same without ``\Seen``, and with it."""
        known = self._with_seen
        for number in numbers:
            if number not in known:
                flags, keywords, deleted = self.sets[number]
                known[number] = self.number((flags | SEEN, keywords, deleted))
                self._without_seen[number] = self.number((flags & ~SEEN, keywords, deleted))
        return self._without_seen, known

    def words(self, numbers: Iterable[int]) -> set[str]:
        """The keywords in sets."""
        found = {self.sets[number][1] for number in numbers}
        return {word for keywords in found if keywords for word in keywords.split(" ")}

    def _render(self, key: FlagSet) -> bytes:
        flags, keywords, deleted = key
        words = [name for bit, name in WIRE if flags & bit]
        if deleted:
            words.append(b"\\Deleted")
        if keywords:
            words.extend(
                self.shown.get(word, word).encode("ascii", "replace")
                for word in keywords.split(" ")
            )
        return b" ".join(words)
