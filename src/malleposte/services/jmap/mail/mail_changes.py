"""Email/changes, Thread/changes and Mailbox/changes (RFC 8621 §2.2, §3.2, §4.3)."""

from typing import Final

from malleposte.services.jmap import changing
from malleposte.services.jmap.arguments import Changes
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.mail.names import MAIL
from malleposte.services.jmap.states import point_of
from malleposte.store.ids import email_text, mailbox_text, thread_text
from malleposte.store.read import change_log


async def emails(context: Context, arguments: Changes) -> Answer:
    """Email/changes."""
    account = context.own(arguments.account_id)
    since = point_of(arguments.since_state, account)
    most = changing.most(arguments)
    found = await change_log.emails(context.store.reader, account, since, most)
    return changing.told(arguments, found, email_text)


async def threads(context: Context, arguments: Changes) -> Answer:
    """Thread/changes: of threads that have other emails."""
    account = context.own(arguments.account_id)
    since = point_of(arguments.since_state, account)
    most = changing.most(arguments)
    found = await change_log.threads(context.store.reader, account, since, most)
    return changing.told(arguments, found, thread_text)


async def mailboxes(context: Context, arguments: Changes) -> Answer:
    """Mailbox/changes. Which properties changed is not kept apart (§2.2 allows null)."""
    account = context.own(arguments.account_id)
    since = point_of(arguments.since_state, account)
    most = changing.most(arguments)
    found = await change_log.mailboxes(context.store.reader, account, since, most)
    return changing.told(arguments, found, mailbox_text) | {"updatedProperties": None}


METHODS: Final = {
    "Email/changes": Method(MAIL, Changes, emails),
    "Thread/changes": Method(MAIL, Changes, threads),
    "Mailbox/changes": Method(MAIL, Changes, mailboxes),
}
