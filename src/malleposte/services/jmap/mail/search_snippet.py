"""SearchSnippet/get: where emails have what was looked for (RFC 8621 §5)."""

from collections.abc import Iterator
from typing import Any, Final

import structlog

from malleposte.search import snippets
from malleposte.search.finding import Pauses
from malleposte.search.needle import Needle
from malleposte.services.jmap.arguments import Arguments, Id
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.mail import filters
from malleposte.services.jmap.mail.names import MAIL
from malleposte.store import matching as m
from malleposte.store.ids import EMAIL_LETTER, LOW, account_of, id_number
from malleposte.store.opened import Opened
from malleposte.store.read import emails as read_emails
from malleposte.store.read import memberships
from malleposte.store.read.emails import Damaged

log = structlog.get_logger(__name__)

MOST: Final = 250
"""Emails of one call; a window on a screen has fifty."""
AT_ONCE: Final = 25
"""Emails a statement reads."""
OCTETS: Final = 64 << 20
"""Of content that one call reads: the emails after it have no ``preview``."""


class SearchSnippetGet(Arguments, frozen=True, kw_only=True):
    """RFC 8621 §5.1."""

    filter: dict[str, Any] | None = None
    email_ids: list[Id]


async def get(context: Context, arguments: SearchSnippetGet) -> Answer:
    """See the module."""
    access = await context.access(arguments.account_id)
    account = access.account
    condition = filters.condition(arguments.filter)
    ids = list(dict.fromkeys(arguments.email_ids))
    if len(ids) > MOST:
        raise MethodError("requestTooLarge", f"Snippets are given of at most {MOST} emails at once")
    numbers = {text: id_number(EMAIL_LETTER, text) for text in ids}
    wanted = sorted(number for number in numbers.values() if account_of(number) == account)
    there = await memberships.of(context.store.reader, wanted, access.mailboxes)
    run = _Run(context, account, condition)
    found: dict[int, tuple[str | None, str | None]] = {}
    present = [number for number in wanted if number in there]
    for start in range(0, len(present), AT_ONCE):
        found |= await run.some([number & LOW for number in present[start : start + AT_ONCE]])
    shown = {
        text: found[number & LOW]
        for text, number in numbers.items()
        if number in there and number & LOW in found
    }
    return {
        "accountId": arguments.account_id,
        "list": [
            {"emailId": text, "subject": subject, "preview": preview}
            for text, (subject, preview) in shown.items()
        ],
        "notFound": [text for text in ids if text not in shown] or None,
    }


class _Run:
    """One call."""

    def __init__(self, context: Context, account: int, condition: m.Condition) -> None:
        self._store = context.store
        self._account = account
        texts = list(_wanted(condition))
        self._in_subject = _needles(text for text in texts if text.field == "subject")
        self._in_body = _needles(text for text in texts if text.where == "body")
        self._octets = OCTETS
        self._pause = Pauses().pause

    async def some(self, numbers: list[int]) -> dict[int, tuple[str | None, str | None]]:
        """Subject and preview by email number."""
        reader = self._store.reader
        rows = await read_emails.columns_of(reader, self._account, numbers, ("w.subject",))
        subjects: dict[int, str | None] = {}
        for number, subject in rows:
            subjects[number] = snippets.marked(subject or "", self._in_subject)
            await self._pause()
        previews: dict[int, str | None] = {}
        if self._in_body and self._octets > 0:
            for stored in await read_emails.stored_of(reader, self._account, numbers):
                previews[stored.email & LOW] = await self._preview(Opened(self._store, stored))
        return {number: (subject, previews.get(number)) for number, subject in subjects.items()}

    async def _preview(self, opened: Opened) -> str | None:
        self._octets -= opened.stored.content_size
        if self._octets < 0:
            return None
        opened.pause = self._pause
        try:
            return await snippets.section(opened, self._in_body)
        except Damaged as error:
            log.error("jmap_damaged", email=opened.stored.email, error=str(error))
            return None


def _needles(texts: Iterator[m.Text]) -> list[Needle]:
    return [Needle(text.text, words=text.words) for text in dict.fromkeys(texts)]


def _wanted(condition: m.Condition) -> Iterator[m.Text]:
    """The texts of which being there speaks for an email."""
    match condition:
        case m.And(parts) | m.Or(parts):
            for part in parts:
                yield from _wanted(part)
        case m.Text():
            yield condition


METHODS: Final = {"SearchSnippet/get": Method(MAIL, SearchSnippetGet, get)}
