"""Running an expression over a text.

Whether a text matches is asked of a deterministic automaton that is made as it is needed: a state of
it is a set of states of the program, and a character leads from one to the next, looked up once it is
known. Where the groups lie is asked only of a text that matches, by following all states of the
program side by side, each with its slots (Pike's way). Both read each character once.

Of two ways to the same state the one is kept that begins further left, then the one whose groups
begin earlier and are longer, from the first to the last: for a group that is repeated that is not
always POSIX's choice of the last round; the whole match always is.

`charge` is told of the work, in the steps of a run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .charset import Fold
from .program import BEGIN, CHARS, END, MATCH, SAVE, SPLIT, program
from .syntax import parse

Charge = Callable[[int], None]
Slots = tuple[int, ...]

_KEPT: Final = 20_000
"""Transitions remembered by one expression, about 2 MB; beyond, it begins anew."""

_READ: Final = 16
"""Characters whose transitions are known that are read in one step."""


class _Deterministic:
    """One state of the automaton made on demand."""

    __slots__ = ("at_end", "found", "next", "states")

    def __init__(self, states: tuple[int, ...], found: bool, at_end: bool) -> None:
        self.states = states  # those that take a character
        self.found = found  # a match has ended here
        self.at_end = at_end  # one ends here if the text does
        self.next: dict[str, _Deterministic] = {}


class Regex:
    """An expression, ready to run. Raises `BadPattern`."""

    def __init__(self, pattern: str, fold: Fold, most_states: int) -> None:
        parsed = parse(pattern)
        self.groups = parsed.groups
        self._program = program(parsed, most_states)
        self._fold = fold
        self._known: dict[tuple[int, ...], _Deterministic] = {}
        self._transitions = 0
        self._walked = 0
        """States that closures went through for one step: also those that wait for nothing."""
        self._first = self._state((0,), begin=True)

    @property
    def size(self) -> int:
        """Its states."""
        return len(self._program)

    @property
    def kept(self) -> int:
        """The transitions it remembers, about 100 octets each."""
        return self._transitions

    def forget(self) -> None:
        """Forgets them."""
        self._known.clear()
        self._first.next.clear()
        self._transitions = 0

    # -- whether -----------------------------------------------------------------------------

    def search(self, text: str, charge: Charge) -> bool:
        """Whether the expression matches anywhere in the text."""
        state = self._first
        read = 0
        for character in text:
            if state.found:
                return True
            following = state.next.get(character)
            if following is None:
                following = self._step(state, character, charge)
            state = following
            read += 1
            if read == _READ * 64:
                charge(64)
                read = 0
        charge(1 + read // _READ)
        return state.found or state.at_end

    def _step(self, state: _Deterministic, character: str, charge: Charge) -> _Deterministic:
        if self._transitions >= _KEPT:
            self.forget()
        taken = self._program
        fold = self._fold
        reached = [0]  # a match may begin anywhere
        for number in state.states:
            one = taken[number]
            if one.charset is not None and one.charset.holds(character, fold):
                reached.append(one.to)
        self._walked = 0
        following = state.next[character] = self._state(tuple(reached), begin=False)
        charge(1 + (len(state.states) + len(reached) + self._walked >> 1))
        self._transitions += 1
        return following

    def _state(self, reached: tuple[int, ...], begin: bool) -> _Deterministic:
        inside, found = self._closure(reached, begin, end=False)
        if not begin and inside in self._known:
            return self._known[inside]
        state = _Deterministic(
            tuple(number for number in inside if self._program[number].kind == CHARS),
            found,
            found or self._closure(reached, begin, end=True)[1],
        )
        if not begin:
            self._known[inside] = state
        return state

    def _closure(self, reached: tuple[int, ...], begin: bool, end: bool) -> tuple[Slots, bool]:
        """All states that can be had without a character: those that wait for one or for the end."""
        seen: set[int] = set()
        waiting: list[int] = []
        found = False
        todo = list(reached)
        while todo:
            number = todo.pop()
            if number in seen:
                continue
            seen.add(number)
            state = self._program[number]
            if state.kind == SPLIT:
                todo += (state.other, state.to)
            elif state.kind == SAVE or (state.kind == BEGIN and begin):
                todo.append(state.to)
            elif state.kind == END:
                waiting.append(number)
                if end:
                    todo.append(state.to)
            elif state.kind == CHARS:
                waiting.append(number)
            elif state.kind == MATCH:
                found = True
                waiting.append(number)
        self._walked += len(seen)
        return tuple(sorted(waiting)), found

    # -- where -------------------------------------------------------------------------------

    def match(self, text: str, charge: Charge) -> list[tuple[int, int]] | None:
        """Where the leftmost-longest match and its groups lie, (-1, -1) for a group that took no
        part; None if the text does not match."""
        size = len(text)
        fold = self._fold
        states = self._program
        none = (-1,) * (2 * self.groups + 2)
        best: Slots | None = None
        threads: dict[int, Slots] = {}
        for at in range(size + 1):
            if best is None:
                charge(self._follow(threads, 0, (at, *none[1:]), at, size))
            elif not threads:
                break
            ended = next((s for n, s in threads.items() if states[n].kind == MATCH), None)
            if ended is not None:
                ended = (ended[0], at, *ended[2:])
                # One that ends later is longer; one that begins further right is none.
                if best is None or ended[0] <= best[0]:
                    best = ended
            if at == size:
                break
            character = text[at]
            following: dict[int, Slots] = {}
            for number, slots in threads.items():
                state = states[number]
                if state.charset is None or (best is not None and slots[0] > best[0]):
                    continue
                if state.charset.holds(character, fold):
                    charge(self._follow(following, state.to, slots, at + 1, size))
            threads = following
        if best is None:
            return None
        return [(best[slot], best[slot + 1]) for slot in range(0, len(best), 2)]

    def _follow(
        self, threads: dict[int, Slots], start: int, slots: Slots, at: int, size: int
    ) -> int:
        """Adds a thread and all that follow from it without a character; returns how many it looked
        at."""
        todo = [(start, slots)]
        states = self._program
        looked = 0
        while todo:
            looked += 1
            number, slots = todo.pop()
            held = threads.get(number)
            if held is not None and not _better(slots, held, at):
                continue
            threads[number] = slots
            state = states[number]
            if state.kind == SPLIT:
                todo += ((state.other, slots), (state.to, slots))
            elif state.kind == SAVE:
                slot = state.slot
                if slot & 1:
                    todo.append((state.to, (*slots[:slot], at, *slots[slot + 1 :])))
                else:  # a new round forgets where the last one ended
                    todo.append((state.to, (*slots[:slot], at, -1, *slots[slot + 2 :])))
            elif (state.kind == BEGIN and at == 0) or (state.kind == END and at == size):
                todo.append((state.to, slots))
        return looked


def _better(one: Slots, other: Slots, at: int) -> bool:
    """Whether `one` goes before `other`: begins further left, its groups earlier and longer."""
    if one == other:
        return False
    if one[0] != other[0]:
        return one[0] < other[0]
    for slot in range(2, len(one), 2):
        begin, held = one[slot], other[slot]
        if begin != held:
            return held < 0 or 0 <= begin < held
        if begin >= 0:
            end = one[slot + 1] if one[slot + 1] >= 0 else at
            held = other[slot + 1] if other[slot + 1] >= 0 else at
            if end != held:
                return end > held
    return False
