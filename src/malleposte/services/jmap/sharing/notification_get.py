"""ShareNotification/get and /changes (RFC 9670 §3)."""

from functools import partial
from typing import Any, Final

from malleposte.services.jmap import getting
from malleposte.services.jmap.arguments import Changes, Get
from malleposte.services.jmap.contacts.names import rights as book_rights
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.mail import mailbox_rights
from malleposte.services.jmap.sharing.names import (
    NOTIFICATION_LETTER,
    PRINCIPALS,
    principal_text,
)
from malleposte.services.jmap.submission import moves
from malleposte.services.jmap.submission.names import text_of
from malleposte.services.jmap.times import utc_date
from malleposte.store.ids import account_text, book_text, id_number, mailbox_text
from malleposte.store.read import notifications, submissions
from malleposte.store.read.notifications import TABLE, Notification

PROPERTIES: Final = (
    "id",
    "created",
    "changedBy",
    "objectType",
    "objectAccountId",
    "objectId",
    "oldRights",
    "newRights",
    "name",
)
_UNNAMED: Final = "Administrator"
"""Who is at the command line, or nobody of the organisation."""


async def get(context: Context, arguments: Get) -> Answer:
    """ShareNotification/get."""
    account = context.own(arguments.account_id)
    names = getting.properties(arguments.properties, PROPERTIES)
    reader = context.store.reader
    state = await submissions.modseq(reader, TABLE, account)
    known = {one.n: one for one in await notifications.every(reader, account)}
    chosen, missing = getting.chosen(
        arguments.ids,
        context.settings,
        lambda text: known.get(id_number(NOTIFICATION_LETTER, text)),
        known.values(),
    )
    return getting.answer(arguments, str(state), names, map(_shown, chosen), missing)


async def changes(context: Context, arguments: Changes) -> Answer:
    """ShareNotification/changes."""
    account = context.own(arguments.account_id)
    return await moves.told(context, account, arguments, TABLE, NOTIFICATION_LETTER)


def _shown(one: Notification) -> dict[str, Any]:
    of_book = one.kind == "AddressBook"
    # None: there were, or are, none at all.
    rights = book_rights if of_book else partial(mailbox_rights.shown, share=True)
    return {
        "id": text_of(NOTIFICATION_LETTER, one.n),
        "created": utc_date(one.created_at),
        "changedBy": {
            "name": one.by_name or one.by_address or _UNNAMED,
            "email": one.by_address or None,
            "principalId": principal_text(one.by) if one.by else None,
        },
        "objectType": one.kind,
        "objectAccountId": account_text(one.owner),
        "objectId": book_text(one.object) if of_book else mailbox_text(one.object),
        "oldRights": rights(one.had) if one.had else None,
        "newRights": rights(one.has) if one.has else None,
        "name": one.name,
    }


METHODS: Final = {
    "ShareNotification/get": Method(PRINCIPALS, Get, get),
    "ShareNotification/changes": Method(PRINCIPALS, Changes, changes),
}
