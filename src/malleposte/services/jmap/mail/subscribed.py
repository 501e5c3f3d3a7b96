"""Which mailboxes of somebody else's account a reader is subscribed to: that is in a list of his own."""

from typing import Final

from malleposte.services.jmap.access import Access
from malleposte.services.jmap.context import Context

_OF: Final = (
    "SELECT mailbox FROM subscription WHERE mailbox BETWEEN $1 AND $2 AND account = $3"
    " ORDER BY mailbox"
)


async def subscribed(context: Context, access: Access) -> tuple[int, ...]:
    """Their ids; none in one's own account, where the mailboxes themselves say it."""
    if access.held is None:
        return ()
    first, last = access.account << 32, (access.account + 1 << 32) - 1
    rows = await context.store.reader.rows(_OF, first, last, access.actor)
    return tuple(dict.fromkeys(row[0] for row in rows))
