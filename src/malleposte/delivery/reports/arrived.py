"""The reports that a message is in the mailboxes of recipients here, or was given to a group («delivered»,
RFC 3461 §5.2.3, §5.2.7.1), and that it went on to several to whom an address leads («expanded», §5.2.7.3).

They are jobs that go into the store with the message. Only senders of ours are told: nobody else is
offered reports.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from malleposte.store.commands import AddJob
from malleposte.wire.smtp import Notify

from .decide import notify_of
from .job import REPORT_JOB, Fate, ReportJob
from .original import header_of


class Arrived(Protocol):
    """A recipient: its address, NOTIFY and ORCPT as they came, whether it goes on to several."""

    @property
    def address(self) -> str: ...
    @property
    def notify(self) -> str: ...
    @property
    def original(self) -> str: ...
    @property
    def expands(self) -> bool: ...


def arrived(
    recipients: Sequence[Arrived],
    *,
    number: int,
    sender: str,
    account: int,
    header: bytes,
    envelope: str,
    at: int,
) -> tuple[AddJob, ...]:
    """The jobs for those who asked to be told. ``number``: the trace's; ``header``: the message's."""
    asked = [one for one in recipients if asks(one.notify)]
    if not asked or not sender:
        return ()
    told = {
        "delivered": [one for one in asked if not one.expands],
        "expanded": [one for one in asked if one.expands],
    }
    return tuple(
        _job(action, ones, number, sender, account, header, envelope, at)
        for action, ones in told.items()
        if ones
    )


def asks(notify: str) -> bool:
    """Whether NOTIFY asks for a report of success."""
    return Notify.SUCCESS in (notify_of(notify) or Notify(0))


def without_success(notify: str) -> str:
    """NOTIFY as it goes on to one of several to whom an address leads (RFC 3461 §5.2.7.3)."""
    if not asks(notify):
        return notify
    left = [one for one in notify.upper().split(",") if one.strip() != "SUCCESS"]
    return ",".join(left) or "NEVER"


def _job(
    action: str,
    asked: Sequence[Arrived],
    number: int,
    sender: str,
    account: int,
    header: bytes,
    envelope: str,
    at: int,
) -> AddJob:
    key = f"{number:x}.{action}"
    job = ReportJob(
        key=key,
        action=action,
        at=at,
        message=0,
        trace=number,
        account=account,
        sender=sender,
        blob=0,
        prefix=b"",
        size=0,
        ret="HDRS",
        envelope=envelope,
        created_at=at,
        expires_at=0,
        fates=tuple(
            Fate(address=one.address, status="2.0.0", original=one.original, asked=True)
            for one in asked
        ),
        header=header_of(header),
    )
    return AddJob(kind=REPORT_JOB, key=key, payload=msgspec.msgpack.encode(job), run_at=at)
