"""The trees of THREAD (RFC 5256 §3): messages by their references, or by their subjects.

Pure: no store, no loop. Messages are numbers 0, 1, … in the order of the mailbox; what takes long is a
generator that yields now and then, so that its caller can let others run. Ids and subjects are hashes
(``mime.ThreadKey``). A message costs some 250 octets, an id that no message has 150.
"""

import heapq
from array import array
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from typing import Final

from malleposte.mime import ThreadKey

STEPS: Final = 1_000
"""Messages between two yields: some 1 ms."""

DEEPEST: Final = 1_000
"""Ancestors asked whether a link would make a loop; past them it counts as one. Threads of people have
some hundred levels, and most links need not ask."""

NONE: Final = -1
_UNKNOWN: Final = -2


class TooMany(Exception):
    """More nodes than the caller wants held."""


class Forest:
    """Trees: ``roots`` in order, and the ``children`` of a node in order, if it has any.

    Nodes below ``size`` are messages, the others dummies: they stand at the top alone and have two
    children or more.
    """

    __slots__ = ("children", "roots", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.roots: list[int] = []
        self.children: dict[int, list[int]] = {}

    def pieces(self, numbers: Sequence[int]) -> Iterator[bytes]:
        """A THREAD response with the messages' numbers, in pieces (RFC 5256 §4)."""
        yield b"* THREAD"
        tokens: list[bytes] = [b" "] if self.roots else []
        for root in self.roots:
            # Lists to open, and what closes those that are open; the next one last.
            waiting: list[int | bytes] = [root]
            while waiting:
                here = waiting.pop()
                if isinstance(here, bytes):
                    tokens.append(here)
                else:
                    self._list(here, numbers, tokens, waiting)
                if len(tokens) >= STEPS:
                    yield b"".join(tokens)
                    tokens.clear()
        yield b"".join(tokens) + b"\r\n"

    def _list(
        self, node: int, numbers: Sequence[int], tokens: list[bytes], waiting: list[int | bytes]
    ) -> None:
        """Open a thread-list and go down while there is one child alone."""
        tokens.append(b"(")
        space = b""
        while True:
            if node < self.size:
                tokens.append(b"%b%d" % (space, numbers[node]))
                space = b" "
            children = self.children.get(node)
            if not children:
                tokens.append(b")")
                return
            if len(children) > 1 or node >= self.size:
                tokens.append(space)
                waiting.append(b")")
                waiting += reversed(children)
                return
            (node,) = children


def by_date(dates: Sequence[int]) -> Generator[None, None, "array[int]"]:
    """Message numbers by sent date, equal ones in the order of the mailbox (§2.2)."""
    runs: list[list[int]] = []
    for start in range(0, len(dates), STEPS):
        part = dates[start : start + STEPS]
        runs.append(sorted([date << 32 | n for n, date in enumerate(part, start)]))
        yield
    return (yield from _merged(runs))


def _merged(runs: list[list[int]]) -> Generator[None, None, "array[int]"]:
    """The lower 32 bits of all numbers of sorted runs, in order."""
    merged = runs[0] if len(runs) == 1 else heapq.merge(*runs)
    found = array("I")
    some = iter(merged)
    while part := list(islice(some, STEPS)):
        found.extend([number & 0xFFFFFFFF for number in part])
        yield
    return found


def ordered_subject(subjects: Sequence[int], dates: Sequence[int]) -> Generator[None, None, Forest]:
    """ORDEREDSUBJECT: messages of one subject are the children of their first."""
    forest = Forest(len(subjects))
    firsts: dict[int, int] = {}
    for count, number in enumerate((yield from by_date(dates))):
        first = firsts.setdefault(subjects[number], number)
        if first == number:
            forest.roots.append(number)
        else:
            forest.children.setdefault(first, []).append(number)
        if count % STEPS == STEPS - 1:
            yield
    return forest


class References:
    """REFERENCES. ``add`` every message in the order of the mailbox, then ask for the ``forest``."""

    __slots__ = (
        "_again",
        "_has_child",
        "_message",
        "_most",
        "_node",
        "_nodes",
        "_parent",
        "_subject",
    )

    def __init__(self, most_nodes: int) -> None:
        self._most = most_nodes
        self._nodes: dict[int, int] = {}  # hash of an id → node
        # Of nodes
        self._parent = array("i")
        self._message = array("i")  # its number; NONE for a dummy
        self._has_child = bytearray()  # or had one
        # Of messages
        self._node = array("i")
        self._subject = array("Q")
        self._again = bytearray()

    # (1) Links ------------------------------------------------------------------------------------

    def add(self, key: ThreadKey) -> None:
        """The next message. Raises ``TooMany``."""
        number = len(self._node)
        node = self._nodes.get(key.own, NONE) if key.own else NONE
        if node == NONE or self._message[node] != NONE:
            # New; or without an id, or with one that an earlier message has: nobody refers to it.
            fresh = self._new(number)
            if key.own and node == NONE:
                self._nodes[key.own] = fresh
            node = fresh
        else:
            self._message[node] = number
        self._node.append(node)
        self._subject.append(key.subject)
        self._again.append(key.again)
        before = NONE
        for reference in key.references:
            here = self._nodes.get(reference, NONE)
            if here == NONE:
                here = self._nodes[reference] = self._new(NONE)
            # (1.A) An ancestor that has a parent keeps it.
            if before != NONE and self._parent[here] == NONE:
                self._link(before, here)
            before = here
        # (1.B) A message goes where its own field says, whatever others said of it.
        self._parent[node] = NONE
        if before != NONE:
            self._link(before, node)

    def _new(self, number: int) -> int:
        node = len(self._parent)
        if node >= self._most:
            raise TooMany
        self._parent.append(NONE)
        self._message.append(number)
        self._has_child.append(0)
        return node

    def _link(self, parent: int, child: int) -> None:
        """Unless that would make a loop."""
        if parent == child:
            return
        if self._has_child[child]:
            above, parents = parent, self._parent
            for _ in range(DEEPEST):
                above = parents[above]
                if above == NONE:
                    break
                if above == child:
                    return
            else:
                return
        self._parent[child] = parent
        self._has_child[parent] = 1

    # (2) to (4) Trees -----------------------------------------------------------------------------

    def forest(self, dates: Sequence[int]) -> Generator[None, None, Forest]:
        """The trees, given the sent date of each message in Unix seconds."""
        size = len(self._node)
        forest = Forest(size)
        order = yield from by_date(dates)
        rank = array("I", bytes(4 * size))
        above = _Above(self._parent, self._message)
        # In the order of dates, so that all siblings are in order at once.
        for count, number in enumerate(order):
            rank[number] = count
            parent = above.of(self._node[number])
            if parent == NONE:
                forest.roots.append(number)
            elif (message := self._message[parent]) != NONE:
                forest.children.setdefault(message, []).append(number)
            else:
                dummy = size + parent
                siblings = forest.children.setdefault(dummy, [])
                if not siblings:
                    forest.roots.append(dummy)
                siblings.append(number)
            if count % STEPS == STEPS - 1:
                yield
        # (3.B) A dummy with one child gives way to it.
        children = forest.children
        for start in range(0, len(forest.roots), STEPS):
            for at, root in enumerate(forest.roots[start : start + STEPS], start):
                if root >= size and len(children[root]) == 1:
                    (forest.roots[at],) = children.pop(root)
            yield
        yield from self._by_subject(forest, rank)
        return forest

    # (5), (6) Subjects ----------------------------------------------------------------------------

    def _by_subject(self, forest: Forest, rank: Sequence[int]) -> Generator[None, None, None]:
        """Bring threads of one subject together, and all siblings in order again."""
        size, children, again = forest.size, forest.children, self._again

        def subject(root: int) -> int:
            return self._subject[root if root < size else children[root][0]]

        table: dict[int, int] = {}
        for count, root in enumerate(forest.roots):
            if about := subject(root):
                first = table.setdefault(about, root)
                if first < size and (root >= size or (again[first] and not again[root])):
                    table[about] = root
            if count % STEPS == STEPS - 1:
                yield
        kept: list[int] = []
        taken: set[int] = set()
        changed: set[int] = set()
        fresh = size + len(self._parent)
        for count, root in enumerate(forest.roots):
            about = 0 if root in taken else subject(root)
            first = table.get(about, root) if about else root
            if root in taken:
                pass
            elif first == root:
                kept.append(root)
            elif first >= size:
                children[first] += children.pop(root) if root >= size else [root]
                changed.add(first)
            elif again[root] and not again[first]:
                children.setdefault(first, []).append(root)
                changed.add(first)
            else:
                # Neither answers the other: both below a new dummy.
                table[about] = fresh
                children[fresh] = [root, first]
                kept.append(fresh)
                changed.add(fresh)
                taken.add(first)
                fresh += 1
            if count % STEPS == STEPS - 1:
                yield
        for count, node in enumerate(changed):
            children[node].sort(key=rank.__getitem__)
            if count % 100 == 99:
                yield
        runs: list[list[int]] = []
        for start in range(0, len(kept), STEPS):
            firsts = [
                rank[root if root < size else children[root][0]] << 32 | root
                for root in kept[start : start + STEPS]
                if root not in taken
            ]
            runs.append(sorted(firsts))
            yield
        forest.roots = list((yield from _merged(runs)))


class _Above:
    """The parent of a node without the dummies between; a dummy only where it is at the top."""

    __slots__ = ("_known", "_message", "_parent")

    def __init__(self, parent: Sequence[int], message: Sequence[int]) -> None:
        self._parent = parent
        self._message = message
        self._known = array("i", [_UNKNOWN]) * len(parent)  # of dummies

    def of(self, node: int) -> int:
        """NONE for a node at the top."""
        parent = self._parent[node]
        if parent == NONE or self._message[parent] != NONE:
            return parent
        passed: list[int] = []
        known = self._known
        while True:
            found = known[parent]
            if found != _UNKNOWN:
                break
            passed.append(parent)
            found = self._parent[parent]
            if found == NONE:
                found = parent  # a dummy at the top
                break
            if self._message[found] != NONE:
                break
            parent = found
        for dummy in passed:
            known[dummy] = found
        return found
