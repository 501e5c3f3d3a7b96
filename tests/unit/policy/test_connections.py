"""Connections before sign-in are counted by network, and every count is given back."""

import hypothesis.strategies as st
from hypothesis import given

from malleposte.policy.connections import Admission, ConnectionLimit, ConnectionSettings


def test_a_network_may_hold_so_many_and_others_are_not_touched() -> None:
    limit = ConnectionLimit(ConnectionSettings(per_network=2))
    first, second = limit.admit("192.0.2.1"), limit.admit("::ffff:192.0.2.1")
    assert first is not None
    assert second is not None
    assert limit.admit("192.0.2.1") is None
    assert limit.admit("192.0.2.2") is not None
    first.close()
    assert limit.admit("192.0.2.1") is not None


def test_who_signed_in_does_not_count_for_the_network_any_more() -> None:
    limit = ConnectionLimit(ConnectionSettings(per_network=1))
    first = limit.admit("2001:db8::1")
    assert first is not None
    assert limit.admit("2001:db8::2") is None
    first.signed_in()
    second = limit.admit("2001:db8::2")
    assert second is not None
    assert limit.total == 2
    first.close()
    assert limit.admit("2001:db8::3") is None, "the first was not counted here any more"


def test_all_together_are_bounded() -> None:
    limit = ConnectionLimit(ConnectionSettings(per_network=10, total=3))
    admissions = [limit.admit(f"192.0.2.{n}") for n in range(4)]
    assert [admission is not None for admission in admissions] == [True, True, True, False]


@given(st.lists(st.tuples(st.sampled_from(["open", "sign in", "close"]), st.integers(0, 9))))
def test_counts_are_those_of_a_simple_model(steps: list[tuple[str, int]]) -> None:
    limit = ConnectionLimit(ConnectionSettings(per_network=3, total=6))
    live: list[tuple[Admission, int]] = []
    every: list[Admission] = []
    anonymous = dict.fromkeys(range(3), 0)
    for step, number in steps:
        if step == "open":
            network = number % 3
            admission = limit.admit(f"192.0.2.{network}")
            assert (admission is not None) == (len(live) < 6 and anonymous[network] < 3)
            if admission is not None:
                live.append((admission, network))
                every.append(admission)
                anonymous[network] += 1
        elif live:
            admission, network = live[number % len(live)]
            if admission._anonymous:
                anonymous[network] -= 1
            if step == "close":
                live.remove((admission, network))
                admission.close()
            admission.signed_in()  # a second time, or after the end: no effect
        assert limit.total == len(live)
    for admission in every:
        admission.close()
        admission.close()
    assert limit.total == 0
    assert limit._anonymous == {}
