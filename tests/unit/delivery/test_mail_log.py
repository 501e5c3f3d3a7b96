"""What came and what was refused stands in the log, and strangers do not fill it."""

import structlog

from malleposte.delivery.mail_log import SHOWN, MailLog
from malleposte.policy.log_ration import NETWORK_LINES


def test_a_message_is_a_line_with_its_number() -> None:
    people = [f"u{n}@example.org" for n in range(SHOWN + 5)]
    with structlog.testing.capture_logs() as lines:
        MailLog().message(
            "submission", "1a2b", "192.0.2.1", "a@b.example", people, 999, [250, 250], account=7
        )
    assert lines == [
        {
            "event": "submission_message",
            "log_level": "info",
            "id": "1a2b",
            "peer": "192.0.2.1",
            "sender": "a@b.example",
            "recipients": people[:SHOWN],
            "more": 5,
            "octets": 999,
            "codes": [250],
            "account": 7,
        }
    ]


def test_refusals_are_rationed_by_network_and_counted() -> None:
    now = 0.0
    log = MailLog(clock=lambda: now)
    with structlog.testing.capture_logs() as lines:
        for n in range(1_000):
            log.refused(
                "smtp", "192.0.2.1", "a@b.example", f"x{n}@example.org", 550, "No such user"
            )
        log.refused("smtp", "198.51.100.1", "", "y@example.org", 550, "No such user")
        now = 60.0
        log.refused("smtp", "192.0.2.1", "", "z@example.org", 550, "No such user")
    assert len(lines) == NETWORK_LINES + 2
    assert lines[0]["recipient"] == "x0@example.org"
    assert lines[-1]["unwritten"] == 1_000 - NETWORK_LINES
