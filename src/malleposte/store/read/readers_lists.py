"""Which mailboxes of somebody else's account a reader is subscribed to, in a list of his own."""

from typing import Final

from malleposte.store.dialect import Reader

_OF: Final = (
    "SELECT mailbox FROM subscription WHERE mailbox BETWEEN $1 AND $2 AND account = $3"
    " ORDER BY mailbox"
)


async def subscribed(reader: Reader, actor: int, account: int) -> tuple[int, ...]:
    """Their ids."""
    first, last = account << 32, (account + 1 << 32) - 1
    rows = await reader.rows(_OF, first, last, actor)
    return tuple(dict.fromkeys(row[0] for row in rows))
