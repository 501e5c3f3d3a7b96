"""All copies of a message that leave: for recipients elsewhere, those that wait, and what goes on."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from malleposte.delivery.leaving import Sending, addresses_in, has_eight_bit
from malleposte.delivery.onward_copies import Copies, Copying, Message
from malleposte.delivery.outbound import HERE
from malleposte.delivery.spool import AT_ONCE, Prepared, Spool, put_variant
from malleposte.delivery.verdict import Recipient, Reports
from malleposte.directory.book import Book
from malleposte.directory.senders import Senders
from malleposte.store import Store
from malleposte.store.commands import Enclosed, Forward, Handing

Renamed = Sequence[tuple[bytes, Handing]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message of which copies may leave. ``account``: who signed in, 0 nobody; ``line``: Received;
    ``by``: the authors that ``header`` names, where somebody signed in; ``release``: all copies wait until
    then, those for recipients here too, 0 none."""

    sender: str
    recipients: Sequence[Recipient]
    account: int
    line: bytes
    header: bytes
    by: Sequence[str]
    now: float
    spool: Spool
    reports: Reports
    release: int = 0


class Leaving:
    """Makes them. ``sending``: None where this server does not send: then there are none."""

    def __init__(
        self, store: Store, book: Book, senders: Senders, sending: Sending | None, copying: Copying
    ) -> None:
        self._store = store
        self._book = book
        self._senders = senders
        self._sending = sending
        self._copying = copying

    async def handings(self, out: Outgoing) -> tuple[tuple[Handing, ...], Renamed]:
        """The copies of the message as it came, and those with another header."""
        leavers = [recipient for recipient in out.recipients if recipient.leaves]
        onward = not out.release and any(
            recipient.resolution.onward for recipient in out.recipients
        )
        sending = self._sending
        if sending is None or not (leavers or onward or out.release):
            return (), ()
        who = await self._book.account(out.account) if out.account else None
        with out.spool.buffer() as buffer:
            eight_bit = await _eight_bit(buffer)
            signatures = b""
            if len(out.by) == 1:
                domain = (await self._book.resolve(*out.by[0].rpartition("@")[::2])).address
                signatures = await sending.signed(
                    domain.rpartition("@")[2], out.header, buffer[len(out.header) :], out.now
                )
            allowances = (
                () if who is None else await sending.allowances(self._senders, who, out.now)
            )
            handings: tuple[Handing, ...] = ()
            if leavers:
                handing = sending.handing(
                    out.sender,
                    leavers,
                    account=out.account,
                    allowances=allowances,
                    organisation=who.organisation if who is not None else 0,
                    prefix=signatures + out.line,
                    header=out.header,
                    eight_bit=eight_bit,
                    now=out.now,
                    ret=out.reports.returned,
                    envelope=out.reports.envelope,
                    release=out.release,
                )
                handings = (handing,)
            here = [
                recipient for recipient in out.recipients if out.release and not recipient.leaves
            ]
            if here:
                handing = sending.handing(
                    out.sender,
                    here,
                    account=out.account,
                    organisation=who.organisation if who is not None else 0,
                    prefix=out.line,
                    header=out.header,
                    eight_bit=False,
                    now=out.now,
                    ret=out.reports.returned,
                    envelope=out.reports.envelope,
                    route=HERE,
                    release=out.release,
                )
                handings += (handing,)
            copies = Copies()
            if onward:
                going = Message(
                    sender=out.sender,
                    header=out.header,
                    body=buffer[len(out.header) :],
                    eight_bit=eight_bit,
                    line=out.line,
                    now=out.now,
                    account=out.account,
                    by=tuple(out.by) or tuple(addresses_in(out.header, b"from")),
                    signatures=signatures,
                    reports=out.reports,
                )
                copies = await self._copying.copies(out.recipients, going)
        return handings + copies.handings, copies.renamed

    async def variants(
        self, renamed: Renamed, message: Prepared, spool: Spool
    ) -> tuple[tuple[Enclosed, ...], tuple[Forward, ...]]:
        """Copies with another header, in the form the store takes: each content is put before."""
        variants: list[Enclosed] = []
        forwards: list[Forward] = []
        for header, handing in renamed:
            content = await put_variant(
                self._store, spool, message.summary.header_size, header, handing.organisation
            )
            variants.append(Enclosed(content=content, rendered=message.rendered, received_at=0))
            forwards.append(Forward(account=0, handing=handing, variant=len(variants)))
        return tuple(variants), tuple(forwards)


async def _eight_bit(buffer: bytes | memoryview) -> bool:
    if len(buffer) <= AT_ONCE:
        return has_eight_bit(buffer)
    return await asyncio.to_thread(has_eight_bit, buffer)
