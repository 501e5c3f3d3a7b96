r"""A reader's marks in arrays: against a plain dictionary, and what they take."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.store.marks import Mark, Marks

SMALL = st.integers(1, 1_000)
PAST_32_BITS = st.integers((1 << 31) - 3, (1 << 31) + 3) | st.integers(1 << 40, 1 << 60)
MARKS = st.lists(
    st.tuples(st.integers(1, 40), st.integers(0, 1), SMALL | PAST_32_BITS), max_size=30
)
UIDS = st.sets(st.integers(1, 40), max_size=40).map(sorted)


def held(marks: Marks, uids: list[int]) -> dict[int, tuple[int, int]]:
    """What there is on messages, asked for one by one."""
    return {uid: mark for uid in uids if (mark := marks.of(uid))}


def later(batches: list[list[Mark]]) -> dict[int, tuple[int, int]]:
    """The mark that counts on each message."""
    found: dict[int, tuple[int, int]] = {}
    for uid, seen, modseq in (mark for batch in batches for mark in batch):
        if (modseq, seen) > tuple(reversed(found.get(uid, (0, 0)))):
            found[uid] = seen, modseq
    return found


@given(batches=st.lists(MARKS, max_size=5), there=UIDS, bounds=st.tuples(SMALL, SMALL))
def test_of_marks_on_a_message_the_latest_counts(
    batches: list[list[Mark]], there: list[int], bounds: tuple[int, int]
) -> None:
    """In whatever order and pieces they come, whatever is asked of them, past 32 bits too."""
    marks = Marks()
    for batch in batches:
        marks.put(batch)
    expected = later(batches)
    assert held(marks, list(range(1, 42))) == expected
    assert len(marks) == len(expected)

    start, stop = sorted(bound % (len(there) + 1) for bound in bounds)
    among = marks.among(array("I", there), start, stop)
    found = [(there[start + at], (value & 1, value >> 1)) for at, value in among]
    assert found == [(uid, expected[uid]) for uid in there[start:stop] if uid in expected]

    marks.keep(there)
    assert held(marks, list(range(1, 42))) == {u: m for u, m in expected.items() if u in there}


@pytest.mark.parametrize("modseq", [1, (1 << 31) - 1, 1 << 31, (1 << 62) - 1])
@pytest.mark.parametrize("seen", [0, 1])
def test_a_modseq_of_any_size_comes_back(modseq: int, seen: int) -> None:
    marks = Marks()
    marks.put([(1, 1, 5)])
    marks.put([(2, seen, modseq)])
    assert (marks.of(1), marks.of(2), marks.of(3)) == ((1, 5), (seen, modseq), None)
