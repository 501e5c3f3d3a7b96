"""Emails in order, with the first of each thread: against a model that sorts anew each time."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.store import ordered
from malleposte.store.ordered import LOW, ByNumber, ByOctets, Entry, Order, Ordered, octets

ORDERS: list[tuple[str, Order]] = [
    ("newest first", ByNumber()),
    ("oldest first", ByNumber(ascending=True)),
    ("octets", ByOctets()),
]

entries = st.lists(
    st.tuples(st.integers(1, 40), st.integers(1, 9), st.tuples(st.integers(0, 12))), max_size=12
)
steps = st.lists(st.tuples(st.lists(st.integers(1, 40), max_size=6), entries), max_size=8)


class Model:
    """What ``Ordered`` must be, in the simplest words."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.emails: dict[int, tuple[int, Any]] = {}

    def change(self, gone: list[int], new: list[Entry]) -> None:
        for number in gone:
            self.emails.pop(number, None)
        for number, thread, values in new:
            self.emails[number] = (thread, self.order.key(number, values))

    def numbers(self, *, collapsed: bool) -> list[int]:
        found = sorted(self.emails, key=lambda number: self.emails[number][1])
        if not collapsed:
            return found
        threads: set[int] = set()
        return [
            number
            for number in found
            if (thread := self.emails[number][0]) not in threads and not threads.add(thread)  # type: ignore[func-returns-value]
        ]


def _values(order: Order, values: Sequence[Any]) -> Sequence[Any]:
    return (octets(values[0], False),) if isinstance(order, ByOctets) else values


@pytest.mark.parametrize(("name", "order"), ORDERS)
@pytest.mark.parametrize("small", [0, 3, 512])
@given(steps=steps)
def test_it_is_what_sorting_anew_gives(
    name: str, order: Order, small: int, steps: list[tuple[list[int], list[Entry]]]
) -> None:
    before, ordered.SMALL = ordered.SMALL, small  # type: ignore[misc]
    try:
        made, model = Ordered(order), Model(order)
        for gone, new in steps:
            # An email keeps its thread for good.
            kept: list[Entry] = [
                (number, number % 9 + 1, _values(order, values)) for number, _, values in new
            ]
            made.change(gone, kept)
            model.change(gone, kept)
            for collapsed in (False, True):
                expected = model.numbers(collapsed=collapsed)
                assert list(made.numbers(collapsed=collapsed)) == expected
                for at, number in enumerate(expected):
                    assert made.position(number, collapsed=collapsed) == at
                assert made.window(2, 5, collapsed=collapsed) == expected[2:7]
            assert len(made) == len(model.emails)
            assert all(made.thread(number) == number % 9 + 1 for number in model.emails)
    finally:
        ordered.SMALL = before  # type: ignore[misc]


def test_what_is_not_the_first_of_its_thread_has_no_place_among_firsts() -> None:
    made = Ordered(ByNumber())
    made.change((), [(1, 7, (100,)), (2, 7, (200,))])
    assert made.position(1, collapsed=False) == 1
    assert made.position(1, collapsed=True) == -1
    assert made.position(3, collapsed=False) == -1


def test_dates_out_of_range_stand_at_the_ends() -> None:
    made = Ordered(ByNumber(ascending=True))
    made.change((), [(1, 1, (LOW + 5,)), (2, 2, (-5,)), (3, 3, (None,)), (4, 4, (1,))])
    assert list(made.numbers(collapsed=False)) == [2, 3, 4, 1]


@pytest.mark.parametrize(("reverse", "expected"), [(True, [3, 1, 2]), (False, [2, 1, 3])])
def test_texts_go_both_ways(reverse: bool, expected: list[int]) -> None:
    made = Ordered(ByOctets())
    made.change((), [(n, n, (octets(text, reverse),)) for n, text in enumerate("bac", 1)])
    assert list(made.numbers(collapsed=False)) == expected


def test_the_newest_stands_first_among_equals() -> None:
    made = Ordered(ByOctets())
    made.change((), [(n, n, (octets("same", False),)) for n in (1, 2)])
    assert list(made.numbers(collapsed=False)) == [2, 1]


@pytest.mark.parametrize(("name", "order"), ORDERS)
def test_what_changes_much_does_so_in_slices_and_shows_at_the_end(
    name: str, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordered, "SMALL", 10)
    monkeypatch.setattr(ordered, "AT_ONCE", 50)
    monkeypatch.setattr(ordered, "RUN", 70)
    made, model = Ordered(order), Model(order)

    def entry(number: int, value: int) -> Entry:
        return number, number % 90 + 1, _values(order, (value,))

    first = [entry(number, number * 7 % 31) for number in range(1, 401)]
    second = [entry(number, number * 5 % 17) for number in range(300, 700)]
    for gone, new in (([], first), (list(range(100, 250)), second), (list(range(1, 700)), [])):
        before = list(made.numbers(collapsed=False))
        slices = 0
        for _ in made.changing(gone, new):
            slices += 1
            assert list(made.numbers(collapsed=False)) == before
        model.change(gone, new)
        assert slices >= (len(new) + len(model.emails)) // 50
        for collapsed in (False, True):
            assert list(made.numbers(collapsed=collapsed)) == model.numbers(collapsed=collapsed)
        assert all(made.thread(number) == number % 90 + 1 for number in model.emails)
