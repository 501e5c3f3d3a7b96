"""Email/get (RFC 8621 §4.2).

A list is answered from columns, in one statement for all emails and one for their mailboxes; a message's
content is opened only for what is in it: header fields that have no column, parts, texts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from msgspec import field

from malleposte.mime import BodyLists, Part, body_lists, fields
from malleposte.mime.headers import Field
from malleposte.services.jmap import getting
from malleposte.services.jmap.arguments import Get, UnsignedInt
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.mail import body_parts, envelope_read, header_forms, keywords
from malleposte.services.jmap.mail.body_parts import BodyValues, PartsShown
from malleposte.services.jmap.mail.names import MAIL
from malleposte.services.jmap.times import utc_date
from malleposte.store.ids import (
    EMAIL_LETTER,
    LOW,
    account_of,
    email_text,
    id_number,
    mailbox_text,
    thread_text,
)
from malleposte.store.opened import HEADER_BYTES, Opened
from malleposte.store.read import emails as read_emails
from malleposte.store.read import mailboxes, memberships
from malleposte.store.read.emails import Damaged, Stored

log = structlog.get_logger(__name__)

DEFAULT: Final = (
    *("id", "blobId", "threadId", "mailboxIds", "keywords", "size", "receivedAt", "messageId"),
    *("inReplyTo", "references", "sender", "from", "to", "cc", "bcc", "replyTo", "subject"),
    *("sentAt", "hasAttachment", "preview", "bodyValues", "textBody", "htmlBody", "attachments"),
)
KNOWN: Final = frozenset((*DEFAULT, "bodyStructure", "headers"))
AT_ONCE: Final = 50
"""Emails a statement reads."""


class EmailGet(Get, frozen=True, kw_only=True):
    """RFC 8621 §4.2."""

    body_properties: list[str] | None = None
    fetch_text_body_values: bool = False
    fetch_html_body_values: bool = field(default=False, name="fetchHTMLBodyValues")
    fetch_all_body_values: bool = False
    max_body_value_bytes: UnsignedInt = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of each email."""

    names: tuple[str, ...]
    parts: tuple[str, ...]
    """Properties of body parts."""
    columns: tuple[str, ...]
    opens: bool
    """Whether content is read."""
    headers: bool
    """Whether its header is."""
    structure: bool
    """Whether its structure is."""


_COLUMNS: Final[Mapping[str, str]] = {
    "threadId": "e.thread",
    "keywords": "e.flags e.keywords",
    "size": "e.size",
    "receivedAt": "e.received_at",
    "hasAttachment": "e.attachment",
    "preview": "w.preview",
    **dict.fromkeys(envelope_read.SHOWN, "w.envelope"),
}
_BODIES: Final = frozenset(("bodyValues", "textBody", "htmlBody", "attachments", "bodyStructure"))


def planned(arguments: EmailGet) -> Plan:
    """Raises ``MethodError``."""
    names = DEFAULT if arguments.properties is None else _checked(arguments.properties, KNOWN)
    names = tuple(dict.fromkeys(("id", *names)))
    parts = (
        body_parts.DEFAULT
        if arguments.body_properties is None
        else _checked(arguments.body_properties, body_parts.KNOWN_PROPERTIES)
    )
    structure = not _BODIES.isdisjoint(names)
    in_header = header_forms.CONVENIENT.keys() - envelope_read.SHOWN
    headers = any(n in in_header or n == "headers" or n.startswith("header:") for n in names)
    opens = structure or headers
    columns: dict[str, None] = {}
    for name in names:
        # What the header has is not read twice.
        if not (headers and name in envelope_read.SHOWN):
            columns |= dict.fromkeys(_COLUMNS.get(name, "").split())
    return Plan(names, tuple(parts), tuple(columns) or ("e.modseq",), opens, headers, structure)


def _checked(asked: Sequence[str], known: frozenset[str]) -> tuple[str, ...]:
    for name in asked:
        if name not in known and header_forms.parsed(name) is None:
            raise MethodError("invalidArguments", f"There is no property {name!r}")
    return tuple(dict.fromkeys(asked))


async def get(context: Context, arguments: EmailGet) -> Answer:
    """See the module. All emails of an account are too many to be asked for at once."""
    account = context.own(arguments.account_id)
    plan = planned(arguments)
    if arguments.ids is None:
        raise MethodError("requestTooLarge", "Say which emails are wanted")
    state = await mailboxes.modseq(context.store.reader, account)
    ids = getting.distinct(arguments.ids, context.settings)
    numbers = {text: id_number(EMAIL_LETTER, text) for text in ids}
    wanted = [number for number in numbers.values() if account_of(number) == account]
    run = _Run(context, account, plan, arguments)
    found: dict[int, dict[str, Any]] = {}
    for start in range(0, len(wanted), AT_ONCE):
        found |= await run.some(sorted(wanted[start : start + AT_ONCE]))
    return {
        "accountId": arguments.account_id,
        "state": str(state),
        "list": [found[number] for number in numbers.values() if number in found],
        "notFound": [text for text, number in numbers.items() if number not in found],
    }


class _Run:
    """One call."""

    def __init__(self, context: Context, account: int, plan: Plan, arguments: EmailGet) -> None:
        self._context = context
        self._account = account
        self._plan = plan
        self._arguments = arguments
        self._values = BodyValues(arguments.max_body_value_bytes)

    async def some(self, emails: list[int]) -> dict[int, dict[str, Any]]:
        """Objects by email, of those there are."""
        reader, plan = self._context.store.reader, self._plan
        boxes = await memberships.of(reader, emails)
        numbers = [email & LOW for email in emails if email in boxes]
        if not numbers:
            return {}
        rows = await read_emails.columns_of(reader, self._account, numbers, plan.columns)
        opened: dict[int, Stored] = {}
        if plan.opens:
            stored = await read_emails.stored_of(reader, self._account, numbers)
            opened = {row.email & LOW: row for row in stored}
        found: dict[int, dict[str, Any]] = {}
        for number, *columns in rows:
            email = self._account << 32 | number
            one = _from_columns(
                email, boxes[email], dict(zip(plan.columns, columns, strict=True)), plan
            )
            if plan.opens:
                if number not in opened:
                    continue  # destroyed since
                try:
                    one |= await self._from_content(opened[number])
                except Damaged as error:
                    # What is left of it is shown: a message that cannot be read can still be deleted.
                    log.error("jmap_damaged", email=email, error=str(error))
                    one |= {name: _NOTHING.get(name) for name in plan.names if name not in one}
            found[email] = {name: one[name] for name in plan.names}
        return found

    async def _from_content(self, stored: Stored) -> dict[str, Any]:
        plan = self._plan
        opened = Opened(self._context.store, stored)
        found: dict[str, Any] = {}
        if plan.headers:
            _, end = opened.header((await opened.parts())[0])
            header = fields(await opened.octets(0, min(end, HEADER_BYTES)))
            for name in plan.names:
                if name == "headers":
                    found[name] = [_shown_field(one) for one in header]
                elif name in header_forms.CONVENIENT:
                    # Columns do not tell an empty list from none.
                    found[name] = header_forms.CONVENIENT[name].of(header) or None
                elif (wanted := header_forms.parsed(name)) is not None:
                    found[name] = wanted.of(header)
        if plan.structure:
            parts = await opened.parts()
            found |= await self._bodies(opened, parts, body_lists(parts))
        return found

    async def _bodies(
        self, opened: Opened, parts: tuple[Part, ...], lists: BodyLists
    ) -> dict[str, Any]:
        shown = PartsShown(opened, self._plan.parts)
        found: dict[str, Any] = {}
        for name in self._plan.names:
            match name:
                case "bodyStructure":
                    found[name] = await shown.tree(parts)
                case "textBody":
                    found[name] = [await shown.one(part) for part in lists.text]
                case "htmlBody":
                    found[name] = [await shown.one(part) for part in lists.html]
                case "attachments":
                    found[name] = [await shown.one(part) for part in lists.attachments]
                case "bodyValues":
                    found[name] = await self._texts(opened, parts, lists)
        return found

    async def _texts(
        self, opened: Opened, parts: tuple[Part, ...], lists: BodyLists
    ) -> dict[str, Any]:
        arguments = self._arguments
        wanted: list[Part] = []
        if arguments.fetch_all_body_values:
            wanted += parts
        if arguments.fetch_text_body_values:
            wanted += lists.text
        if arguments.fetch_html_body_values:
            wanted += lists.html
        found: dict[str, Any] = {}
        for part in wanted:
            id_ = body_parts.part_id(part)
            if (
                part.type == "text"
                and id_ is not None
                and id_ not in found
                and _is_own(parts, part)
            ):
                found[id_] = await self._values.value(opened, part)
        return found


def _is_own(parts: tuple[Part, ...], part: Part) -> bool:
    """Whether a part is the message's, and not in one that is embedded."""
    while part.parent >= 0:
        part = parts[part.parent]
        if part.media in ("message/rfc822", "message/global"):
            return False
    return True


_NOTHING: Final[Mapping[str, Any]] = {
    "bodyValues": {},
    "textBody": [],
    "htmlBody": [],
    "attachments": [],
    "headers": [],
}


def _shown_field(one: Field) -> dict[str, str]:
    return {"name": header_forms.raw(one.name), "value": header_forms.raw(one.value)}


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
    "blobId": lambda email, boxes, row: email_text(email),
    "threadId": lambda email, boxes, row: thread_text(row["e.thread"]),
    "mailboxIds": lambda email, boxes, row: {mailbox_text(box): True for box in boxes},
    "keywords": lambda email, boxes, row: keywords.shown(row["e.flags"], row["e.keywords"]),
    "size": lambda email, boxes, row: row["e.size"],
    "receivedAt": lambda email, boxes, row: utc_date(row["e.received_at"]),
    "hasAttachment": lambda email, boxes, row: bool(row["e.attachment"]),
    "preview": lambda email, boxes, row: row["w.preview"],
}

METHODS: Final = {"Email/get": Method(MAIL, EmailGet, get)}
