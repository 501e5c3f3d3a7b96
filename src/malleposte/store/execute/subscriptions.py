"""Subscriptions of an account: of its own mailboxes in their rows, of other names in a list.

RENAME and DELETE leave a name that was subscribed in the list (``mailboxes``). A mailbox of another
account is a name in the reader's own list, as the reader writes it, beside which stands what it is the
name of (``readers_names``).
"""

from malleposte.store.commands import Subscribe
from malleposte.store.execute import readers_names
from malleposte.store.execute.full_names import MAX_PATH, octets
from malleposte.store.execute.listed_names import HELD, MAX_NAMES, SEPARATOR, UNSUBSCRIBE, path_of
from malleposte.store.execute.mailboxes import MAX_DEPTH
from malleposte.store.ids import account_of
from malleposte.store.read.rights import may
from malleposte.store.results import Done, Refused
from malleposte.store.work import Work

_ABOVE = 2
"""Levels before it: the same."""
_PREFIX = 512
"""Octets that may stand before the full name of another's mailbox: a namespace and an address."""


async def subscribe(work: Work, command: Subscribe) -> Done | Refused:
    """Execute ``Subscribe``. RFC 9051 §6.3.7: a name without a mailbox may be subscribed."""
    head = await work.head(command.account)
    if head is None:
        return Refused(reason="no-such-account")
    if command.mailbox:
        row = await work.mailbox(command.mailbox)
        # What is subscribed in another account is a name of the reader's own, below.
        if row is None or account_of(command.mailbox) != command.account:
            return Refused(reason="no-such-mailbox")
        modseq = head.bump()
        await work.tx.run(
            "UPDATE mailbox SET subscribed = $1, modseq = $2 WHERE id = $3",
            int(command.subscribed),
            modseq,
            command.mailbox,
        )
        if not command.subscribed:
            # Nor in the list, should its name stand there.
            path = await path_of(work, command.mailbox)
            await work.tx.run(UNSUBSCRIBE, command.account, path)
        if not row.dirty:
            work.forget(command.mailbox)
        else:
            row.modseq = max(row.modseq, modseq)
        return Done(modseq=modseq)
    # A longer one may be in the list, from before this bound, and must go out of it.
    name = command.name
    if not name or (command.subscribed and octets(name) > MAX_PATH + _PREFIX):
        return Refused(reason="bad-name", text="empty or too long")
    if command.subscribed and name.count(SEPARATOR) >= MAX_DEPTH + _ABOVE:
        # Lists show what stands above a name: a long one could have hundreds of levels.
        return Refused(reason="bad-name", text="this name has more levels than a mailbox can have")
    if command.subscribed:
        count = await work.tx.row(HELD, command.account)
        if count is not None and count[0] >= MAX_NAMES:
            return Refused(
                reason="limit",
                text=f"there are {MAX_NAMES} names subscribed to that no mailbox has: unsubscribe some",
            )
        seen = command.of and await may(work.tx, command.account, command.of, "l")
        of = command.of if seen else 0
        await readers_names.choose(work, command.account, command.name, of)
    else:
        await work.tx.run(UNSUBSCRIBE, command.account, command.name)
    return Done(modseq=head.bump())
