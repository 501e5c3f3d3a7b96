"""So many an hour, of each account by itself, and nothing remembered of the hour before."""

from malleposte.policy.hourly import Hourly


def test_each_account_has_so_many_an_hour() -> None:
    now = 7200.0
    hourly = Hourly(2, lambda: now)
    assert [hourly.take(1) for _ in range(3)] == [True, True, False]
    assert hourly.take(2)
    now += 3599
    assert not hourly.take(1), "the same hour"
    now += 1
    assert [hourly.take(1) for _ in range(3)] == [True, True, False]


def test_the_hour_before_is_forgotten() -> None:
    now = 0.0
    hourly = Hourly(1, lambda: now)
    for account in range(100):
        hourly.take(account)
    now = 3600.0
    assert hourly.take(5)
    assert len(hourly._counts) == 1
