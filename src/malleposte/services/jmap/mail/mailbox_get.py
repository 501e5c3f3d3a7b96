"""Mailbox/get (RFC 8621 §2.1)."""

from collections.abc import Callable
from typing import Any, Final

from malleposte.services.jmap import getting
from malleposte.services.jmap.arguments import Get
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.mail.names import MAIL
from malleposte.store.ids import MAILBOX_LETTER, id_number, mailbox_text
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

PROPERTIES: Final[dict[str, Callable[[Mailbox], Any]]] = {
    "id": lambda box: mailbox_text(box.id),
    "name": lambda box: box.name,
    "parentId": lambda box: mailbox_text(box.parent) if box.parent else None,
    "role": lambda box: box.role,
    "sortOrder": lambda box: box.sort_order,
    "totalEmails": lambda box: box.messages,
    "unreadEmails": lambda box: box.unseen,
    "totalThreads": lambda box: box.messages,
    "unreadThreads": lambda box: box.unseen,
    "myRights": lambda box: OWN_RIGHTS,
    "isSubscribed": lambda box: box.subscribed,
}


async def get(context: Context, arguments: Get) -> Answer:
    """See the module."""
    account = context.own(arguments.account_id)
    shown = getting.properties(arguments.properties, PROPERTIES)
    reader = context.store.reader
    state = await mailboxes.modseq(reader, account)
    boxes = {box.id: box for box in await mailboxes.mailboxes(reader, account)}
    missing: list[str] = []
    chosen = list(boxes.values())
    if arguments.ids is not None:
        chosen = []
        for text in getting.distinct(arguments.ids, context.settings):
            box = boxes.get(id_number(MAILBOX_LETTER, text))
            if box is None:
                missing.append(text)
            else:
                chosen.append(box)
    return {
        "accountId": arguments.account_id,
        "state": str(state),
        "list": [{name: PROPERTIES[name](box) for name in shown} for box in chosen],
        "notFound": missing,
    }


METHODS: Final = {"Mailbox/get": Method(MAIL, Get, get)}
