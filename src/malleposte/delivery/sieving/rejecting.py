"""Refusing by a script (RFC 5429): while the sender's server is there; else by a report, if the sender is
known to be who he says: a report to a forged one would hit somebody else."""

from typing import Final

import msgspec

from malleposte.delivery.reports import REPORT_JOB, Fate, ReportJob
from malleposte.delivery.verdict import Verdict
from malleposte.mime.charset import plain_text
from malleposte.store.commands import AddJob

from .plan import Arrival

REASON: Final = 1_000
"""Characters of a script's reason that a sender is told."""
HEADER: Final = 60 * 1024
"""Octets of the header that a report tells."""
_NONE: Final = "The recipient does not take this message"


def verdict_of(reason: str) -> Verdict:
    """What the client hears."""
    lines = [plain_text(line).strip() for line in reason.strip()[:REASON].splitlines()]
    text = "\n".join(line for line in lines if line)
    if text and not text.isascii():
        # Few clients ask for replies in UTF-8; the rest would see question marks only.
        text = f"{_NONE}\n{text}"
    return Verdict(550, "5.7.1", text or _NONE)


def report(arrival: Arrival, recipient: str, reason: str, hostname: str) -> AddJob | None:
    """Work that tells the sender; None where he is nobody, or not known to be who he says."""
    if not arrival.sender or not arrival.account:
        return None
    words = " ".join(verdict_of(reason).text.split())
    key = f"sieve.{arrival.number:x}.{recipient}"
    at = int(arrival.now)
    job = ReportJob(
        key=key,
        action="failed",
        at=at,
        message=0,
        trace=arrival.number,
        account=arrival.account,
        sender=arrival.sender,
        blob=0,
        prefix=bytes(arrival.buffer[: min(arrival.header_size, HEADER)]),
        size=len(arrival.buffer),
        ret="HDRS",
        envelope="",
        created_at=at,
        expires_at=at,
        fates=(
            Fate(address=recipient, status="5.7.1", reply=f"550 5.7.1 {words}", remote=hostname),
        ),
    )
    return AddJob(kind=REPORT_JOB, key=key, payload=msgspec.msgpack.encode(job), run_at=at)
