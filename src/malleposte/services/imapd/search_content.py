"""Search keys that only the message itself answers: HEADER, BODY, TEXT (RFC 9051 §6.4.4)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

import structlog

from malleposte.mime import decode_text
from malleposte.search import contents
from malleposte.search.folding import fold, holds
from malleposte.search.headers import field_values
from malleposte.search.needle import Needle
from malleposte.store.ids import LOW
from malleposte.store.opened import Opened
from malleposte.store.read import emails as read_emails
from malleposte.store.read.emails import Damaged
from malleposte.wire.imap.commands import search_keys as keys

if TYPE_CHECKING:
    from malleposte.services.imapd.search_program import Evaluation

log = structlog.get_logger(__name__)
Positions = Sequence[int]

BODIES: Final = 25
"""Emails a statement reads: some 1 ms."""


Test = Callable[[Opened], Awaitable[bool]]
"""Whether an email, opened, matches. Raises ``Damaged``."""


def values_test(name: str, test: Callable[[list[bytes]], bool]) -> Test:
    """A test of the raw values of a header field, in order."""

    async def matches(opened: Opened) -> bool:
        return test(await field_values(opened, name))

    return matches


def header_test(key: keys.Header) -> Test:
    """HEADER: a field that holds a text; with an empty text, a field that is there."""
    needle = fold(key.text)

    async def matches(opened: Opened) -> bool:
        for value in await field_values(opened, key.name):
            if await holds(decode_text(value), needle, opened.pause):
                return True
        return False

    return matches


def body_test(key: keys.BodyText) -> Test:
    """BODY."""
    needle = Needle(key.text)
    return lambda opened: contents.holds(opened, needle, headers=False)


def text_test(key: keys.AnyText) -> Test:
    """TEXT."""
    needle = Needle(key.text)
    return lambda opened: contents.holds(opened, needle, headers=True)


async def over_content(run: "Evaluation", among: Positions, matches: Test) -> list[int]:
    """Positions whose email, opened, passes a test. What is damaged matches nothing."""
    session = run.session
    store = session.service.store
    found: list[int] = []
    for start in range(0, len(among), BODIES):
        part = among[start : start + BODIES]
        rows = await session.reading(
            read_emails.stored_of(store.reader, run.account, [run.emails[at] for at in part])
        )
        by_email = {row.email & LOW: row for row in rows}
        for at in part:
            stored = by_email.get(run.emails[at])
            if stored is None:
                continue
            try:
                opened = Opened(store, stored)
                opened.pause = session.pause
                if await matches(opened):
                    found.append(at)
            except Damaged as error:
                log.error("imap_damaged", email=stored.email, error=str(error))
            await run.pause(start, len(among))
    return found
