"""Mailbox/get (RFC 8621 §2.1)."""

from collections.abc import Callable
from typing import Any, Final

from malleposte.services.jmap import getting
from malleposte.services.jmap.arguments import Get
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.mail.names import MAIL
from malleposte.store.ids import MAILBOX_LETTER, id_number, mailbox_text
from malleposte.store.mailbox_counts import Counts
from malleposte.store.read import mailboxes
from malleposte.store.read.mailboxes import Mailbox

OWN_RIGHTS: Final = {
    "mayReadItems": True,
    "mayAddItems": True,
    "mayRemoveItems": True,
    "maySetSeen": True,
    "maySetKeywords": True,
    "mayCreateChild": True,
    "mayRename": True,
    "mayDelete": True,
    "maySubmit": True,
}

PROPERTIES: Final[dict[str, Callable[[Mailbox, Counts], Any]]] = {
    "id": lambda box, counts: mailbox_text(box.id),
    "name": lambda box, counts: box.name,
    "parentId": lambda box, counts: mailbox_text(box.parent) if box.parent else None,
    "role": lambda box, counts: box.role,
    "sortOrder": lambda box, counts: box.sort_order,
    "totalEmails": lambda box, counts: counts.emails,
    "unreadEmails": lambda box, counts: counts.unread,
    "totalThreads": lambda box, counts: counts.threads,
    "unreadThreads": lambda box, counts: counts.unread_threads,
    "myRights": lambda box, counts: OWN_RIGHTS,
    "isSubscribed": lambda box, counts: box.subscribed,
}
COUNTED: Final = frozenset(("totalEmails", "unreadEmails", "totalThreads", "unreadThreads"))
NONE: Final = Counts()


async def get(context: Context, arguments: Get) -> Answer:
    """See the module."""
    account = context.own(arguments.account_id)
    shown = getting.properties(arguments.properties, PROPERTIES)
    reader = context.store.reader
    state = await mailboxes.modseq(reader, account)
    boxes = {box.id: box for box in await mailboxes.mailboxes(reader, account)}
    chosen, missing = getting.chosen(
        arguments.ids,
        context.settings,
        lambda text: boxes.get(id_number(MAILBOX_LETTER, text)),
        boxes.values(),
    )
    counts: dict[int, Counts] = {}
    if not COUNTED.isdisjoint(shown):
        counts = await context.store.counts.of(chosen)
    objects = (
        {name: PROPERTIES[name](box, counts.get(box.id, NONE)) for name in shown} for box in chosen
    )
    return getting.answer(arguments, str(state), shown, objects, missing)


METHODS: Final = {"Mailbox/get": Method(MAIL, Get, get)}
