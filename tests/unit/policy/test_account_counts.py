"""Sessions of an account are counted over all workers, and none is counted for another account."""

from __future__ import annotations

import mmap

import pytest

from malleposte.policy import account_counts
from malleposte.policy.account_counts import PLACES, AccountCounts, shared_memory

WORKERS = 3


@pytest.fixture
def memory() -> mmap.mmap:
    return shared_memory(WORKERS)


def workers(memory: mmap.mmap) -> list[AccountCounts]:
    return [AccountCounts(memory, WORKERS, row) for row in range(WORKERS)]


def test_one_worker_alone() -> None:
    counts = AccountCounts()
    assert [counts.enter(7, 2) for _ in range(3)] == [True, True, False]
    assert counts.total(7) == 2
    counts.leave(7)
    assert counts.enter(7, 2)


def test_the_limit_holds_over_all_workers(memory: mmap.mmap) -> None:
    """The newest is refused, whichever worker it came to, and what was refused is not counted."""
    all_ = workers(memory)
    entered = [all_[n % WORKERS].enter(1, 7) for n in range(20)]
    assert entered == [True] * 7 + [False] * 13
    assert {one.total(1) for one in all_} == {7}
    all_[0].leave(1)
    assert all_[2].enter(1, 7)
    assert not all_[1].enter(1, 7)


def test_accounts_do_not_count_for_each_other(memory: mmap.mmap) -> None:
    """Also those that fall on the same place."""
    first, second, _ = workers(memory)
    same = [5 + n * PLACES for n in range(4)]
    for account in same:
        for _ in range(account // PLACES + 1):
            assert first.enter(account, 10)
    assert second.enter(same[2], 10)
    assert [second.total(account) for account in same] == [1, 2, 4, 4]
    for _ in range(2):
        first.leave(same[1])
    assert [second.total(account) for account in same] == [1, 0, 4, 4]


def test_without_a_place_a_worker_still_counts_its_own(
    memory: mmap.mmap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_counts, "NEAR", 1)
    first, second, _ = workers(memory)
    assert first.enter(5, 10)
    other = 5 + PLACES
    assert [first.enter(other, 2) for _ in range(3)] == [True, True, False]
    assert second.total(5) == 1
    assert second.total(other) == 0
    first.leave(5)
    # The place is free now, and taken with the next session.
    first.leave(other)
    assert second.total(other) == 1


def test_a_worker_that_begins_anew_holds_nothing(memory: mmap.mmap) -> None:
    """Its predecessor may have died with sessions open."""
    first, second, _ = workers(memory)
    for _ in range(5):
        assert first.enter(9, 5)
    assert not second.enter(9, 5)
    first = AccountCounts(memory, WORKERS, 0)
    assert second.total(9) == 0
    assert second.enter(9, 5)
    assert first.total(9) == 1
