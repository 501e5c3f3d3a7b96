"""Search keys that only the header itself answers (RFC 9051 §6.4.4 HEADER)."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

import structlog

from malleposte.mime import decode_text
from malleposte.services.imapd.folding import fold, holds
from malleposte.store.ids import LOW
from malleposte.store.opened import HEADER_BYTES, Opened
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


def values_of(header: bytes, name: bytes) -> list[bytes]:
    """The raw values of a field, in order; ``name`` in lower case. Only the field is looked for: all
    fields of a header block of 1 MB would take too long."""
    if not name or not _NAME.fullmatch(name):
        return []
    # In front of the first line stands the end of none.
    lower = b"\n" + header.lower()
    found: list[bytes] = []
    at = lower.find(b"\n" + name)
    while at >= 0:
        # Offsets in `header` are one less: this is that of the name.
        value = _VALUE.match(header, at + len(name))
        if value is not None:
            found.append(value[1].removesuffix(b"\r"))
        at = lower.find(b"\n" + name, at + 1)
    return found


_NAME: Final = re.compile(rb"[!-9;-~]+")
# RFC 5322 §4.5.3 lets white space stand before the colon.
_VALUE: Final = re.compile(rb"[ \t]*:([^\n]*+(?:\n[ \t][^\n]*+)*+)")


async def _values(opened: Opened, name: str) -> list[bytes]:
    """The raw values of a header field of an email, in order."""
    _, end = opened.header((await opened.parts())[0])
    header = await opened.octets(0, min(end, HEADER_BYTES))
    return values_of(header, name.encode("ascii", "replace"))


def values_test(name: str, test: Callable[[list[bytes]], bool]) -> Test:
    """A test of the raw values of a header field, in order."""

    async def matches(opened: Opened) -> bool:
        return test(await _values(opened, name))

    return matches


def header_test(key: keys.Header) -> Test:
    """HEADER: a field that holds a text; with an empty text, a field that is there."""
    needle = fold(key.text)

    async def matches(opened: Opened) -> bool:
        for value in await _values(opened, key.name):
            if await holds(decode_text(value), needle, opened.pause):
                return True
        return False

    return matches


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
