"""Reports reflect: whoever has domains names whom he likes as their addressee, so a place gets few."""

import pytest

from malleposte.delivery.tls_reports.bounds import DAY, FAILURES, MOST, Bounds


class Clock:
    now = 100.0 * DAY

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("uri", "same", "other"),
    [
        ("https://v.example/1", "https://V.example:8443/2?x", "https://w.example/"),
        ("mailto:a@v.example", "mailto:A@V.example", "mailto:b@v.example"),
    ],
)
def test_a_place_gets_so_many_a_day(uri: str, same: str, other: str) -> None:
    clock = Clock()
    bounds = Bounds(clock)
    for _ in range(MOST):
        assert bounds.may(uri)
        bounds.took(uri)
    assert not bounds.may(same)
    assert bounds.may(other)
    clock.now += DAY
    assert bounds.may(same)


def test_a_host_that_fails_is_not_asked_again_that_day() -> None:
    clock = Clock()
    bounds = Bounds(clock)
    for _ in range(FAILURES):
        assert bounds.may("https://v.example/")
        bounds.failed("https://v.example/")
    with pytest.raises(TimeoutError, match="failed 5 times today"):
        bounds.may("https://v.example/other")
    clock.now += DAY
    assert bounds.may("https://v.example/")
