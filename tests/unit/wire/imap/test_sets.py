"""Sets of numbers: what a client may write, what `*` means, and that nothing is ever expanded."""

from __future__ import annotations

from array import array

import pytest

from malleposte.wire.imap.sets import (
    MAX_NUMBER,
    NumberSet,
    PartialRange,
    SequenceSet,
    compact,
    in_order,
    parse_partial_range,
    parse_sequence_set,
    parse_uid_set,
    pieces,
)


@pytest.mark.parametrize(
    ("text", "ranges", "tail"),
    [
        (b"1", ((1, 1),), 0),
        (b"2,4:7,9,12:*", ((2, 2), (4, 7), (9, 9)), 12),  # RFC 9051 §9
        (b"7:4", ((4, 7),), 0),
        (b"1,2,3,5", ((1, 3), (5, 5)), 0),
        (b"5,3,1,4", ((1, 1), (3, 5)), 0),
        (b"1:3,2:6,7", ((1, 7),), 0),
        (b"*", (), MAX_NUMBER),
        (b"*:*", (), MAX_NUMBER),
        (b"*:4", (), 4),
        (b"9:*,4:*", (), 4),
        (b"*,5:*", (), 5),
        (b"4294967295", ((MAX_NUMBER, MAX_NUMBER),), 0),
        (b"1:4294967295", ((1, MAX_NUMBER),), 0),
    ],
)
def test_parse(text: bytes, ranges: tuple[tuple[int, int], ...], tail: int) -> None:
    assert parse_sequence_set(text) == SequenceSet(ranges, tail)


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"0", b"01", b"1,", b",1", b"1,,2", b"1:", b":1", b"1:2:3", b"a", b"-1", b"+1"),
        *(b" 1", b"1 ", b"1_0", b"**", b"*1", b"0:*", b"*:0", b"1,0", b"$", b"1.5"),
        *(b"4294967296", b"4294967296,1", b"1:4294967296", b"4294967296:*", b"99999999999"),
    ],
)
def test_parse_refuses(text: bytes) -> None:
    assert parse_sequence_set(text) is None


def test_a_set_of_uids_has_no_star() -> None:
    assert parse_uid_set(b"1:3,7") == NumberSet(((1, 3), (7, 7)))
    assert parse_uid_set(b"1:*") is None


@pytest.mark.parametrize(
    ("text", "highest", "numbers"),
    [
        (b"1:3", 10, b"1:3"),
        (b"1:30", 10, b"1:10"),
        (b"20:30", 10, b""),
        (b"5:*", 10, b"5:10"),
        (b"15:*", 10, b"10"),  # RFC 9051 §9: the order does not matter, so the last message
        (b"*", 10, b"10"),
        (b"2,9:*,15:*", 10, b"2,9:10"),
        (b"1,12,9:*", 10, b"1,9:10"),
        (b"1:*", 0, b""),
        (b"*", 0, b""),
        (b"1:4294967295", 4294967295, b"1:4294967295"),
    ],
)
def test_resolve(text: bytes, highest: int, numbers: bytes) -> None:
    parsed = parse_sequence_set(text)
    assert parsed is not None
    assert bytes(parsed.resolve(highest)) == numbers


@pytest.mark.parametrize(
    ("text", "exists", "beyond"),
    [
        (b"1:3", 3, False),
        (b"1:4", 3, True),
        (b"*", 3, False),
        (b"*", 0, True),
        (b"9:*", 3, False),
        (b"1,9", 3, True),
    ],
)
def test_numbers_that_the_mailbox_does_not_have(text: bytes, exists: int, beyond: bool) -> None:
    parsed = parse_sequence_set(text)
    assert parsed is not None
    assert parsed.beyond(exists) is beyond


def test_rendering_says_the_same() -> None:
    for text in (b"1:3,7,12:*", b"*", b"4:*", b"1"):
        parsed = parse_sequence_set(text)
        assert parsed is not None
        assert bytes(parsed) == text


def test_contains_and_count() -> None:
    numbers = NumberSet.of([(7, 5), (1, 2), (3, 3), (4294967295, 4294967295)])
    assert numbers.ranges == ((1, 3), (5, 7), (4294967295, 4294967295))
    assert numbers.count() == 7
    assert [n for n in range(10) if n in numbers] == [1, 2, 3, 5, 6, 7]
    assert 4294967295 in numbers
    assert not NumberSet()
    assert 1 not in NumberSet()


def test_intersection_with_the_uids_of_a_mailbox() -> None:
    uids = array("I", [2, 3, 5, 8, 13, 21, 34])
    everything = NumberSet(((1, MAX_NUMBER),))
    assert list(everything.slices(uids)) == [(0, 7)]
    assert everything.intersect(uids) == uids
    some = NumberSet(((1, 1), (3, 4), (5, 13), (22, 33), (34, 40)))
    assert list(some.slices(uids)) == [(1, 2), (2, 5), (6, 7)]
    assert some.intersect(uids) == array("I", [3, 5, 8, 13, 34])
    assert NumberSet(((35, 99),)).intersect(uids) == array("I")
    assert everything.intersect(array("I")) == array("I")


def test_compact() -> None:
    assert compact([]) == b""
    assert compact([7]) == b"7"
    assert compact(array("I", range(5, 10))) == b"5:9"
    assert compact(array("I", [1, 2, 3, 5, 7, 8])) == b"1:3,5,7:8"
    assert compact(range(1, 200_001)) == b"1:200000"
    assert compact([1, MAX_NUMBER]) == b"1,4294967295"


def test_in_order_keeps_pairs_together() -> None:
    # RFC 4315 §3: the nth source stands for the nth target.
    assert in_order([]) == b""
    assert in_order([304, 319, 320]) == b"304,319:320"
    assert in_order([3, 2, 1]) == b"3,2,1"
    assert in_order([5, 6, 1, 2]) == b"5:6,1:2"
    assert in_order([1, 3, 2, 4]) == b"1,3,2,4"  # as long as a run, and none
    assert in_order([1, 3, 3, 4]) == b"1,3,3:4"


def test_union() -> None:
    left = NumberSet(((1, 3), (10, 12)))
    assert left.union(NumberSet(((4, 5), (11, 20)))) == NumberSet(((1, 5), (10, 20)))


@pytest.mark.parametrize(
    ("text", "page"),
    [
        (b"1:500", PartialRange(1, 500)),
        (b"500:400", PartialRange(400, 500)),
        (b"-1:-100", PartialRange(1, 100, from_end=True)),
        (b"-100:-1", PartialRange(1, 100, from_end=True)),
        (b"7:7", PartialRange(7, 7)),
        (b"1", None),
        (b"0:5", None),
        (b"1:*", None),
        (b"-1:5", None),
        (b"1:-5", None),
        (b"1:4294967296", None),
        (b"", None),
    ],
)
def test_pages(text: bytes, page: PartialRange | None) -> None:
    assert parse_partial_range(text) == page


@pytest.mark.parametrize(
    ("page", "found"),
    [
        (b"1:2", [10, 20]),
        (b"2:9", [20, 30, 40]),
        (b"5:9", []),
        (b"-1:-1", [40]),
        (b"-2:-3", [20, 30]),
        (b"-3:-9", [10, 20]),
        (b"-5:-9", []),
    ],
)
def test_a_page_of_results(page: bytes, found: list[int]) -> None:
    parsed = parse_partial_range(page)
    assert parsed is not None
    start, stop = parsed.cut(4)
    assert [10, 20, 30, 40][start:stop] == found
    assert parsed.cut(0)[0] >= parsed.cut(0)[1]


@pytest.mark.parametrize("numbers", [[], [4], [1, 2, 3, 4, 5, 6, 7], [5, 3, 4, 5, 1, 9, 8], [2, 2]])
@pytest.mark.parametrize("step", [1, 2, 3, 100])
def test_pieces_make_the_whole(numbers: list[int], step: int) -> None:
    assert b"".join(pieces(numbers, step)) == in_order(numbers)
