"""Which messages are recent to whom (RFC 3501 §2.3.2): each to the first session that claims it.

No modseq is spent on it: what a client keeps of a mailbox does not change by it.
"""

from malleposte.store.commands import ClaimRecent
from malleposte.store.execute.rights import opened
from malleposte.store.results import Claimed, Refused
from malleposte.store.work import Work


async def claim_recent(work: Work, command: ClaimRecent) -> Claimed | Refused:
    """Execute ``ClaimRecent``. The account is locked: of two claims one has the messages."""
    place = await opened(work, command.actor, command.mailbox, "r")
    if isinstance(place, Refused):
        return place
    _, row, _ = place
    first = row.recent_from
    following = min(command.upto + 1, row.uidnext)
    if following <= first:
        return Claimed(first=first, last=first - 1)
    row.recent_from = following
    row.dirty = True
    return Claimed(first=first, last=following - 1)
