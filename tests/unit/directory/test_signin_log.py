"""Whoever is refused does not decide how long the log grows."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from malleposte.directory import signin_log
from malleposte.directory.signin_log import SAID_EVERY, SignInLog
from malleposte.policy.log_ration import ALL_LINES, NETWORK_LINES, NETWORKS
from support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


def test_the_first_refusals_are_written_and_every_success(clock: Clock, lines: list[Any]) -> None:
    log = SignInLog(clock=clock)
    for _ in range(NETWORK_LINES):
        log.refused("imap", "192.0.2.1", "wrong")
    for number in range(1000):
        log.signed_in("submission", number, "192.0.2.1", tls=True)
    assert len(lines) == NETWORK_LINES + 1000
    assert lines[0]["event"] == "imap_sign_in_refused"
    assert (lines[0]["peer"], lines[0]["reason"]) == ("192.0.2.1", "wrong")
    assert lines[-1]["event"] == "submission_signed_in"
    assert (lines[-1]["account"], lines[-1]["tls"]) == (999, True)


def test_one_network_fills_nothing_and_hides_no_other(clock: Clock, lines: list[Any]) -> None:
    log = SignInLog(clock=clock)
    for number in range(20_000):
        log.refused("imap", f"2001:db8::{number % 5000:x}", "wrong")
    log.refused("submission", "192.0.2.9", "too many")
    assert len(lines) == NETWORK_LINES + 1
    assert lines[-1]["peer"] == "192.0.2.9"
    clock.now += 30
    log.refused("imap", "2001:db8::1", "wrong")
    assert lines[-1]["unwritten"] == 20_000 - NETWORK_LINES
    log.refused("imap", "2001:db8::1", "wrong")
    assert "unwritten" not in lines[-1]


def test_many_networks_fill_nothing_either(clock: Clock, lines: list[Any]) -> None:
    log = SignInLog(clock=clock)
    for number in range(20_000):
        log.refused("imap", f"10.1.{number >> 8 & 255}.{number & 255}", "wrong")
    assert len(lines) == ALL_LINES
    assert len(log) == NETWORKS
    clock.now += 60
    log.refused("imap", "192.0.2.9", "wrong")
    assert lines[-1]["peer"] == "192.0.2.9"


def test_who_signs_in_with_each_request_is_written_now_and_then(
    clock: Clock, lines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signin_log, "MOST_SAID", 2)
    log = SignInLog(clock=clock)
    for peer in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
        log.asked("jmap", 1, peer, tls=True)
    assert len(lines) == 2
    log.asked("jmap", 2, "192.0.2.1", tls=True)
    assert len(log._said) == 2
    before = len(lines)
    log.asked("jmap", 2, "192.0.2.1", tls=True)
    assert len(lines) == before
    clock.now += SAID_EVERY
    log.asked("jmap", 2, "192.0.2.1", tls=True)
    assert len(lines) == before + 1
