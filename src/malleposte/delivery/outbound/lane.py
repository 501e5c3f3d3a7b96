"""A lane: carries parcel after parcel over a connection of its own, and keeps that a little for more.

A connection that breaks before the content went costs a parcel nothing: another is tried at once, where
the first one had been kept (servers close what idles) or where the destination has other servers. After
the end of the content nothing is tried again at once.
"""

import asyncio
from typing import TYPE_CHECKING

import structlog

from malleposte.store.commands import DELIVERED

from .connection import Connection, ContentUnreadable
from .office import Parcel
from .settings import MARGIN, TRANSACTION
from .transaction import Offered, offer
from .words import Trouble, WayFailed

if TYPE_CHECKING:
    from .destination import Destination

log = structlog.get_logger(__name__)

TRIES = 2
"""Connections that one parcel is offered over, where the first one broke before the content went."""
BRIEFLY = 180.0
"""Seconds for a report or another message of the null sender: nobody here waits for it, and who forges
senders chooses where it goes. Another try is no harm where the other server had it after all."""


class Lane:
    """See the module."""

    def __init__(self, destination: "Destination") -> None:
        self._of = destination
        self._office = destination.office
        self._connection: Connection | None = None
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Run until there is nothing more to do."""
        messages, since = 0, self._loop.time()
        try:
            while not self._of.ends(messages, since):
                parcel = self._of.next()
                if parcel is not None:
                    messages += 1
                    await self._guarded(parcel)
                    self._let_go_if_worn()
                elif self._connection is None or not await self._of.idle():
                    return
        finally:
            self._let_go()

    async def _guarded(self, parcel: Parcel) -> None:
        """Carry; a defect in one delivery leaves the others alone."""
        since = self._loop.time()
        try:
            await self._carry(parcel)
        except WayFailed as failure:
            self._of.unreached(failure.trouble, parcel, since)
        except ContentUnreadable as error:
            log.error("content cannot be read", message=parcel.message.id, reason=str(error))
            words = f"its content could not be read from the store ({error}); see malleposte fsck"
            self._troubled(parcel, Trouble("4.3.0", words))
        except Exception as error:
            log.exception("a delivery failed", message=parcel.message.id)
            self._let_go()
            words = f"a defect of this server stopped it ({type(error).__name__})"
            self._troubled(parcel, Trouble("4.3.0", words))

    def _troubled(self, parcel: Parcel, trouble: Trouble) -> None:
        judge = self._office.judge
        self._office.settle([judge.troubled(parcel.message, r, trouble) for r in parcel.recipients])

    async def _carry(self, parcel: Parcel) -> None:
        await self._office.ready()
        if parcel.until - self._loop.time() < TRANSACTION and not parcel.tries:
            self._office.lapse(parcel)  # the store was away for long
            return
        if self._connection is not None and not self._connection.usable:
            self._let_go()
        since = self._loop.time()
        if self._connection is None:
            self._of.opening += 1
            try:
                opener = self._office.opener
                self._connection = await opener.open(self._of.way, self._of.is_shunned)
            finally:
                self._of.opening -= 1
            self._of.connected += 1
        connection = self._connection
        fresh = connection.messages == 0
        parcel.tries += 1
        until = parcel.until - MARGIN
        if not parcel.message.sender:
            until = min(until, self._loop.time() + BRIEFLY)
        offered = await offer(connection, parcel, self._office, until)
        if offered.broke is not None and fresh:
            self._of.shun(connection.address)
        if (
            offered.broke is not None
            and not connection.ended
            and parcel.tries < TRIES
            and (not fresh or len(self._of.way.exchanges) > 1)
        ):
            self._let_go()
            self._of.again(parcel)
            return
        self._settle(parcel, offered, since, fresh=fresh)

    def _settle(self, parcel: Parcel, offered: Offered, since: float, *, fresh: bool) -> None:
        works = [] if offered.broke else [one for one in parcel.recipients if one.failures]
        self._office.settle(offered.settled, works)
        if offered.rest:
            self._of.again(Parcel(parcel.message, offered.rest, parcel.until))
        if offered.broke is None:
            taken = any(one.outcome.state == DELIVERED for one in offered.settled)
            self._of.worked(taken=taken)
        else:
            self._of.broke(offered.broke, since, fresh=fresh)

    def _let_go_if_worn(self) -> None:
        connection, bounds = self._connection, self._office.settings.concurrency
        if connection is not None and (
            not connection.usable
            or connection.messages
            >= min(bounds.messages, connection.can.most_mails or bounds.messages)
            or self._loop.time() - connection.since > bounds.seconds
        ):
            self._let_go()

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._of.connected -= 1
            connection.goodbye()
