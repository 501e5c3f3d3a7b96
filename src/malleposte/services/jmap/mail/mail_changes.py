"""Email/changes, Thread/changes and Mailbox/changes (RFC 8621 §2.2, §3.2, §4.3)."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from malleposte.services.jmap import changing
from malleposte.services.jmap.arguments import Changes
from malleposte.services.jmap.context import Answer, Context, Handler, Method
from malleposte.services.jmap.mail.names import MAIL
from malleposte.services.jmap.mail.subscribed import subscribed
from malleposte.store.dialect import Reader
from malleposte.store.ids import email_text, mailbox_text, thread_text
from malleposte.store.read import change_log
from malleposte.store.read.change_log import Point


class Log(Protocol):
    """Of emails, or of threads."""

    def __call__(
        self,
        reader: Reader,
        account: int,
        since: Point,
        most: int,
        *,
        actor: int,
        mailboxes: tuple[int, ...] | None,
    ) -> Awaitable[change_log.Changes | None]:
        """As ``change_log.emails``."""
        ...


def _told(log: Log, text: Callable[[int], str]) -> Handler:
    """What tells of one kind of object, by its log."""

    async def changes(context: Context, arguments: Changes) -> Answer:
        access = await context.access(arguments.account_id)
        since, mark = access.since(arguments.since_state)
        found = await log(
            context.store.reader,
            access.account,
            since,
            changing.most(arguments),
            actor=access.reader,
            mailboxes=access.mailboxes,
        )
        return changing.told(arguments, found, text, lambda one: access.after(one, mark))

    return changes


async def _mailboxes(context: Context, arguments: Changes) -> Answer:
    """Mailbox/changes. Which properties changed is not kept apart (§2.2 allows null)."""
    access = await context.access(arguments.account_id)
    names = await subscribed(context, access)
    since, mark = access.since(arguments.since_state, boxes=True, subscribed=names)
    reader = context.store.reader
    found = await change_log.mailboxes(
        reader,
        access.account,
        since,
        changing.most(arguments),
        threads=True,
        actor=access.reader,
    )
    if found is not None and access.listed is not None:
        found.created = list(filter(access.lists, found.created))
        found.updated = list(filter(access.lists, found.updated))
        if since.base < 0:
            # Had one been there to him, the mark would be another.
            found.destroyed = []

    def after(one: change_log.Changes) -> str:
        return access.after(one, mark, boxes=True, subscribed=names)

    answer = changing.told(arguments, found, mailbox_text, after)
    return answer | {"updatedProperties": None}


METHODS: Final = {
    "Email/changes": Method(MAIL, Changes, _told(change_log.emails, email_text)),
    "Thread/changes": Method(MAIL, Changes, _told(change_log.threads, thread_text)),
    "Mailbox/changes": Method(MAIL, Changes, _mailboxes),
}
