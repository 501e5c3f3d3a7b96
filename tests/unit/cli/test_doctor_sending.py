"""What ``doctor`` says of the resolver: whether mail can leave, and whether DANE is on."""

from collections.abc import Iterator

import pytest

from malleposte.cli.doctor import sending
from malleposte.cli.doctor.check import Check
from malleposte.delivery.outbound.resolver import Resolver
from malleposte.node.config import Configuration
from malleposte.node.config_sending import Sending
from support.zone import SERVFAIL, Zone, serving


@pytest.fixture
def zone() -> Iterator[Zone]:
    zone = Zone()
    zone.add("org", soa="a.example. b.example. 1 2 3 4 5")
    with serving(zone):
        yield zone


def looked(zone: Zone, *, enabled: bool = True, dane: bool = True) -> list[Check]:
    wanted = Sending(enabled=enabled, dane=dane, resolvers="127.0.0.1", resolver_port=zone.port)
    return list(sending.checks(Configuration(sending=wanted)))


def test_a_validating_resolver_on_loopback_is_right(zone: Zone) -> None:
    zone.secure = {"org"}
    (check,) = looked(zone)
    assert (check.state, "DANE is on" in check.text) == ("ok", True)


def test_one_that_does_not_validate_is_told(zone: Zone) -> None:
    (check,) = looked(zone)
    assert check.state == "warn"
    assert "does not validate: DANE is off" in check.text
    assert "unbound" in check.remedy


def test_one_elsewhere_is_told_whatever_it_says(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone.secure = {"org"}
    monkeypatch.setattr(Resolver, "validating", False)
    (check,) = looked(zone)
    assert check.state == "warn"
    assert "not on this machine's loopback" in check.text
    assert "DANE is off" in check.text


def test_one_that_does_not_answer_is_wrong(zone: Zone) -> None:
    zone.broken["org"] = SERVFAIL
    (check,) = looked(zone)
    assert check.state == "wrong"
    assert "SERVFAIL: no mail can leave" in check.text


def test_who_does_not_want_dane_is_not_warned(zone: Zone) -> None:
    (check,) = looked(zone, dane=False)
    assert (check.state, check.text) == ("ok", "it answers; DANE is turned off (sending.dane)")


def test_who_sends_nothing_needs_none(zone: Zone) -> None:
    assert looked(zone, enabled=False) == []
