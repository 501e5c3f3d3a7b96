"""Sets of message numbers and UIDs as ranges (RFC 9051 §9 `sequence-set`).

Invariant: ranges are sorted, disjoint and not adjacent; a set is never expanded, so `1:4294967295`
costs as much as `1`. Memory is bounded by the command that carried the set. The module does not
know mailboxes: `*` is resolved by the caller, who knows the highest number.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import sub
from typing import Final

MAX_NUMBER: Final = 4_294_967_295  # nz-number, RFC 9051 §9
_ONE_RANGE: Final = re.compile(rb"([1-9][0-9]{0,9})(?::([1-9][0-9]{0,9}))?")
_MEMBER: Final = rb"(?:[1-9][0-9]{0,9}|\*)(?::(?:[1-9][0-9]{0,9}|\*))?"
_SET: Final = re.compile(_MEMBER + rb"(?:," + _MEMBER + rb")*")

Range = tuple[int, int]


def _merge(ranges: list[Range]) -> tuple[Range, ...]:
    """Sort and join overlapping or adjacent ranges, ends included."""
    if len(ranges) < 2:
        return tuple(ranges)
    ranges.sort()
    merged: list[Range] = []
    low, high = ranges[0]
    for first, last in ranges:
        if first > high + 1:
            merged.append((low, high))
            low, high = first, last
        elif last > high:
            high = last
    merged.append((low, high))
    return tuple(merged)


def _render(ranges: Iterable[Range]) -> bytes:
    return b",".join([b"%d" % a if a == b else b"%d:%d" % (a, b) for a, b in ranges])


@dataclass(frozen=True, slots=True)
class NumberSet:
    """A set of concrete numbers, 1 to 4294967295: UIDs, or sequence numbers after `*` is resolved.

    `ranges` are inclusive pairs, sorted and merged.
    """

    ranges: tuple[Range, ...] = ()

    @classmethod
    def of(cls, ranges: Iterable[Range]) -> NumberSet:
        """From ranges in any order; each pair may be reversed."""
        return cls(_merge([(a, b) if a <= b else (b, a) for a, b in ranges]))

    @classmethod
    def from_sorted(cls, numbers: Sequence[int]) -> NumberSet:
        """From strictly ascending numbers (list or array)."""
        return cls(tuple(_runs(numbers)))

    def __iter__(self) -> Iterator[Range]:
        """The ranges; never the single numbers."""
        return iter(self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __contains__(self, number: int) -> bool:
        index = bisect_right(self.ranges, (number, MAX_NUMBER)) - 1
        return index >= 0 and self.ranges[index][1] >= number

    def __bytes__(self) -> bytes:
        """As `sequence-set`; empty for the empty set, which the wire cannot express."""
        return _render(self.ranges)

    def count(self) -> int:
        """How many numbers the set holds."""
        return sum(b - a + 1 for a, b in self.ranges)

    def slices(self, numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Half-open index ranges of the strictly ascending `numbers` that are in the set."""
        size = len(numbers)
        start = 0
        for low, high in self.ranges:
            if start == size:
                return
            # Ascending numbers grow by one at least: that bounds how far on a number can be.
            gap = low - numbers[start]
            if gap > 0:
                start = bisect_left(numbers, low, start, min(size, start + gap))
                if start == size:
                    return
            stop = bisect_right(numbers, high, start, min(size, start + high - low + 1))
            if stop > start:
                yield start, stop
                start = stop

    def intersect(self, numbers: Sequence[int]) -> array[int]:
        """Those of the strictly ascending `numbers` that are in the set, as array('I')."""
        found = array("I")
        for start, stop in self.slices(numbers):
            found.extend(numbers[start:stop])
        return found

    def union(self, other: NumberSet) -> NumberSet:
        return NumberSet(_merge([*self.ranges, *other.ranges]))


UidSet = NumberSet
"""A set of UIDs: the `known-uids` of QRESYNC, COPYUID, VANISHED. Holds no `*`."""


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """A set as a client names it: concrete ranges, and a tail `n:*`.

    `tail` is 0 when the set has no `*`, else the smallest n of its `n:*`. A lone `*` is the tail
    4294967295: `n:*` stands for the range between n and the highest number in either order
    (RFC 9051 §9, seq-range), so that an n past the end still means the last message.
    """

    ranges: tuple[Range, ...]
    tail: int = 0

    def resolve(self, highest: int) -> NumberSet:
        """The concrete numbers, given the highest one in the mailbox (0 when it is empty).

        Numbers past `highest` are left out; for sequence numbers ask `beyond` first.
        """
        if not highest:
            return NumberSet()
        if not self.tail and (not self.ranges or self.ranges[-1][1] <= highest):
            return NumberSet(self.ranges)
        kept = [(a, min(b, highest)) for a, b in self.ranges if a <= highest]
        if self.tail:
            kept.append((min(self.tail, highest), highest))
            return NumberSet(_merge(kept))
        return NumberSet(tuple(kept))

    def beyond(self, exists: int) -> bool:
        """Whether a sequence number is named that the mailbox does not have: the command is then
        BAD (RFC 9051 §9 `seq-number`). `*` in an empty mailbox is such a number too."""
        if self.tail and not exists:
            return True
        return bool(self.ranges) and self.ranges[-1][1] > exists

    def __bytes__(self) -> bytes:
        rendered = _render(self.ranges)
        if not self.tail:
            return rendered
        star = b"*" if self.tail == MAX_NUMBER else b"%d:*" % self.tail
        return rendered + b"," + star if rendered else star


@dataclass(frozen=True, slots=True)
class SavedResult:
    """`$`, the result of the last SEARCH with RETURN (SAVE) (RFC 9051 §6.4.4.1)."""

    def __bytes__(self) -> bytes:
        return b"$"


SAVED_RESULT: Final = SavedResult()

MessageSet = SequenceSet | SavedResult
"""What message commands name: numbers, or `$`."""


def parse_sequence_set(text: bytes) -> SequenceSet | None:
    """A `sequence-set` without `$`; None where the text is none."""
    match = _ONE_RANGE.fullmatch(text)
    if match:
        first = int(match[1])
        last = int(match[2]) if match[2] else first
        if first > MAX_NUMBER or last > MAX_NUMBER:
            return None
        return SequenceSet(((first, last) if first <= last else (last, first),))
    if not _SET.fullmatch(text):
        return None
    members = text.split(b",")
    tail = 0
    if b"*" in text:
        for member in members:
            if b"*" in member:
                # `*:n` is `n:*`; `*` and `*:*` are the last message alone.
                number = member.strip(b":*")
                low = int(number) if number else MAX_NUMBER
                tail = min(tail, low) if tail else low
        members = [member for member in members if b"*" not in member]
        if tail > MAX_NUMBER:
            return None
    if b":" not in text:
        # Thousands of single UIDs, as some clients send them: all in C.
        ranges = tuple(_runs(sorted(set(map(int, members)))))
    else:
        pairs = [member.partition(b":") for member in members]
        ends = [(int(a), int(b or a)) for a, _, b in pairs]
        ranges = _merge([(a, b) if a <= b else (b, a) for a, b in ends])
    if ranges and ranges[-1][1] > MAX_NUMBER:
        return None
    return SequenceSet(ranges, tail)


def parse_uid_set(text: bytes) -> UidSet | None:
    """A set of UIDs without `*` (RFC 7162 `known-uids`); None where the text is none."""
    parsed = parse_sequence_set(text)
    if parsed is None or parsed.tail:
        return None
    return NumberSet(parsed.ranges)


@dataclass(frozen=True, slots=True)
class PartialRange:
    """A page of results: the `first` to the `last` of them, from 1, in their order or, `from_end`,
    in the reverse (RFC 9394 §3.1 `partial-range`). `first` is not above `last`."""

    first: int
    last: int
    from_end: bool = False

    def cut(self, count: int) -> tuple[int, int]:
        """The half-open index range that is the page, of `count` results; may be empty."""
        if self.from_end:
            return max(0, count - self.last), max(0, count - self.first + 1)
        return min(self.first - 1, count), min(self.last, count)

    def __bytes__(self) -> bytes:
        return (b"-%d:-%d" if self.from_end else b"%d:%d") % (self.first, self.last)


_PARTIAL: Final = re.compile(rb"(-?)([1-9][0-9]{0,9}):(-?)([1-9][0-9]{0,9})")


def parse_partial_range(text: bytes) -> PartialRange | None:
    """A `partial-range`; None where the text is none."""
    match = _PARTIAL.fullmatch(text)
    if match is None or match[1] != match[3]:
        return None
    first, last = sorted((int(match[2]), int(match[4])))
    return None if last > MAX_NUMBER else PartialRange(first, last, bool(match[1]))


def _runs(numbers: Sequence[int], *, ascending: bool = True) -> list[Range]:
    """Runs of consecutive numbers; `ascending` promises that they are in strict order."""
    size = len(numbers)
    if not size:
        return []
    if ascending and numbers[-1] - numbers[0] == size - 1:
        return [(numbers[0], numbers[-1])]
    # The differences come from C; only the breaks are touched in Python.
    steps = map(sub, numbers[1:], numbers)
    breaks = [index for index, step in enumerate(steps, 1) if step != 1]
    starts = [numbers[index] for index in breaks]
    ends = [numbers[index - 1] for index in breaks]
    return list(zip([numbers[0], *starts], [*ends, numbers[-1]], strict=True))


def compact(numbers: Sequence[int]) -> bytes:
    """Strictly ascending numbers as the shortest `sequence-set`, for COPYUID, VANISHED, ESEARCH.

    Empty for no numbers: the wire cannot say it, the caller leaves the item out.
    """
    return _render(_runs(numbers))


def in_order(numbers: Sequence[int]) -> bytes:
    """Numbers in the order given, runs of ascending neighbours joined, none sorted or merged.

    For COPYUID and MULTIAPPEND's APPENDUID, whose two sets correspond by position (RFC 4315 §3).
    """
    return _render(_runs(numbers, ascending=False))


def pieces(numbers: Sequence[int], step: int) -> Iterator[bytes]:
    """`in_order` in pieces, each made of `step` numbers: what is long is not made in one go."""
    comma = b""
    waiting: list[Range] = []
    for start in range(0, len(numbers), step):
        runs = _runs(numbers[start : start + step], ascending=False)
        if waiting and runs[0][0] == waiting[0][1] + 1:
            runs[0] = waiting[0][0], runs[0][1]
        else:
            runs[:0] = waiting
        waiting = [runs.pop()]
        if runs:
            yield comma + _render(runs)
            comma = b","
    if waiting:
        yield comma + _render(waiting)
