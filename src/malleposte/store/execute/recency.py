"""Which messages are recent to whom (RFC 3501 §2.3.2): each to the first session that claims it.

No modseq is spent on it: what a client keeps of a mailbox does not change by it.
"""

from malleposte.store.commands import ClaimRecent
from malleposte.store.execute.rights import demand
from malleposte.store.ids import account_of
from malleposte.store.results import Claimed, Refused
from malleposte.store.work import Work


async def claim_recent(work: Work, command: ClaimRecent) -> Claimed | Refused:
    """Execute ``ClaimRecent``. The account is locked: of two claims one has the messages."""
    head = await work.head(account_of(command.mailbox))
    row = await work.mailbox(command.mailbox)
    if head is None or row is None:
        return Refused(reason="no-such-mailbox")
    held = await demand(work.tx, command.actor, command.mailbox, "r")
    if isinstance(held, Refused):
        return held
    first = row.recent_from
    following = min(command.upto + 1, row.uidnext)
    if following <= first:
        return Claimed(first=first, last=first - 1)
    row.recent_from = following
    row.dirty = True
    return Claimed(first=first, last=following - 1)
