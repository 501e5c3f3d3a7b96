r"""``\Recent``: which messages a session is the first to hear of (RFC 3501 §2.3.2, §7.3.2).

The store keeps one UID a mailbox, from which on nobody was told (decision 0014). Before a session tells
its client of messages past it, it claims them; of all sessions one gets them. EXAMINE, and SELECT
by who may only read, show what nobody has claimed and claim nothing: all would miss it (§6.3.1, §6.3.2).
Clients of IMAP4rev2 know no such flag (RFC 9051 §2.3.2): for them nothing is claimed.

It belongs to the session, not to the message: it is no change that others hear of, and has no modseq.
"""

import asyncio
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import structlog

from malleposte.store import TemporaryFailure
from malleposte.store.commands import ClaimRecent
from malleposte.store.read import mailboxes
from malleposte.store.results import Claimed

if TYPE_CHECKING:
    from malleposte.services.imapd.selected import Selected
    from malleposte.services.imapd.session import Session
    from malleposte.store.view import View

log = structlog.get_logger(__name__)

PATIENCE: Final = 2.0
"""Seconds a client waits for a claim: the mail itself is there, whatever becomes of the flag."""

MOST_RANGES: Final = 1_000
"""Ranges a session remembers, 8 KB: they are apart only where other sessions claimed between. The oldest
go."""

FLAG: Final = b"\\Recent"


class RecentUids:
    """UIDs that are recent in one session: ranges, ascending and apart."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self) -> None:
        self._firsts = array("I")
        self._lasts = array("I")

    def add(self, first: int, last: int) -> None:
        """UIDs ``first`` to ``last``, of which none is less than one that is there already."""
        firsts, lasts = self._firsts, self._lasts
        if lasts and first <= lasts[-1] + 1:
            lasts[-1] = max(lasts[-1], last)
            return
        firsts.append(first)
        lasts.append(last)
        if len(firsts) > MOST_RANGES:
            del firsts[0], lasts[0]

    def slices(self, uids: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Where those of ascending UIDs stand that are recent, as ``NumberSet.slices``."""
        if not uids:
            return
        firsts, lasts = self._firsts, self._lasts
        highest = uids[-1]
        start = 0
        for n in range(bisect_left(lasts, uids[0]), len(firsts)):
            if firsts[n] > highest:
                return
            start = bisect_left(uids, firsts[n], start)
            stop = bisect_right(uids, lasts[n], start)
            if stop > start:
                yield start, stop
            start = stop

    def count(self, uids: Sequence[int]) -> int:
        """How many of ascending UIDs are recent."""
        return sum(stop - start for start, stop in self.slices(uids))

    def marked(self, uids: Sequence[int], flags: list[bytes]) -> list[bytes]:
        """Flag lists of ascending UIDs, with the flag where it belongs."""
        for start, stop in self.slices(uids):
            flags[start:stop] = [b"%b %b" % (FLAG, f) if f else FLAG for f in flags[start:stop]]
        return flags


async def hear(session: "Session", selected: "Selected", last: int) -> None:
    """Before the client hears of messages up to the UID ``last``: learn which are recent.

    Where the store cannot tell, those nobody claimed so far are taken for recent, as RFC 3501 §2.3.2
    wants; nothing fails.
    """
    view = selected.view
    if session.engine.rev2 or last < view.recent_from:
        return
    if not selected.writable:
        first = await _unclaimed(session, view)
        if first <= last:
            selected.recent_to(first, last)
        return
    # Sessions of this worker hear at one time: one of them claims, the others know then.
    async with view.claiming:
        if last < view.recent_from:
            return
        first, claimed = await _claim(session, view, last)
        view.recent_from = max(view.recent_from, last + 1)
    if first <= claimed:
        selected.recent_to(first, claimed)


async def _unclaimed(session: "Session", view: "View") -> int:
    """From which UID on nobody was told of anything. That moves without the account's modseq."""
    reader = session.service.store.reader
    try:
        row = await session.reading(mailboxes.recent_from(reader, view.mailbox))
    except TemporaryFailure as error:
        log.warning("imap_recent_unknown", error=str(error))
        return view.recent_from
    view.recent_from = max(view.recent_from, row)
    return view.recent_from


async def _claim(session: "Session", view: "View", last: int) -> tuple[int, int]:
    """The first and the last UID that are this session's; none where the last is less."""
    command = ClaimRecent(actor=session.actor, mailbox=view.mailbox, upto=last)
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await session.service.store.submit(command)
    except (TemporaryFailure, TimeoutError) as error:
        log.warning("imap_recent_unknown", error=str(error))
        return view.recent_from, last
    if not isinstance(answer, Claimed):
        return last + 1, last  # the mailbox is gone, or the right to read it
    return answer.first, answer.last
