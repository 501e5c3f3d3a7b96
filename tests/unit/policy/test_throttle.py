"""Guessers are slowed down, colleagues never locked out."""

import dataclasses
from collections.abc import Callable

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from malleposte.policy.throttle import Attempt, Throttle, ThrottleSettings
from support.clock import Clock

DEFAULT = ThrottleSettings()
OFFICE, ELSEWHERE = "192.0.2.1", "198.51.100.9"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    return Throttle(DEFAULT, clock=clock)


def fail(throttle: Throttle, address: str, account: str, times: int = 1) -> list[Attempt]:
    attempts = []
    for _ in range(times):
        attempt = throttle.attempt(address, account)
        attempt.ended("failed")
        attempts.append(attempt)
    return attempts


def succeed(throttle: Throttle, address: str, account: str) -> Attempt:
    attempt = throttle.attempt(address, account)
    attempt.ended("succeeded")
    return attempt


def test_a_first_attempt_and_a_few_typing_errors_cost_nothing(throttle: Throttle) -> None:
    assert [a.delay for a in fail(throttle, OFFICE, "anna", 5)] == [0] * 5
    assert throttle.attempt(OFFICE, "anna").delay > 0


def test_delays_double_then_the_pair_is_refused_in_words(throttle: Throttle) -> None:
    attempts = fail(throttle, ELSEWHERE, "anna", 14)
    assert [a.delay for a in attempts[:12]] == [0, 0, 0, 0, 0, 0.5, 1, 2, 4, 5, 5, 5]
    assert [a.refused for a in attempts] == [False] * 12 + [True] * 2
    assert attempts[-1].text == "Too many failed sign-ins from your network; try again in 5 minutes"
    assert attempts[0].text == ""


def test_a_refusal_ends_by_itself_however_often_it_is_run_into(
    throttle: Throttle, clock: Clock
) -> None:
    fail(throttle, ELSEWHERE, "anna", 12)
    for _ in range(299):
        clock.now += 1
        assert fail(throttle, ELSEWHERE, "anna")[0].refused
    clock.now += 2
    assert not throttle.attempt(ELSEWHERE, "anna").refused


def test_failures_fade(throttle: Throttle, clock: Clock) -> None:
    fail(throttle, ELSEWHERE, "anna", 12)
    clock.now += 3600
    assert throttle.attempt(ELSEWHERE, "anna").delay == 0


def test_case_of_the_account_gains_nothing(throttle: Throttle) -> None:
    for name in ("anna", "ANNA", "Anna") * 4:
        fail(throttle, ELSEWHERE, name)
    assert throttle.attempt(ELSEWHERE, "aNNa").refused


def test_addresses_of_one_ipv6_network_are_one(throttle: Throttle) -> None:
    for number in range(12):
        fail(throttle, f"2001:db8::{number:x}", "anna")
    assert throttle.attempt("2001:db8::ffff", "anna").refused
    assert not throttle.attempt("2001:db8:0:1::1", "anna").refused


def test_hanging_up_while_waiting_is_a_failure(throttle: Throttle) -> None:
    for _ in range(12):
        with pytest.raises(ConnectionResetError), throttle.attempt(ELSEWHERE, "anna"):
            raise ConnectionResetError
    assert throttle.attempt(ELSEWHERE, "anna").refused


def test_only_the_first_word_on_an_attempt_counts(throttle: Throttle) -> None:
    for _ in range(12):
        with throttle.attempt(OFFICE, "anna") as attempt:
            attempt.ended("succeeded")
    assert throttle.attempt(OFFICE, "anna").delay == 0


def test_an_attempt_that_could_not_be_compared_does_not_count(throttle: Throttle) -> None:
    for _ in range(50):
        throttle.attempt(OFFICE, "anna").ended("unknown")
    assert throttle.attempt(OFFICE, "anna").delay == 0


def test_after_a_restart_all_clients_of_an_office_come_back_at_once(throttle: Throttle) -> None:
    attempts = [throttle.attempt(OFFICE, f"account {n % 50}") for n in range(200)]
    assert {attempt.delay for attempt in attempts} == {0}
    for attempt in attempts:
        attempt.ended("succeeded")
    assert throttle.attempt(OFFICE, "account 1").delay == 0


class TestOneAccountFromManyNetworks:
    def test_a_stranger_is_delayed_but_not_refused(self, throttle: Throttle) -> None:
        for number in range(200):
            fail(throttle, f"203.0.113.{number}", "anna")
        attempt = throttle.attempt(ELSEWHERE, "anna")
        assert not attempt.refused
        assert attempt.delay == DEFAULT.delay_limit

    def test_a_known_network_is_not_slowed(self, throttle: Throttle) -> None:
        succeed(throttle, OFFICE, "anna")
        for number in range(200):
            fail(throttle, f"203.0.113.{number}", "anna")
        assert throttle.attempt(OFFICE, "anna").delay == 0


class TestManyAccountsFromOneNetwork:
    def test_it_is_slowed_then_refused_for_accounts_not_tried_yet(self, throttle: Throttle) -> None:
        first: int | None = None
        for number in range(60):
            (attempt,) = fail(throttle, ELSEWHERE, f"account {number}")
            if attempt.refused and first is None:
                first = number
        assert first == DEFAULT.network_refused
        assert throttle.attempt(ELSEWHERE, "never tried").refused
        assert not throttle.attempt(OFFICE, "never tried").refused

    def test_one_stale_device_is_one_account(self, throttle: Throttle, clock: Clock) -> None:
        for _ in range(100):
            fail(throttle, OFFICE, "stale")
            clock.now += 5
        assert throttle.attempt(OFFICE, "colleague").delay == 0

    def test_those_who_signed_in_from_there_are_not_slowed(self, throttle: Throttle) -> None:
        succeed(throttle, OFFICE, "anna")
        for number in range(60):
            fail(throttle, OFFICE, f"account {number}")
        assert throttle.attempt(OFFICE, "new one").refused
        attempt = throttle.attempt(OFFICE, "anna")
        assert not attempt.refused
        assert attempt.delay == 0

    def test_old_devices_of_known_people_do_not_close_the_office(self, throttle: Throttle) -> None:
        for number in range(100):
            succeed(throttle, OFFICE, f"account {number}")
            fail(throttle, OFFICE, f"account {number}")
        assert throttle.attempt(OFFICE, "new one").delay == 0


class TestKnownPair:
    def test_a_guesser_beside_the_owner_delays_but_does_not_refuse_him(
        self, throttle: Throttle
    ) -> None:
        succeed(throttle, OFFICE, "anna")
        attempts = fail(throttle, OFFICE, "anna", 100)
        assert not any(attempt.refused for attempt in attempts)
        assert attempts[-1].delay == DEFAULT.delay_limit

    def test_the_guesser_gets_few_attempts_at_a_time(self, throttle: Throttle) -> None:
        succeed(throttle, OFFICE, "anna")
        fail(throttle, OFFICE, "anna", 12)
        attempts = [throttle.attempt(OFFICE, "anna") for _ in range(10)]
        assert [attempt.refused for attempt in attempts] == [False] * 4 + [True] * 6
        assert attempts[-1].retry_after == DEFAULT.delay_limit
        assert attempts[-1].text.endswith("try again in a minute")
        attempts[0].ended("failed")
        assert not throttle.attempt(OFFICE, "anna").refused

    def test_a_success_halves_the_failures(self, throttle: Throttle) -> None:
        fail(throttle, OFFICE, "anna", 6)
        assert throttle.attempt(OFFICE, "anna").delay > 0
        succeed(throttle, OFFICE, "anna")
        assert throttle.attempt(OFFICE, "anna").delay == 0

    def test_is_known_for_its_time(self, throttle: Throttle, clock: Clock) -> None:
        succeed(throttle, OFFICE, "anna")
        clock.now += DEFAULT.known_for
        fail(throttle, OFFICE, "anna", 12)
        assert throttle.attempt(OFFICE, "anna").refused


networks = st.sampled_from([f"203.0.113.{n}" for n in range(20)] + ["2001:db8::1", ""])
accounts = st.sampled_from(["anna", "Anna", "bert"] + [f"account {n}" for n in range(60)])
storms = st.lists(
    st.tuples(networks, accounts, st.sampled_from(["failed", "unknown"]), st.integers(0, 60)),
    max_size=300,
)


@given(storms)
@settings(deadline=None)
def test_whatever_others_do_a_known_owner_signs_in_at_once(
    storm: list[tuple[str, str, str, int]],
) -> None:
    clock = Clock()
    throttle = Throttle(DEFAULT, clock=clock)
    succeed(throttle, OFFICE, "anna")
    for address, account, outcome, seconds in storm:
        throttle.attempt(address, account).ended(outcome)  # type: ignore[arg-type]
        clock.now += seconds
    attempt = throttle.attempt(OFFICE, "anna")
    assert (attempt.delay, attempt.refused) == (0, False)


@given(storms)
@settings(deadline=None)
def test_whatever_others_do_a_stranger_waits_seconds_at_most(
    storm: list[tuple[str, str, str, int]],
) -> None:
    clock = Clock()
    throttle = Throttle(DEFAULT, clock=clock)
    for address, account, outcome, seconds in storm:
        throttle.attempt(address, account).ended(outcome)  # type: ignore[arg-type]
        clock.now += seconds
    attempt = throttle.attempt(ELSEWHERE, "anna")
    assert not attempt.refused
    assert attempt.delay <= DEFAULT.delay_limit


@given(st.integers(1, 60), st.booleans())
@settings(deadline=None, max_examples=20)
def test_what_a_guesser_gets_in_two_hours_is_bounded(at_once: int, owner_is_near: bool) -> None:
    """He tries in parallel all the time, as fast as he is let; a neighbour's success helps little."""
    clock = Clock()
    throttle = Throttle(DEFAULT, clock=clock)
    compared = 0
    if owner_is_near:
        succeed(throttle, OFFICE, "anna")
    while clock.now < 7_200:
        attempts = [throttle.attempt(OFFICE, "anna") for _ in range(at_once)]
        let_in = [attempt for attempt in attempts if not attempt.refused]
        compared += len(let_in)
        waits = [attempt.delay for attempt in let_in] or [attempts[0].retry_after]
        clock.now += max(waits) or 0.1
        for attempt in let_in:
            attempt.ended("failed")
    if owner_is_near:
        # 4 every 5 s, and the first burst.
        assert compared <= 7_200 / 5 * 4 + 2 * at_once + 20
    else:
        # A burst whenever a refusal of 5 minutes ends.
        assert compared <= 7_200 / 300 * (at_once + 8) + at_once + 12


@pytest.mark.parametrize(
    "flood",
    [
        lambda n: (f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", "anna"),
        lambda n: (ELSEWHERE, f"account {n}"),
        lambda n: (f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", f"account {n}"),
    ],
)
def test_memory_is_bounded_and_floods_do_not_push_out_the_known(
    flood: Callable[[int], tuple[str, str]],
) -> None:
    throttle = Throttle(dataclasses.replace(DEFAULT, entries=100), clock=Clock())
    succeed(throttle, OFFICE, "anna")
    for number in range(2000):
        address, account = flood(number)
        throttle.attempt(address, account).ended("failed")
    assert len(throttle) <= 4 * 100
    assert throttle.attempt(OFFICE, "anna").delay == 0


def test_accounts_that_were_tried_are_not_kept_by_name(throttle: Throttle) -> None:
    fail(throttle, OFFICE, "secret name typed as account")
    shown = repr([list(table._table) for table in (throttle._pairs, throttle._accounts)])
    assert "secret" not in shown
