"""Sets against Python's own, and round trips."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from malleposte.wire.imap.sets import (
    MAX_NUMBER,
    NumberSet,
    compact,
    in_order,
    parse_sequence_set,
    parse_uid_set,
)

_small = st.integers(1, 60)
_numbers = st.sets(st.integers(1, 200) | st.integers(1, MAX_NUMBER)).map(sorted)
_member = st.one_of(
    _small.map(lambda n: (n, n)),
    st.tuples(_small, _small),
    st.tuples(_small, st.just("*")),
    st.tuples(st.just("*"), _small),
    st.just(("*", "*")),
)
_Member = tuple[int | str, int | str]


@given(_numbers)
def test_compact_is_read_again(numbers: list[int]) -> None:
    text = compact(numbers)
    if not numbers:
        assert text == b""
        return
    parsed = parse_uid_set(text)
    assert parsed is not None
    assert parsed == NumberSet.from_sorted(numbers)
    assert parsed.count() == len(numbers)
    assert bytes(parsed) == text
    if len(numbers) < 500 and parsed.count() < 500:
        assert [n for a, b in parsed for n in range(a, b + 1)] == numbers


@given(st.lists(st.integers(1, 40), min_size=1))
def test_in_order_expands_to_the_same_list(numbers: list[int]) -> None:
    expanded: list[int] = []
    for piece in in_order(numbers).split(b","):
        first, _, last = piece.partition(b":")
        expanded.extend(range(int(first), int(last or first) + 1))
    assert expanded == numbers


@given(st.lists(_member, min_size=1, max_size=12), st.integers(0, 60))
def test_resolve_means_what_the_rfc_says(members: list[_Member], highest: int) -> None:
    """RFC 9051 §9: `*` is the highest number, and a range is the numbers between its ends."""
    text = ",".join(f"{a}" if a == b else f"{a}:{b}" for a, b in members).encode()
    parsed = parse_sequence_set(text)
    assert parsed is not None
    again = parse_sequence_set(bytes(parsed))
    assert again == parsed
    want: set[int] = set()
    if highest:
        for first, last in members:
            a = highest if isinstance(first, str) else first
            b = highest if isinstance(last, str) else last
            want |= set(range(min(a, b), max(a, b) + 1))
    resolved = parsed.resolve(highest)
    assert [n for a, b in resolved for n in range(a, b + 1)] == sorted(
        n for n in want if n <= highest
    )
    for (_, end), (start, _) in zip(resolved.ranges, resolved.ranges[1:], strict=False):
        assert end + 1 < start


@given(_numbers, st.lists(st.tuples(_small, st.integers(1, 250)), max_size=10))
def test_intersection_against_sets(numbers: list[int], ranges: list[tuple[int, int]]) -> None:
    uids = array("I", numbers)
    chosen = NumberSet.of(ranges)
    members = {n for a, b in chosen for n in range(a, b + 1)}
    assert list(chosen.intersect(uids)) == [n for n in numbers if n in members]
    for start, stop in chosen.slices(uids):
        assert 0 <= start < stop <= len(uids)
    for number in range(1, 70):
        assert (number in chosen) is (number in members)


@given(st.binary(max_size=30))
def test_any_octets(text: bytes) -> None:
    parsed = parse_sequence_set(text)
    if parsed is not None:
        assert parse_sequence_set(bytes(parsed)) == parsed
