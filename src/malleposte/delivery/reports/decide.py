"""Who is told what became of a message (RFC 3461 §4.1, §5.2): a failure unless he asked not to be told, a
delay likewise, a delivery only where he asked and no other server will tell him.

Nothing is ever told to the null sender: so a report that cannot be delivered ends there.
"""

import time
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Final

import msgspec
import structlog

from malleposte.delivery.outbound import Settled
from malleposte.store.commands import DELIVERED, FAILED, WAITS, Report
from malleposte.store.results import TakenMessage
from malleposte.wire.smtp import Notify
from malleposte.wire.smtp.dsn import parse_notify
from malleposte.wire.smtp.reply import PeerError

from .job import REPORT_JOB, Fate, ReportJob

log = structlog.get_logger(__name__)

WORDS: Final = 1_000
"""Characters of an answer that a report keeps."""
PREFIX: Final = 64 * 1024
"""Octets of what stands before the content that a report keeps."""
TOGETHER: Final = 500
"""Recipients in one report."""


def reporting(settled: Sequence[Settled]) -> tuple[Report, ...]:
    """``reports`` for outcomes of several messages: what the outbound side calls."""
    at = int(time.time())
    messages: dict[int, list[Settled]] = {}
    for one in settled:
        if not one.message.sender and one.outcome.state == FAILED:
            # What its own sender is not told: a report, or somebody's answering machine.
            log.info("mail of the null sender was not delivered", to=one.recipient.address)
        messages.setdefault(one.message.id, []).append(one)
    return tuple(
        report for ones in messages.values() for report in reports(ones[0].message, ones, at=at)
    )


def reports(
    message: TakenMessage, outcomes: Iterable[Settled], *, at: int = 0
) -> tuple[Report, ...]:
    """The reports to a message's sender that follow from outcomes, one for each kind of outcome. ``at``:
    when it happened, 0 where nobody knows."""
    if not message.sender:
        return ()
    told: dict[str, list[Settled]] = {}
    for one in outcomes:
        if action := _told(one):
            told.setdefault(action, []).append(one)
    return tuple(
        _report(message, action, ones[start : start + TOGETHER], at)
        for action, ones in told.items()
        for start in range(0, len(ones), TOGETHER)
    )


def _told(one: Settled) -> str:
    """The action that the sender is told about a recipient, '' for nothing."""
    notify = notify_of(one.recipient.notify)
    match one.outcome.state:
        case state if state == FAILED and (notify is None or Notify.FAILURE in notify):
            return "failed"
        case state if state == WAITS and one.outcome.warned and not one.recipient.warned:
            # RFC 3461 §4.1: without NOTIFY it is ours to choose.
            return "delayed" if notify is None or Notify.DELAY in notify else ""
        case state if state == DELIVERED and not one.reports and notify is not None:
            # RFC 3461 §5.2.2: a server that makes reports will make this one.
            return "relayed" if Notify.SUCCESS in notify else ""
    return ""


def notify_of(value: str) -> Notify | None:
    """NOTIFY as it came; None where it did not, or says nothing."""
    try:
        return parse_notify(value.encode("ascii")) if value else None
    except (PeerError, UnicodeEncodeError):
        return None


def _report(message: TakenMessage, action: str, ones: Sequence[Settled], at: int) -> Report:
    tries = sorted((one.outcome.n, one.outcome.attempt) for one in ones)
    digest = blake2b(msgspec.msgpack.encode(tries), digest_size=10).hexdigest()
    key = f"{message.id}.{action}.{digest}"
    job = ReportJob(
        key=key,
        action=action,
        at=at,
        message=message.id,
        trace=message.trace,
        account=message.account,
        sender=message.sender,
        blob=message.blob,
        prefix=message.prefix if len(message.prefix) <= PREFIX else b"",
        size=message.size,
        ret=message.ret.upper(),
        envelope=message.envelope,
        created_at=message.created_at,
        expires_at=message.expires_at,
        fates=tuple(map(_fate, ones)),
    )
    return Report(
        kind=REPORT_JOB,
        key=key,
        payload=msgspec.msgpack.encode(job),
        tries=tuple((message.id, n, attempt) for n, attempt in tries),
    )


def _fate(one: Settled) -> Fate:
    return Fate(
        address=one.recipient.address,
        status=one.status,
        original=one.recipient.original,
        reply=one.reply[:WORDS],
        said=one.outcome.said[:WORDS],
        remote=_name(one.remote),
        asked=notify_of(one.recipient.notify) is not None,
    )


def _name(host: str) -> str:
    """A server's name of ``mx.example [192.0.2.1]:25``."""
    return host.partition(" ")[0][:255]
