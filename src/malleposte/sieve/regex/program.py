"""A tree of an expression made a program of states (Thompson's construction)."""

from __future__ import annotations

from typing import Final, NamedTuple

from .charset import Charset
from .syntax import BadPattern, Chars, Choice, Edge, Group, Node, Pattern, Repeat, Sequence

CHARS: Final = 0  # takes one character of `charset`, goes on at `to`
SPLIT: Final = 1  # goes on at `to` and at `other`
SAVE: Final = 2  # notes the place in slot `slot`, goes on at `to`
BEGIN: Final = 3  # goes on at the beginning of the text
END: Final = 4  # goes on at its end
MATCH: Final = 5


class State(NamedTuple):
    """One state; which fields count is said by `kind`."""

    kind: int
    to: int = 0
    other: int = 0
    slot: int = 0
    charset: Charset | None = None


def program(pattern: Pattern, most: int) -> list[State]:
    """The states, the first one at 0; raises `BadPattern` beyond `most`.

    Slots 2n and 2n + 1 are the beginning and the end of group n.
    """
    builder = _Builder(most)
    builder.node(pattern.node)
    builder.add(State(MATCH))
    return builder.states


class _Builder:
    """States lie in the order of the text: each part goes on at the state after its last."""

    def __init__(self, most: int) -> None:
        self.states: list[State] = []
        self._most = most

    def add(self, state: State) -> int:
        if len(self.states) >= self._most:
            raise BadPattern(f"it is too large: repeats written out, more than {self._most} states")
        self.states.append(state)
        return len(self.states) - 1

    def node(self, node: Node) -> None:
        here = len(self.states)
        if isinstance(node, Chars):
            self.add(State(CHARS, here + 1, charset=node.charset))
        elif isinstance(node, Edge):
            self.add(State(END if node.end else BEGIN, here + 1))
        elif isinstance(node, Sequence):
            for inner in node.nodes:
                self.node(inner)
        elif isinstance(node, Group):
            self.add(State(SAVE, here + 1, slot=2 * node.number))
            self.node(node.node)
            self.add(State(SAVE, len(self.states) + 1, slot=2 * node.number + 1))
        elif isinstance(node, Choice):
            self._choice(node.nodes)
        else:
            self._repeat(node)

    def _choice(self, nodes: tuple[Node, ...]) -> None:
        ends: list[int] = []
        for inner in nodes[:-1]:
            split = self.add(State(SPLIT))
            self.node(inner)
            ends.append(self.add(State(SPLIT)))
            self.states[split] = State(SPLIT, split + 1, len(self.states))
        self.node(nodes[-1])
        after = len(self.states)
        for end in ends:
            self.states[end] = State(SPLIT, after, after)

    def _repeat(self, node: Repeat) -> None:
        for _ in range(node.least):
            self.node(node.node)
        if node.most is None:
            split = self.add(State(SPLIT))
            self.node(node.node)
            self.add(State(SPLIT, split, split))
            self.states[split] = State(SPLIT, split + 1, len(self.states))
            return
        splits: list[int] = []
        for _ in range(node.most - node.least):
            splits.append(self.add(State(SPLIT)))
            self.node(node.node)
        after = len(self.states)
        for split in splits:
            self.states[split] = State(SPLIT, split + 1, after)
