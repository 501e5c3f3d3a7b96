"""The report that a message is in the mailboxes of recipients here (RFC 3461 §5.2.1), as a job that goes
into the store with the message. Only senders of ours are told: nobody else is offered reports."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from malleposte.store.commands import AddJob
from malleposte.wire.smtp import Notify

from .decide import notify_of
from .job import REPORT_JOB, Fate, ReportJob
from .original import header_of


class Arrived(Protocol):
    """A recipient: its address, and NOTIFY and ORCPT as they came."""

    @property
    def address(self) -> str: ...
    @property
    def notify(self) -> str: ...
    @property
    def original(self) -> str: ...


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
    """The job for those who asked to be told. ``number``: the trace's; ``header``: the message's."""
    asked = [one for one in recipients if Notify.SUCCESS in (notify_of(one.notify) or Notify(0))]
    if not asked or not sender:
        return ()
    key = f"{number:x}.delivered"
    job = ReportJob(
        key=key,
        action="delivered",
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
    return (AddJob(kind=REPORT_JOB, key=key, payload=msgspec.msgpack.encode(job), run_at=at),)
