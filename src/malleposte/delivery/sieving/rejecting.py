"""Refusing by a script (RFC 5429): in the session wherever that can be; else by a report to the sender.

SMTP has one answer for all recipients of a message: if some of them take it, those who reject it tell the
sender by a notification (``reject``: MDN, with the script's own words) or a report (``ereject``: DSN).
Whoever signed in is known to be the sender. Any other may be forged, and a report would hit somebody else:
he is told only what any program may answer, of a message to an address of the recipient, and seldom. What
cannot be told is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from malleposte.delivery.reports import REPORT_JOB, Fate, ReportJob
from malleposte.delivery.reports.decide import notify_of
from malleposte.delivery.verdict import Verdict
from malleposte.directory.book import Account, Book
from malleposte.mime.charset import plain_text
from malleposte.sieve import Reject
from malleposte.sieve.autoreply import TO, automatic, names_one, unanswerable
from malleposte.sieve.header_view import HeaderView
from malleposte.store.commands import REJECTED, AddJob, Remember
from malleposte.store.dialect import Reader
from malleposte.store.read import sieve
from malleposte.wire.smtp import Notify

from .copies import Copy
from .matter import Matter
from .plan import NOT_TAKEN, Arrival
from .surroundings import MOST_ADDRESSES, digest_of, own_addresses
from .work import REJECTION_JOB, Rejection

REASON: Final = 1_000
"""Characters of a script's reason that a client hears."""
TEXT: Final = 10_000
"""Characters of it in a notification."""
HEADER: Final = 60 * 1024
"""Octets of the header that a report tells."""
FIELDS: Final = 5_000
LOOKED_AT: Final = 64 * 1024
"""Octets of To and Cc in which the recipient is looked for."""
TOLD_EVERY: Final = 86_400
"""Seconds in which a stranger is told of one rejection by an account,"""
STRANGERS: Final = 100
"""and how many of them are told in that time."""
_NONE: Final = "The recipient does not take this message"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A copy that its account's script does not take."""

    copy: Copy
    account: Account
    action: Reject


@dataclass(frozen=True, slots=True)
class Rejecting:
    """``sends``: whether this server sends to others."""

    reader: Reader
    book: Book
    hostname: str
    sends: bool

    async def answer(self, matter: Matter, rejected: Sequence[Rejected], *, accepted: bool) -> None:
        """Put into the plan what is said. ``accepted``: somebody has taken it, though it is filed nowhere.
        Raises what the store raises."""
        if not rejected:
            return
        arrival, plan = matter.arrival, matter.plan
        taken = arrival.leaves or plan.filings or plan.forwards or accepted
        by_mail = any(_in_other_letters(arrival, one.action) for one in rejected)
        in_session = arrival.each or not (taken or by_mail)
        for one in rejected:
            copy = one.copy
            if in_session:
                plan.refused[copy.account] = verdict_of(one.action.reason)
                continue
            why = await self._why_not(matter, one)
            if why:
                plan.notes.append(f"{copy.address}: not rejected, {why}")
                plan.filings.append(copy.filing)
                continue
            if not _known(arrival, copy):
                plan.remembered.append(
                    Remember(
                        account=copy.account,
                        kind=REJECTED,
                        digest=digest_of(copy.sender.lower()),
                        seconds=TOLD_EVERY,
                    )
                )
            plan.reached[copy.account] = ()
            plan.became(copy.account, NOT_TAKEN)
            if not one.action.ereject:
                plan.jobs.append(notification(arrival, one))
            elif Notify.FAILURE in (notify_of(copy.notify) or Notify.FAILURE):
                plan.jobs.append(report(arrival, copy, one.action.reason, self.hostname))

    async def _why_not(self, matter: Matter, one: Rejected) -> str:
        """Why the sender cannot be told, '' if he can."""
        copy, arrival = one.copy, matter.arrival
        header = HeaderView(matter.message.fields()[:FIELDS])
        if _known(arrival, copy):
            return "a program sent it" if automatic(header) or not copy.sender else ""
        if why := unanswerable(copy.sender, header):
            return why
        if matter.junk:
            return "it looks like junk"
        local = await self.book.domain(copy.sender.rpartition("@")[2].lower()) is not None
        if not local and (one.account.internal or not self.sends):
            return "nothing is sent to its sender"
        if not _is_named(header, await own_addresses(self.reader, one.account, MOST_ADDRESSES)):
            return "no address of the recipient is in To or Cc"
        now = int(arrival.now)
        digest = digest_of(copy.sender.lower())
        if await sieve.remembered(self.reader, copy.account, REJECTED, [digest], now):
            return "its sender was told of another one today"
        if await sieve.memories(self.reader, copy.account, REJECTED, now) >= STRANGERS:
            return "too many senders were told of others today"
        return ""


def _known(arrival: Arrival, copy: Copy) -> bool:
    """Whether the sender surely is who he says: signed in here, or a group's owners."""
    return bool(arrival.account or copy.fields)


def _in_other_letters(arrival: Arrival, action: Reject) -> bool:
    """RFC 5429 §2.2: ``reject`` keeps its words, which a reply of SMTP cannot where they are not ASCII."""
    return bool(arrival.account) and not action.ereject and not action.reason.isascii()


def _is_named(header: HeaderView, own: frozenset[str]) -> bool:
    mine = {address.lower() for address in own}
    left = LOOKED_AT
    for name in TO:
        for field in header.named(name):
            left -= len(field.value)
            if left < 0:
                return False
            if names_one(field.value, mine):
                return True
    return False


def verdict_of(reason: str) -> Verdict:
    """What the client hears."""
    lines = [plain_text(line).strip() for line in reason.strip()[:REASON].splitlines()]
    text = "\n".join(line for line in lines if line)
    if text and not text.isascii():
        # Few clients ask for replies in UTF-8; the rest would see question marks only.
        text = f"{_NONE}\n{text}"
    return Verdict(550, "5.7.1", text or _NONE)


def notification(arrival: Arrival, one: Rejected) -> AddJob:
    """Work that tells the sender by an MDN (RFC 5429 §2.2.1)."""
    copy = one.copy
    job = Rejection(
        account=copy.account,
        recipient=copy.address,
        original=copy.original,
        to=copy.sender,
        reason=one.action.reason[:TEXT],
        header=bytes(arrival.buffer[: min(arrival.header_size, HEADER)]),
        trace=arrival.number,
        at=int(arrival.now),
    )
    return AddJob(
        kind=REJECTION_JOB,
        key=f"{arrival.number:x}.{copy.account}",
        payload=msgspec.msgpack.encode(job),
        run_at=job.at,
    )


def report(arrival: Arrival, copy: Copy, reason: str, hostname: str) -> AddJob:
    """Work that tells the sender by a DSN (RFC 5429 §2.1.2)."""
    words = " ".join(verdict_of(reason).text.split())
    key = f"sieve.{arrival.number:x}.{copy.address}"
    at = int(arrival.now)
    fate = Fate(
        address=copy.address,
        status="5.7.1",
        original=copy.original,
        reply=f"550 5.7.1 {words}",
        remote=hostname,
    )
    job = ReportJob(
        key=key,
        action="failed",
        at=at,
        message=0,
        trace=arrival.number,
        account=0 if copy.fields else arrival.account,
        sender=copy.sender,
        blob=0,
        prefix=bytes(arrival.buffer[: min(arrival.header_size, HEADER)]),
        size=len(arrival.buffer),
        ret="HDRS",
        envelope=arrival.envelope,
        created_at=at,
        expires_at=at,
        fates=(fate,),
    )
    return AddJob(kind=REPORT_JOB, key=key, payload=msgspec.msgpack.encode(job), run_at=at)
