"""What exceeds a limit of sending is held in the queue: neither refused nor lost.

Counted in the transaction that queues, so that all workers and nodes share it and no crash loses it. The
rows of senders are locked before anything is queued, in one order, changed in memory, and written with
what was gathered. A message that is held does not count, nor when it is released. Deliveries that stay
here ask nothing.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from malleposte.store import sent
from malleposte.store.commands import (
    ACCOUNT,
    ACCOUNT_ONWARD,
    DOMAIN_ONWARD,
    AddJob,
    Allowance,
    Handing,
)
from malleposte.store.execute.records import add_job
from malleposte.store.sent import Sent
from malleposte.store.work import Work

HELD_JOB: Final = "sending-held"
"""Kind of the job that tells people; payload ``HeldNotice``."""


class HeldNotice(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What people are told. ``account`` and ``by`` as in ``Handing``. ``name`` and ``what`` (``messages``,
    ``recipients``) say which limit was reached, at what ``limit``; ``at``: when. ``owner`` and
    ``administrators``: who was not told within a day."""

    account: int
    kind: int
    name: str
    what: str
    limit: int
    at: int
    owner: bool
    administrators: bool
    by: str = ""


async def look_up(work: Work, handings: Iterable[Handing]) -> None:
    """Lock and read what the senders of these have sent; once in a transaction, before all else."""
    wanted = sorted({(one.kind, one.id) for handing in handings for one in handing.allowances})
    missing = [key for key in wanted if key not in work.sent]
    if not missing:
        return
    hour = work.now // 3600
    for kind, id_ in missing:
        work.sent[kind, id_] = Sent(kind, id_, hour)
    if work.tx.dialect == "sqlite":
        rows = []
        for kind, id_ in missing:
            rows += await work.tx.rows(sent.READ, hour, hour - sent.HOURS, kind, id_)
    else:
        kinds, ids = [kind for kind, _ in missing], [id_ for _, id_ in missing]
        await work.tx.many(sent.LOCK, [(kind, id_, hour) for kind, id_ in missing])
        rows = await work.tx.rows(sent.READ, hour, hour - sent.HOURS, kinds, ids)
    for kind, id_, *sums in rows:
        work.sent[int(kind), int(id_)].read(tuple(sums))


async def admitted(work: Work, handing: Handing) -> str:
    """Count a message that leaves; why it is held instead, '' where it is not."""
    await look_up(work, (handing,))
    recipients = len(handing.relays)
    for one in handing.allowances:
        what = _exceeded(work.sent[one.kind, one.id], one, recipients)
        if what:
            await _tell(work, handing, one, what)
            return _words(one, what)
    for one in handing.allowances:
        work.sent[one.kind, one.id].count(recipients)
    return ""


def _exceeded(known: Sent, allowance: Allowance, recipients: int) -> str:
    """Which of its limits a message would exceed, '' for none."""
    if allowance.messages and known.messages >= allowance.messages:
        return "messages"
    if allowance.recipients and known.day + recipients > allowance.recipients:
        return "recipients"
    return ""


def _words(allowance: Allowance, what: str) -> str:
    if what == "messages":
        most = f"{allowance.messages:,} messages an hour"
    else:
        most = f"to {allowance.recipients:,} recipients a day"
    onward = " on" if allowance.kind in (ACCOUNT_ONWARD, DOMAIN_ONWARD) else ""
    return f"sending limit: {allowance.name} sends{onward} {most} at most"


async def _tell(work: Work, handing: Handing, allowance: Allowance, what: str) -> None:
    """Have the owner and the administrators told, each once a day."""
    administrators = work.sent[allowance.kind, allowance.id].tell()
    owner = administrators
    for one in handing.allowances:
        if one.kind in (ACCOUNT, ACCOUNT_ONWARD) and one != allowance:
            owner = work.sent[one.kind, one.id].tell()
    if not (owner or administrators):
        return
    notice = HeldNotice(
        account=handing.account,
        kind=allowance.kind,
        name=allowance.name,
        what=what,
        limit=allowance.messages if what == "messages" else allowance.recipients,
        at=work.now,
        owner=owner,
        administrators=administrators,
        by=handing.by,
    )
    key = f"{handing.account}:{allowance.kind}:{allowance.id}:{work.now // 3600}"
    payload = msgspec.msgpack.encode(notice)
    await add_job(work, AddJob(kind=HELD_JOB, key=key, payload=payload, run_at=work.now))
