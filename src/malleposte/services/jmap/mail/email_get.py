"""Email/get (RFC 8621 §4.2).

A list is answered from columns, in one statement for all emails and one for their mailboxes; a message's
content is opened only for what is in it: header fields that have no column, parts, texts.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog
from msgspec import field

from malleposte.services.jmap import getting
from malleposte.services.jmap.access import Access
from malleposte.services.jmap.arguments import Get, UnsignedInt
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.mail import envelope_read, keywords
from malleposte.services.jmap.mail.blobs import email_blob
from malleposte.services.jmap.mail.contents import NOTHING, Contents
from malleposte.services.jmap.mail.names import MAIL
from malleposte.services.jmap.mail.plans import Plan, planned
from malleposte.services.jmap.times import utc_date
from malleposte.store.flags import SEEN
from malleposte.store.ids import (
    EMAIL_LETTER,
    LOW,
    account_of,
    email_text,
    id_number,
    mailbox_text,
    thread_text,
)
from malleposte.store.opened import Opened
from malleposte.store.read import emails as read_emails
from malleposte.store.read import mailboxes, memberships, reader_seen
from malleposte.store.read.emails import Damaged, Stored

log = structlog.get_logger(__name__)

AT_ONCE: Final = 50
"""Emails a statement reads."""


class EmailGet(Get, frozen=True, kw_only=True):
    """RFC 8621 §4.2."""

    body_properties: list[str] | None = None
    fetch_text_body_values: bool = False
    fetch_html_body_values: bool = field(default=False, name="fetchHTMLBodyValues")
    fetch_all_body_values: bool = False
    max_body_value_bytes: UnsignedInt = 0
    make_html_safe: bool = field(default=False, name="makeHTMLSafe")
    """Of our extension (``view``)."""


async def get(context: Context, arguments: EmailGet) -> Answer:
    """See the module. All emails of an account are too many to be asked for at once."""
    access = await context.access(arguments.account_id)
    modseq = await mailboxes.modseq(context.store.reader, access.account)
    found = await shown(context, access, arguments)
    return {
        "accountId": arguments.account_id,
        "state": access.state(modseq),
        "list": list(found.values()),
        "notFound": [text for text in dict.fromkeys(arguments.ids or ()) if text not in found],
    }


async def shown(context: Context, access: Access, arguments: EmailGet) -> dict[str, dict[str, Any]]:
    """The objects there are, by the ids asked for. Raises ``MethodError``."""
    plan = planned(arguments).with_id()
    if arguments.ids is None:
        raise MethodError("requestTooLarge", "Say which emails are wanted")
    ids = getting.distinct(arguments.ids, context.settings)
    numbers = {text: id_number(EMAIL_LETTER, text) for text in ids}
    wanted = [number for number in numbers.values() if account_of(number) == access.account]
    run = _Run(context, access, plan, arguments)
    found: dict[int, dict[str, Any]] = {}
    for start in range(0, len(wanted), AT_ONCE):
        found |= await run.some(sorted(wanted[start : start + AT_ONCE]))
    return {text: found[number] for text, number in numbers.items() if number in found}


class _Run:
    """One call."""

    def __init__(self, context: Context, access: Access, plan: Plan, arguments: EmailGet) -> None:
        self._context = context
        self._access = access
        self._account = access.account
        self._plan = plan
        self._contents = Contents(plan, arguments, context.safely(arguments.make_html_safe))

    async def some(self, emails: list[int]) -> dict[int, dict[str, Any]]:
        """Objects by email, of those there are."""
        reader, plan = self._context.store.reader, self._plan
        access = self._access
        boxes = await memberships.of(reader, emails, access.mailboxes)
        numbers = [email & LOW for email in emails if email in boxes]
        if not numbers:
            return {}
        rows = await read_emails.columns_of(reader, self._account, numbers, plan.columns)
        seen: dict[int, int] = {}
        if access.reader and "e.flags" in plan.columns:
            seen = await reader_seen.of(reader, access.reader, emails)
        opened: dict[int, Stored] = {}
        if plan.opens:
            stored = await read_emails.stored_of(reader, self._account, numbers)
            opened = {row.email & LOW: row for row in stored}
        found: dict[int, dict[str, Any]] = {}
        for number, *columns in rows:
            email = self._account << 32 | number
            row = dict(zip(plan.columns, columns, strict=True))
            if email in seen:
                row["e.flags"] = row["e.flags"] & ~SEEN | seen[email]
            one = _from_columns(email, boxes[email], row, plan)
            if plan.opens:
                if number not in opened:
                    continue  # destroyed since
                try:
                    message = Opened(self._context.store, opened[number])
                    one |= await self._contents.of(message, email_blob(email))
                except Damaged as error:
                    # What is left of it is shown: a message that cannot be read can still be deleted.
                    log.error("jmap_damaged", email=email, error=str(error))
                    one |= {name: NOTHING.get(name) for name in plan.names if name not in one}
            found[email] = {name: one[name] for name in plan.names}
        return found


def _from_columns(email: int, boxes: list[int], row: dict[str, Any], plan: Plan) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "w.envelope" in row:
        found |= envelope_read.read(row["w.envelope"])
    for name in plan.names:
        make = _MADE.get(name)
        if make is not None:
            found[name] = make(email, boxes, row)
    return found


_MADE: Final[Mapping[str, Callable[[int, list[int], dict[str, Any]], Any]]] = {
    "id": lambda email, boxes, row: email_text(email),
    "blobId": lambda email, boxes, row: email_blob(email),
    "threadId": lambda email, boxes, row: thread_text(row["e.thread"]),
    "mailboxIds": lambda email, boxes, row: {mailbox_text(box): True for box in boxes},
    "keywords": lambda email, boxes, row: keywords.shown(row["e.flags"], row["e.keywords"]),
    "size": lambda email, boxes, row: row["e.size"],
    "receivedAt": lambda email, boxes, row: utc_date(row["e.received_at"]),
    "hasAttachment": lambda email, boxes, row: bool(row["e.attachment"]),
    "preview": lambda email, boxes, row: row["w.preview"],
}

METHODS: Final = {"Email/get": Method(MAIL, EmailGet, get)}
