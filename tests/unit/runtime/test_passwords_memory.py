"""What was verified is known for a while, and only that."""

import hypothesis.strategies as st
from hypothesis import given

from malleposte.runtime.passwords_memory import VerifiedMemory
from support.clock import Clock


def test_knows_what_was_remembered_and_nothing_else() -> None:
    memory = VerifiedMemory(600)
    memory.remember("anna", 1, "right")
    assert memory.knows("anna", 1, "right")
    assert not memory.knows("anna", 1, "wrong")
    assert not memory.knows("anna", 2, "right"), "the password was changed since"
    assert not memory.knows("bert", 1, "right")


@given(st.lists(st.tuples(st.text(), st.integers(0, 2**62), st.text()), min_size=2, max_size=2))
def test_no_two_credentials_are_one(pair: list[tuple[str, int, str]]) -> None:
    memory = VerifiedMemory(600)
    memory.remember(*pair[0])
    assert memory.knows(*pair[1]) == (pair[0] == pair[1])


def test_ends_after_its_time_however_often_it_is_used() -> None:
    clock = Clock(1000.0)
    memory = VerifiedMemory(600, clock=clock)
    memory.remember("anna", 1, "right")
    for _ in range(599):
        clock.now += 1
        assert memory.knows("anna", 1, "right")
    clock.now += 1
    assert not memory.knows("anna", 1, "right")
    assert len(memory) == 0


def test_zero_seconds_is_no_memory() -> None:
    memory = VerifiedMemory(0)
    memory.remember("anna", 1, "right")
    assert not memory.knows("anna", 1, "right")


def test_is_bounded_and_drops_the_oldest() -> None:
    memory = VerifiedMemory(600, entries=3)
    for number in range(5):
        memory.remember(f"account {number}", 1, "right")
    assert len(memory) == 3
    assert [memory.knows(f"account {n}", 1, "right") for n in range(5)] == [False, False] + [
        True
    ] * 3


def test_keeps_no_password_and_every_process_has_its_own_key() -> None:
    one, other = VerifiedMemory(600), VerifiedMemory(600)
    one.remember("anna", 1, "right")
    other.remember("anna", 1, "right")
    assert set(one._until).isdisjoint(other._until)
    assert b"right" not in next(iter(one._until))
