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


def test_an_account_may_hold_so_many_wherever_they_come_from() -> None:
    limit = ConnectionLimit(ConnectionSettings(per_network=1, per_account=2))

    def come(number: int, account: int) -> tuple[Admission, bool]:
        admission = limit.admit(f"192.0.2.{number}")
        assert admission is not None
        return admission, admission.signed_in(account)

    admissions = [come(number, 7) for number in range(4)]
    assert [good for _, good in admissions] == [True, True, False, False]
    assert limit.admit("192.0.2.3") is None, "who was refused still counts for his network"
    assert come(4, 8)[1]
    assert come(5, 0)[1], "an account that is counted elsewhere"
    admissions[0][0].close()
    assert admissions[2][0].signed_in(7)
    # One connection signs in again as another: it is that one's from now on.
    assert admissions[1][0].signed_in(8)
    assert come(6, 7)[1]
    assert not come(7, 7)[1]


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
            if admission._account is None:
                anonymous[network] -= 1
            if step == "close":
                live.remove((admission, network))
                admission.close()
            assert admission.signed_in(1 + number % 2)  # once more, as another, or after the end
            held = [a._account for a, _ in live]
            assert all(limit._accounts.get(n, 0) == held.count(n) for n in (1, 2))
        assert limit.total == len(live)
    for admission in every:
        admission.close()
        admission.close()
    assert limit.total == 0
    assert limit._anonymous == {}
    assert limit._accounts == {}
