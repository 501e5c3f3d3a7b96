"""Email/changes, Thread/changes and Mailbox/changes (RFC 8621 §2.2, §3.2, §4.3)."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from malleposte.services.jmap import changing
from malleposte.services.jmap.arguments import Changes
from malleposte.services.jmap.context import Answer, Context, Handler, Method
from malleposte.services.jmap.mail.names import MAIL
from malleposte.services.jmap.states import point_of
from malleposte.store.dialect import Reader
from malleposte.store.ids import email_text, mailbox_text, thread_text
from malleposte.store.read import change_log
from malleposte.store.read.change_log import Point

Log = Callable[[Reader, int, Point, int], Awaitable[change_log.Changes | None]]


def _told(log: Log, text: Callable[[int], str], **more: Any) -> Handler:
    """What tells of one kind of object, by its log; ``more`` stands in each answer."""

    async def changes(context: Context, arguments: Changes) -> Answer:
        account = context.own(arguments.account_id)
        since = point_of(arguments.since_state, account)
        found = await log(context.store.reader, account, since, changing.most(arguments))
        return changing.told(arguments, found, text) | more

    return changes


METHODS: Final = {
    "Email/changes": Method(MAIL, Changes, _told(change_log.emails, email_text)),
    "Thread/changes": Method(MAIL, Changes, _told(change_log.threads, thread_text)),
    # Which properties changed is not kept apart (§2.2 allows null).
    "Mailbox/changes": Method(
        MAIL, Changes, _told(change_log.mailboxes, mailbox_text, updatedProperties=None)
    ),
}
