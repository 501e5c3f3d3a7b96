"""What waited for recipients of this server (RFC 4865), when its time has come: filed as mail of that day.

Whom an address reaches is asked anew, for much may have changed since; the author was asked when it came.
The transaction that files it takes it out of the queue: a crash loses nothing, and files nothing twice.
"""

import contextlib
import time
from dataclasses import dataclass

from malleposte.delivery.outbound.connection import Content
from malleposte.delivery.receive import Reception
from malleposte.delivery.trace_header import Origin
from malleposte.delivery.verdict import FILED, Recipient, Reports, Verdict
from malleposte.directory.book import Book
from malleposte.store.commands import DELIVERED, Outcome
from malleposte.store.dialect import Reader
from malleposte.store.read.traces import waited_until
from malleposte.store.results import TakenMessage, TakenRecipient


@dataclass(frozen=True, slots=True)
class Releasing:
    """See the module. ``hostname``: this server's name."""

    reader: Reader
    reception: Reception
    book: Book
    hostname: str

    async def file(
        self, message: TakenMessage, recipient: TakenRecipient, content: Content
    ) -> Verdict:
        """File a message for a recipient. Raises the store's failures, ``OSError`` and
        ``ContentUnreadable``."""
        local, _, domain = recipient.address.rpartition("@")
        verdict, resolution = await self.reception.route(
            local, domain, size=message.size, account=message.account, sender=message.sender
        )
        if not verdict.good:
            return verdict
        who = await self.book.account(message.account)
        origin = Origin(
            peer="",
            hello=self.hostname,
            protocol="ESMTPA",
            account=message.account,
            login=who.address if who is not None else "",
            released=True,
            until=await waited_until(self.reader, message.trace),
        )
        settles = Outcome(
            message=message.id,
            n=recipient.n,
            attempt=recipient.attempt,
            state=DELIVERED,
            said=f"filed here: {FILED.text}",
        )
        one = Recipient(recipient.address, resolution, recipient.notify, recipient.original)
        reports = Reports(returned=message.ret, envelope=message.envelope)
        spool = self.reception.spool()
        try:
            async with contextlib.aclosing(content()) as pieces:
                async for piece in pieces:
                    spool.write(piece)
            verdicts, _ = await self.reception.file(
                message.sender,
                [one],
                spool,
                origin,
                each=False,
                now=time.time(),
                reports=reports,
                settles=settles,
            )
        finally:
            spool.close()
        return verdicts[0]
