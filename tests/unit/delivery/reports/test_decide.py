"""Who is told what: outcomes by NOTIFY, as RFC 3461 has it, and never the null sender."""

from collections.abc import Callable

import msgspec
import pytest
from structlog.testing import capture_logs

from malleposte.delivery.outbound import Settled
from malleposte.delivery.reports import REPORT_JOB, read_job, reporting, reports
from malleposte.delivery.reports.decide import TOGETHER, WORDS
from malleposte.store.results import TakenMessage

Settle = Callable[..., Settled]
Message = Callable[..., TakenMessage]

NOTIFIES = ["", "NEVER", "FAILURE", "DELAY", "SUCCESS", "SUCCESS,FAILURE", "FAILURE,DELAY", "odd"]
TOLD = {
    # state: who hears it, in the order of NOTIFIES
    "failed": "failed - failed - - failed failed failed",
    "warned": "delayed - - delayed - - delayed delayed",
    "delivered": "- - - - relayed relayed - -",
    "waits": "- - - - - - - -",
}
TABLE = [
    (state, notify, told.replace("-", ""))
    for state, row in TOLD.items()
    for notify, told in zip(NOTIFIES, row.split(), strict=True)
]


@pytest.mark.parametrize(("state", "notify", "told"), TABLE)
@pytest.mark.parametrize("sender", ["ada@example.test", ""])
def test_who_is_told_what(
    settle: Settle, message: Message, state: str, notify: str, told: str, sender: str
) -> None:
    of = message(sender=sender)
    found = reports(of, [settle(state, notify, message=of)])
    assert [read_job(one.payload).action for one in found] == ([told] if told and sender else [])
    assert all(one.kind == REPORT_JOB for one in found)


def test_a_server_that_makes_reports_makes_this_one(settle: Settle, message: Message) -> None:
    assert reports(message(), [settle("delivered", "SUCCESS", reports=True)]) == ()


def test_a_delay_is_told_once(settle: Settle, message: Message) -> None:
    assert reports(message(), [settle("warned", already=True)]) == ()


def test_what_happened_alike_is_told_together(settle: Settle, message: Message) -> None:
    found = reports(
        message(),
        [
            settle("failed", n=0),
            settle("warned", n=1),
            settle("failed", n=2, address="carl@c.example"),
            settle("delivered", "SUCCESS", n=3),
            settle("delivered", n=4),
        ],
    )
    jobs = [read_job(one.payload) for one in found]
    assert [(job.action, len(job.fates)) for job in jobs] == [
        ("failed", 2),
        ("delayed", 1),
        ("relayed", 1),
    ]
    assert [fate.address for fate in jobs[0].fates] == ["bob@b.example", "carl@c.example"]


def test_a_report_has_one_key_however_often_its_outcome_is_recorded(
    settle: Settle, message: Message
) -> None:
    one, two = settle("failed", n=1), settle("failed", n=2)
    (first,) = reports(message(), [one, two], at=1)
    (again,) = reports(message(), [two, one], at=2)
    assert first.key == again.key == read_job(first.payload).key
    others = [
        reports(message(), [one]),
        reports(message(), [settle("failed", n=1, attempt=2)]),
        reports(message(id=10), [one]),
        reports(message(), [settle("warned", n=1)]),
    ]
    keys = {first.key, *(each[0].key for each in others)}
    assert len(keys) == 5


def test_a_report_knows_what_its_words_need(settle: Settle, message: Message) -> None:
    of = message(ret="hdrs", envelope="QQ1", prefix=b"Received: x\r\n")
    (one,) = reports(
        of, [settle("failed", "FAILURE", original="rfc822;Bob@b.example", message=of)], at=42
    )
    job = read_job(one.payload)
    assert (job.ret, job.envelope, job.prefix, job.at) == ("HDRS", "QQ1", b"Received: x\r\n", 42)
    (fate,) = job.fates
    assert fate.original == "rfc822;Bob@b.example"
    assert fate.reply == "550 5.1.1 unknown"
    assert fate.asked


def test_words_and_numbers_are_bounded(settle: Settle, message: Message) -> None:
    many = [settle("failed", n=n, reply="5" * 9_000, said="x" * 9_000) for n in range(TOGETHER + 1)]
    found = reports(message(prefix=b"x" * 1_000_000), many)
    assert [len(read_job(one.payload).fates) for one in found] == [TOGETHER, 1]
    assert all(len(one.payload) < TOGETHER * (2 * WORDS + 500) for one in found)


def test_the_outbound_side_hands_over_several_messages(settle: Settle, message: Message) -> None:
    one, two, null = message(id=1), message(id=2), message(id=3, sender="")
    found = reporting([settle(message=m) for m in (one, two, null, one)])
    assert [read_job(report.payload).message for report in found] == [1, 2]
    assert all(read_job(report.payload).at > 0 for report in found)


def test_where_a_report_fails_the_log_has_it(settle: Settle, message: Message) -> None:
    with capture_logs() as logs:
        assert reporting([settle(message=message(sender=""))]) == ()
        assert reporting([settle("waits", message=message(sender=""))]) == ()
    assert [line["to"] for line in logs] == ["bob@b.example"]


def test_a_report_of_a_newer_version_is_left_to_a_newer_node(
    settle: Settle, message: Message
) -> None:
    (one,) = reports(message(), [settle()])
    newer = msgspec.structs.replace(read_job(one.payload), version=2)
    with pytest.raises(ValueError, match="version 2"):
        read_job(msgspec.msgpack.encode(newer))
