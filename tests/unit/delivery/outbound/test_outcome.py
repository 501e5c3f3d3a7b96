"""When what is tried again, and what is said of it."""

import dataclasses
from typing import Any

import pytest

from malleposte.delivery.outbound.outcome import Judge, is_too_many
from malleposte.delivery.outbound.settings import Schedule
from malleposte.delivery.outbound.words import Trouble
from malleposte.store.commands import DELIVERED, FAILED, WAITS, Outcome
from malleposte.store.results import TakenMessage, TakenRecipient
from malleposte.wire.smtp.answers import RemoteReply
from malleposte.wire.smtp.progress import Answer, Step

HOUR, DAY = 3_600, 86_400
NOW = 1_800_000_000
LATER = Trouble("4.2.0", "mx said: later")


def message(age: int = 0, **more: Any) -> TakenMessage:
    values = {
        "id": 1,
        "trace": 1,
        "account": 1,
        "sender": "me@example.org",
        "blob": 1,
        "prefix": b"",
        "size": 10,
        "needs": 0,
        "ret": "",
        "envelope": "",
        "created_at": NOW - age,
        "expires_at": NOW - age + 5 * DAY,
        "recipients": (),
        **more,
    }
    return TakenMessage(**values)


def recipient(**more: Any) -> TakenRecipient:
    values = {
        "n": 0,
        "address": "a@there.example",
        "route": "there.example",
        "notify": "",
        "original": "",
        "attempt": 1,
        "warned": False,
        **more,
    }
    return TakenRecipient(**values)


def judge(jitter: float = 0.5, schedule: Schedule | None = None) -> Judge:
    return Judge(schedule or Schedule(), clock=lambda: NOW, jitter=lambda: jitter)


def pause(age: int, /, status: str = "4.2.0", **more: Any) -> int:
    trouble = dataclasses.replace(LATER, status=status)
    outcome = judge().troubled(message(age, **more), recipient(), trouble).outcome
    assert outcome.state == WAITS
    return outcome.due_at - NOW


def about(seconds: int, wanted: float) -> bool:
    return 0.89 * wanted <= seconds <= 1.11 * wanted


@pytest.mark.parametrize(
    ("age", "wanted"),
    [(0, 300), (300, 300), (600, 420), (3_600, 2_520), (DAY, 4 * HOUR), (4 * DAY, 4 * HOUR)],
)
def test_pauses_grow_with_age(age: int, wanted: int) -> None:
    assert about(pause(age), wanted)


def test_a_full_mailbox_is_left_alone_longer() -> None:
    assert about(pause(0, "4.2.2"), 1_800)


def test_messages_are_spread_and_recipients_of_one_stay_together() -> None:
    dues = {pause(0, id=number) for number in range(100)}
    assert len(dues) > 30
    assert all(270 <= due <= 330 for due in dues)
    assert pause(0, id=7) == pause(0, id=7)


def test_the_last_try_is_at_the_end() -> None:
    assert pause(5 * DAY - 60) == 60
    end = judge().troubled(message(5 * DAY), recipient(), LATER)
    assert (end.outcome.state, end.status) == (FAILED, "5.4.7")
    assert end.outcome.said == "given up after 5 days; at last: mx said: later"


def test_what_is_sent_later_is_as_old_as_its_first_try() -> None:
    sent_later: dict[str, Any] = {"created_at": NOW - 30 * DAY, "expires_at": NOW + 5 * DAY}
    assert about(pause(0, **sent_later), 300)
    assert not judge().troubled(message(**sent_later), recipient(), LATER).outcome.warned


@pytest.mark.parametrize(
    ("age", "sender", "notify", "warned", "expected"),
    [
        (3 * HOUR, "me@example.org", "", False, False),
        (4 * HOUR, "me@example.org", "", False, True),
        (4 * HOUR, "me@example.org", "FAILURE,DELAY", False, True),
        (4 * HOUR, "me@example.org", "FAILURE", False, False),
        (4 * HOUR, "me@example.org", "NEVER", False, False),
        (4 * HOUR, "me@example.org", "", True, False),
        (4 * HOUR, "", "", False, False),
    ],
)
def test_who_is_warned(age: int, sender: str, notify: str, warned: bool, expected: bool) -> None:
    one = recipient(notify=notify, warned=warned)
    settled = judge().troubled(message(age, sender=sender), one, LATER)
    assert settled.outcome.warned is expected
    assert judge().aged(message(age, sender=sender), one) is expected


def test_a_way_that_failed_says_when_by_its_route() -> None:
    settled = judge().troubled(message(), recipient(), LATER, way=True)
    assert settled.outcome.due_at == NOW


def test_a_way_is_left_alone_longer_and_longer() -> None:
    pauses = [judge().closed_until(failures) - NOW for failures in (0, 1, 2, 3, 4, 5, 50)]
    assert pauses == [120, 240, 480, 960, 1_920, 3_600, 3_600]
    assert judge(0.0).closed_until(0) - NOW == 108
    assert judge(1.0).closed_until(0) - NOW == 132


def test_given_back_says_nothing() -> None:
    outcome = judge().given_back(message(), recipient(attempt=3)).outcome
    assert outcome == Outcome(message=1, n=0, attempt=3, state=WAITS, due_at=NOW)


def answered(reply: str, step: Step = Step.RCPT) -> tuple[int, str, str]:
    code, _, text = reply.partition(" ")
    answer = Answer(step, RemoteReply.of(int(code), [text.encode()]))
    settled = judge().answered(
        message(),
        recipient(),
        answer,
        remote="mx.example",
        host="mx.example [192.0.2.1]:25, without TLS",
        ended=True,
        reports=True,
    )
    assert settled.outcome.host == "mx.example [192.0.2.1]:25, without TLS"
    assert settled.reply == reply
    return settled.outcome.state, settled.status, settled.outcome.said


@pytest.mark.parametrize(
    ("reply", "state", "status"),
    [
        ("250 2.0.0 ok", DELIVERED, "2.0.0"),
        ("250 ok", DELIVERED, "2.0.0"),
        ("450 4.2.1 busy", WAITS, "4.2.1"),
        ("450 busy", WAITS, "4.0.0"),
        ("550 5.1.1 no", FAILED, "5.1.1"),
        ("550 no", FAILED, "5.0.0"),
    ],
)
def test_codes(reply: str, state: int, status: str) -> None:
    found = answered(reply)
    assert found[:2] == (state, status)
    assert f"«{reply}»" in found[2]


def test_a_long_answer_stays_short() -> None:
    answer = Answer(Step.RCPT, RemoteReply.of(550, [b"x" * 5_000]))
    told = judge().answered(
        message(), recipient(), answer, remote="mx", host="mx", ended=True, reports=True
    )
    assert len(told.outcome.said) < 1_100


@pytest.mark.parametrize(
    ("reply", "step", "expected"),
    [
        ("452 4.5.3 too many", Step.RCPT, True),
        ("552 too many", Step.RCPT, True),
        ("452 too many", Step.RCPT, True),
        ("452 4.2.2 full", Step.RCPT, False),
        ("552 5.2.2 full", Step.RCPT, False),
        ("452 4.5.3 too many", Step.CONTENT, False),
        ("550 5.1.1 no", Step.RCPT, False),
    ],
)
def test_too_many_recipients(reply: str, step: Step, expected: bool) -> None:
    code, _, text = reply.partition(" ")
    assert is_too_many(Answer(step, RemoteReply.of(int(code), [text.encode()]))) is expected
