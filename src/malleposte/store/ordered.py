"""Emails in the order of a sort, with their threads: what windows of a query are cut from.

A message list of 200,000 is sorted once; from then on what changed is taken out and put in (``change``),
and a window costs the same at any place. ``keys`` stand in the order that is shown, and each holds its
email; beside them the first of each thread (RFC 8621 §4.4.3: what is left when threads are collapsed).

Two kinds of keys, by the ``Order`` that makes them: numbers of 64 bits in arrays (dates and sizes: some 44
octets an email), or octets in lists, for text and for several comparators.
"""

from array import array
from bisect import bisect_left
from collections.abc import Generator, Iterable, Iterator, Sequence
from heapq import merge
from itertools import chain, islice
from typing import Any, Final, Protocol

from malleposte.mime import casemap

LOW: Final = (1 << 32) - 1
TEXT_OCTETS: Final = 1_000
_COMPLEMENT: Final = bytes(range(255, -1, -1))
SMALL: Final = 512
"""Changes put in one by one: each moves what stands behind it, a memory copy."""
AT_ONCE: Final = 5_000
"""Emails that are looked at in a slice."""
RUN: Final = 20_000
"""Values sorted at once: some 10 ms where they are octets."""

Key = Any
Column = Any
"""A list of octets, or an array of numbers."""


class Order(Protocol):
    """Makes keys, and columns of them."""

    def column(self, keys: Iterable[Key] = ()) -> Column:
        """An empty column, or one of these keys."""
        ...

    def key(self, number: int, values: Sequence[Any]) -> Key:
        """The key of an email by its number and the values it is sorted by."""
        ...

    def email(self, key: Key) -> int:
        """The email's number."""
        ...


class ByNumber:
    """By one number of 32 bits, as a date; newest or largest first unless ``ascending``."""

    __slots__ = ("_flip",)

    def __init__(self, *, ascending: bool = False) -> None:
        self._flip = 0 if ascending else (1 << 64) - 1

    def column(self, keys: Iterable[Key] = ()) -> "array[int]":
        """See ``Order``."""
        return array("Q", keys)

    def key(self, number: int, values: Sequence[Any]) -> int:
        """See ``Order``; a value past 32 bits counts as the nearest."""
        value: int = values[0] or 0
        return (min(max(value, 0), LOW) << 32 | number) ^ self._flip

    def email(self, key: Key) -> int:
        """See ``Order``."""
        found: int = (key ^ self._flip) & LOW
        return found


class ByOctets:
    """By several values, as octets that compare as they do (``octets``); the newest first among equals."""

    __slots__ = ()

    def column(self, keys: Iterable[Key] = ()) -> list[Key]:
        """See ``Order``."""
        return list(keys)

    def key(self, number: int, values: Sequence[Any]) -> bytes:
        """See ``Order``."""
        return b"".join(values) + (LOW - number).to_bytes(4, "big")

    def email(self, key: Key) -> int:
        """See ``Order``."""
        return LOW - int.from_bytes(key[-4:], "big")


def octets(value: int | str, reverse: bool) -> bytes:
    """A value in octets that compare as it does, in falling order with ``reverse``; text by
    i;unicode-casemap (RFC 5051), its first ``TEXT_OCTETS`` count."""
    if isinstance(value, int):
        return ((1 << 63) + (-1 - value if reverse else value)).to_bytes(8, "big")
    text = casemap(value).encode("utf-8", "replace").replace(b"\0", b"")[:TEXT_OCTETS]
    # What ends a text comes before, and in falling order behind, all it could go on with.
    return text.translate(_COMPLEMENT) + b"\xff" if reverse else text + b"\0"


Entry = tuple[int, int, Sequence[Any]]
"""Of one email: its number, its thread's, the values it is sorted by."""


class Ordered:
    """See the module."""

    __slots__ = (
        "_bests",
        "_keys_of",
        "_numbers",
        "_thread_of",
        "_threads",
        "firsts",
        "keys",
        "order",
    )

    def __init__(self, order: Order) -> None:
        self.order = order
        self.keys: Column = order.column()
        """All, in the order that is shown."""
        self.firsts: Column = order.column()
        """The first of each thread, likewise."""
        self._numbers = array("I")
        self._thread_of = array("I")
        self._keys_of: Column = order.column()
        """By email number, ascending: its thread and key."""
        self._threads = array("I")
        self._bests: Column = order.column()
        """By thread number, ascending: the key of its first."""

    def __len__(self) -> int:
        return len(self.keys)

    def __contains__(self, number: int) -> bool:
        return self._at(number) >= 0

    def _at(self, number: int) -> int:
        at = bisect_left(self._numbers, number)
        return at if at < len(self._numbers) and self._numbers[at] == number else -1

    # Reading --------------------------------------------------------------------------------------

    def shown(self, *, collapsed: bool) -> Column:
        """The keys that are shown."""
        return self.firsts if collapsed else self.keys

    def window(self, start: int, size: int, *, collapsed: bool) -> list[int]:
        """Email numbers from a position on."""
        email = self.order.email
        return [email(key) for key in self.shown(collapsed=collapsed)[start : start + size]]

    def position(self, number: int, *, collapsed: bool) -> int:
        """Where an email stands; -1: it is not shown."""
        at = self._at(number)
        if at < 0:
            return -1
        keys, key = self.shown(collapsed=collapsed), self._keys_of[at]
        found = bisect_left(keys, key)
        return found if found < len(keys) and keys[found] == key else -1

    def numbers(self, *, collapsed: bool) -> Iterator[int]:
        """All email numbers in order."""
        return map(self.order.email, self.shown(collapsed=collapsed))

    def thread(self, number: int) -> int:
        """The thread of an email that is there; 0 where it is not."""
        at = self._at(number)
        return self._thread_of[at] if at >= 0 else 0

    # Writing --------------------------------------------------------------------------------------

    def change(self, gone: Iterable[int], entries: Iterable[Entry]) -> None:
        """Take emails out by number, where they are there, and put others in, in place of what stood
        there under their numbers."""
        for _ in self.changing(gone, entries):
            pass

    def changing(self, gone: Iterable[int], entries: Iterable[Entry]) -> Iterator[None]:
        """The same in slices of a few milliseconds. Nothing shows of it before the last one: whoever reads
        between two sees the list as it was."""
        key = self.order.key
        new: dict[int, tuple[int, Key]] = {}
        for n, (number, thread, values) in enumerate(entries, 1):
            new[number] = (thread, key(number, values))
            if n % AT_ONCE == 0:
                yield
        out: set[int] = set()
        for n, number in enumerate(chain(gone, new), 1):
            if number in self:
                out.add(number)
            if n % AT_ONCE == 0:
                yield
        if len(out) + len(new) > SMALL:
            yield from self._again(out, new)
            return
        touched = [self._take_out(number) for number in out]
        for number, (thread, made) in new.items():
            self._put_in(number, thread, made)
        self._refirst(touched)

    def _take_out(self, number: int) -> int:
        """Its thread, whose first may be another one now."""
        at = self._at(number)
        thread, key = self._thread_of[at], self._keys_of[at]
        for column in (self._numbers, self._thread_of, self._keys_of):
            del column[at]
        del self.keys[bisect_left(self.keys, key)]
        where = bisect_left(self._threads, thread)
        # Another of its thread may have been taken out just before.
        there = where < len(self._threads) and self._threads[where] == thread
        if there and self._bests[where] == key:
            del self.firsts[bisect_left(self.firsts, key)]
            del self._threads[where]
            del self._bests[where]
            return thread
        return 0

    def _put_in(self, number: int, thread: int, key: Key) -> None:
        at = bisect_left(self._numbers, number)
        self._numbers.insert(at, number)
        self._thread_of.insert(at, thread)
        self._keys_of.insert(at, key)
        self.keys.insert(bisect_left(self.keys, key), key)
        self._offer(thread, key)

    def _offer(self, thread: int, key: Key) -> None:
        """An email of a thread: its first, if no other stands before it."""
        where = bisect_left(self._threads, thread)
        if where < len(self._threads) and self._threads[where] == thread:
            best = self._bests[where]
            if best <= key:
                return
            del self.firsts[bisect_left(self.firsts, best)]
            self._bests[where] = key
        else:
            self._threads.insert(where, thread)
            self._bests.insert(where, key)
        self.firsts.insert(bisect_left(self.firsts, key), key)

    def _refirst(self, threads: Iterable[int]) -> None:
        """Find the firsts of threads that lost theirs."""
        for thread in set(threads) - {0}:
            at = -1
            while True:
                try:
                    at = self._thread_of.index(thread, at + 1)
                except ValueError:
                    break
                self._offer(thread, self._keys_of[at])

    def _again(self, out: set[int], new: dict[int, tuple[int, Key]]) -> Iterator[None]:
        """All columns anew, in slices: quicker where much changes, as when they are filled."""
        order = self.order
        stay = (
            row
            for row in zip(self._numbers, self._thread_of, self._keys_of, strict=True)
            if row[0] not in out
        )
        come = ((number, *new[number]) for number in sorted(new))
        # Numbers are there once: what stands behind them is not compared.
        rows: Iterator[tuple[int, int, Key]] = merge(stay, come) if len(self) else come
        numbers, thread_of, keys_of = array("I"), array("I"), order.column()
        best: dict[int, Key] = {}
        while some := list(islice(rows, AT_ONCE)):
            numbers.extend([row[0] for row in some])
            thread_of.extend([row[1] for row in some])
            keys_of.extend([row[2] for row in some])
            for _, thread, key in some:
                found = best.get(thread)
                if found is None or key < found:
                    best[thread] = key
            yield
        keys = yield from _sorted(order.column(), keys_of)
        firsts = yield from _sorted(order.column(), list(best.values()))
        threads = yield from _sorted(array("I"), list(best))
        bests = order.column()
        for start in range(0, len(threads), AT_ONCE):
            bests.extend([best[thread] for thread in threads[start : start + AT_ONCE]])
            yield
        self._numbers, self._thread_of, self._keys_of = numbers, thread_of, keys_of
        self.keys, self.firsts, self._threads, self._bests = keys, firsts, threads, bests


def _sorted(into: Column, values: Sequence[Any]) -> Generator[None, None, Column]:
    """Values sorted, in slices: runs first, then all of them merged."""
    runs: list[list[Any]] = []
    for start in range(0, len(values), RUN):
        runs.append(sorted(values[start : start + RUN]))
        yield
    if len(runs) == 1:
        into.extend(runs[0])
        return into
    merged = merge(*runs)
    while some := list(islice(merged, AT_ONCE)):
        into.extend(some)
        yield
    return into
