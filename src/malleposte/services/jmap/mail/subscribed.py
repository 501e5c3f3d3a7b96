"""Which mailboxes of somebody else's account a reader is subscribed to: that is in a list of his own."""

from malleposte.directory.sharing import SEPARATOR, owner_shown
from malleposte.services.jmap.access import Access
from malleposte.services.jmap.context import Context
from malleposte.services.jmap.errors import SetError
from malleposte.services.jmap.mail import filing
from malleposte.store.commands import Subscribe
from malleposte.store.ids import account_of, mailbox_id
from malleposte.store.read import mailboxes, readers_lists
from malleposte.store.results import Done


async def subscribed(context: Context, access: Access) -> tuple[int, ...]:
    """Their ids; none in one's own account, where the mailboxes themselves say it."""
    if access.held is None:
        return ()
    return await readers_lists.subscribed(context.store.reader, access.actor, access.account)


async def subscribe(context: Context, mailbox: int, *, on: bool) -> None:
    """Have somebody else's mailbox in one's list of names, or no more, under the name it has by IMAP: what
    its owner sees is not touched. Raises ``SetError``."""
    owner = await context.book.account(account_of(mailbox))
    boxes = await mailboxes.mailboxes(context.store.reader, account_of(mailbox))
    path = next((box.path for box in boxes if box.id == mailbox), None)
    if owner is None or path is None:
        raise SetError("notFound")
    name = owner_shown(owner.kind, owner.address)
    if mailbox != mailbox_id(owner.id, 1):
        name += SEPARATOR + path
    command = Subscribe(account=context.actor, name=name, subscribed=on, of=mailbox)
    result = await context.submit(command)
    if not isinstance(result, Done):
        raise filing.refusal(result)
