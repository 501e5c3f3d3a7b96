"""From a received message to mailboxes: routes decided at RCPT, one command at the end of the content.

A message is acknowledged when its copies are durable. Where a server may answer once for several
recipients (SMTP), a copy that no longer fits its quota is filed all the same if any other was: it had
been promised at RCPT. LMTP answers for each.
"""

import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from malleposte.delivery.authorship import NotAllowed
from malleposte.delivery.leaving import Sending
from malleposte.delivery.onward import MOST_HEADER, Onwards
from malleposte.delivery.outgoing import Leaving, Outgoing
from malleposte.delivery.reports import arrived
from malleposte.delivery.sieving import Arrival, Sieving
from malleposte.delivery.spool import Prepared, Spool, prepare
from malleposte.delivery.srs import is_srs
from malleposte.delivery.submitted import Written, audited, submit
from malleposte.delivery.trace_header import (
    Origin,
    delivered_to,
    received,
    return_path,
    trace_id,
)
from malleposte.delivery.verdict import (
    AWAY,
    FILED,
    FULL,
    FULL_FOR_NOW,
    LOOP,
    NO_ADDRESS,
    NO_OUTSIDE,
    NO_RELAY,
    NO_REPORTS,
    NO_SUCH_USER,
    SUSPENDED,
    Recipient,
    Reports,
    Verdict,
)
from malleposte.directory.book import Book
from malleposte.directory.resolution import Found, Resolution
from malleposte.directory.senders import Senders
from malleposte.store import Store
from malleposte.store.commands import Deliver, Filing, Outcome, Submitted
from malleposte.store.read import usage
from malleposte.store.results import Delivered, Filed


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """``hops``: Received lines at which a message is taken for a loop. ``grace``: seconds over quota
    before mail is refused for good."""

    hostname: str
    hops: int = 100
    grace: int = 5 * 86_400


HOPS_WITHIN = 2_000_000
"""Octets of a header in which a circle shows: a hundred servers that add 20 kB each."""


NOTES, NOTE = 50, 300
"""Notes that a trace keeps, and characters of one."""
_REFUSED = {
    "over-quota": FULL_FOR_NOW,
    "over-quota-long": FULL,
    "no-such-account": NO_SUCH_USER,
}


class Reception:
    """Receives messages for a worker."""

    def __init__(
        self,
        store: Store,
        book: Book,
        settings: DeliverySettings,
        sending: Sending | None = None,
        sieving: Sieving | None = None,
    ) -> None:
        self._store = store
        self._sieving = sieving
        self._book = book
        self._settings = settings
        self._sending = sending
        self.senders = Senders(store, book)
        self._onwards = Onwards(book, store.reader, self.senders, sending)
        self._leaving = Leaving(store, book, self.senders, sending, self._onwards.copying)

    def spool(self, client: Hashable | None = None) -> Spool:
        """Where the content of one message goes while it comes; ``client`` as in ``Incoming.ask``."""
        return Spool(self._store.incoming, client)

    async def route(
        self, local: str, domain: str, *, size: int, account: int = 0, sender: str = ""
    ) -> tuple[Verdict, Resolution]:
        """Whether mail for an address is taken, and whom it reaches. ``account``: who signed in, 0 nobody;
        ``sender``: the envelope's."""
        resolution = await self._book.resolve(local, domain)
        if resolution.found is Found.NOT_OURS:
            return await self._outside(resolution, account), resolution
        if resolution.found is not Found.HERE:
            if resolution.found is Found.NO_SUCH_USER and is_srs(local):
                return await self._onwards.back(f"{local}@{domain}", sender)
            gone = resolution.found is Found.SUSPENDED
            return (SUSPENDED if gone else NO_SUCH_USER), resolution
        if resolution.onward or resolution.internal or resolution.group:
            verdict, resolution = await self._onwards.admitted(resolution, account, sender)
            if not verdict.good or resolution.group or resolution.onward:
                return verdict, resolution
        if not resolution.system:
            verdict = await self._room(resolution, size)
            if not verdict.good:
                return verdict, resolution
        return FILED, resolution

    async def _outside(self, resolution: Resolution, account: int) -> Verdict:
        """Whether mail for another server is taken."""
        if not account:
            return NO_RELAY
        if self._sending is None:
            return NO_OUTSIDE
        return await self._onwards.may_leave(account) if resolution.address else NO_ADDRESS

    async def _room(self, resolution: Resolution, size: int) -> Verdict:
        """Refused at RCPT only where no account it reaches has room."""
        worst = FILED
        for account in resolution.accounts:
            used, allowed = await usage.octets(self._store.reader, account)
            if not allowed or used + size <= allowed:
                return FILED
            row = await self._store.reader.row(
                "SELECT over_quota_since FROM account_head WHERE account = $1", account
            )
            since = row[0] if row else 0
            worst = FULL if since and time.time() - since > self._settings.grace else FULL_FOR_NOW
        return worst

    async def file(
        self,
        sender: str,
        recipients: Sequence[Recipient],
        spool: Spool,
        origin: Origin,
        *,
        each: bool,
        now: float,
        reports: Reports = NO_REPORTS,
        release: int = 0,
        settles: Outcome | None = None,
        submitted: Submitted | None = None,
    ) -> tuple[list[Verdict], int]:
        """File a message for its recipients; a verdict for each of them, and the trace's number.

        ``each``: the client hears every verdict (LMTP); otherwise they agree. ``release``: not before this
        moment, for whoever is known and where this server sends: the message waits in the queue;
        ``settles``, ``submitted``: as in ``Deliver``. Raises the store's failures and ``OSError``.
        """
        number = trace_id()
        written = Written()
        waits = release > now and bool(origin.account) and self._sending is not None
        goes_on = not waits and any(r.resolution.onward or r.resolution.group for r in recipients)
        if origin.account and not origin.released and (waits or any(r.leaves for r in recipients)):
            verdict = await self._onwards.may_submit(origin.account)
            if not verdict.good:
                return [verdict] * len(recipients), number
        if origin.account:
            leaves = goes_on or any(recipient.leaves for recipient in recipients)
            try:
                written = await submit(spool, self.senders, origin, now, leaves=leaves)
            except NotAllowed as error:
                return [Verdict(error.code, error.enhanced, error.text)] * len(recipients), number
        message = await prepare(spool)
        try:
            with spool.buffer() as buffer:
                passed = hops(buffer[: message.summary.header_size])
                wanted = origin.account or goes_on
                end = message.summary.header_size
                # What goes on has a shorter one; whoever signed in was asked for one before.
                end = end if origin.account else min(end, MOST_HEADER)
                header = bytes(buffer[:end]) if wanted else b""
            if passed >= self._settings.hops:
                return [LOOP] * len(recipients), number
            refused: Mapping[int, Verdict] = {}
            notes: Sequence[str] = ()
            if goes_on:
                settled = await self._onwards.settled(recipients, sender, header, origin.account)
                recipients, refused, notes = settled.recipients, settled.refused, settled.notes
                if refused and not each:
                    # One answer for all: none has it, and the sender's server tells him so.
                    return [next(iter(refused.values()))] * len(recipients), number
            single = recipients[0].address if len(recipients) == 1 else ""
            line = received(origin, self._settings.hostname, number, single, now)
            filings, owners = self._filings(sender, recipients, line)
            out = Outgoing(
                sender=sender,
                recipients=recipients,
                account=origin.account,
                line=line,
                header=header,
                by=written.authors,
                now=now,
                spool=spool,
                reports=reports,
                release=release if waits else 0,
            )
            handings, renamed = await self._leaving.handings(out)
            if waits:
                filings = ()
            variants, forwards = await self._leaving.variants(renamed, message, spool)
            plan = None
            became: Mapping[int, Sequence[tuple[str, str]]] = {}
            sieved = any(r.resolution.filtered for r in recipients)
            if self._sieving is not None and sieved and not waits:
                with spool.buffer() as buffer:
                    arrival = Arrival(
                        sender=sender,
                        buffer=buffer,
                        structure=message.rendered.structure,
                        header_size=message.summary.header_size,
                        line=line,
                        each=each,
                        account=origin.account,
                        number=number,
                        now=now,
                        leaves=bool(handings or forwards),
                        ret=reports.returned,
                        envelope=reports.envelope,
                    )
                    plan = await self._sieving.plan(arrival, filings, recipients)
            if plan is not None:
                notes, became = (*notes, *plan.notes), plan.told()
            command = Deliver(
                content=message.content,
                rendered=message.rendered,
                filings=filings,
                received_at=int(now),
                sender=sender,
                direction="local" if origin.account else "in",
                trace_id=number,
                trace=_record(
                    origin,
                    recipients,
                    message,
                    reports,
                    notes,
                    until=release if waits else origin.until,
                    became=became,
                ),
                grace=self._settings.grace,
                one_answer=not each,
                handings=handings,
                variants=variants,
                forwards=forwards,
                audit=audited(written, origin, number),
                settles=settles,
                submitted=submitted,
            )
            if plan is not None:
                command = plan.applied(command)
            if origin.account and not each and not waits:
                told = arrived(
                    [r for r in recipients if _told(r)],
                    number=number,
                    sender=sender,
                    account=origin.account,
                    header=header,
                    envelope=reports.envelope,
                    at=int(now),
                )
                command = msgspec.structs.replace(command, jobs=command.jobs + told)
            filed: list[Filed] = []
            if plan is None or not plan.all_refused or handings or forwards:
                done = await self._submit(command, message)
                if done.before:
                    return [FILED] * len(recipients), number
                filed = list(done.filed)
        finally:
            message.close()
        if (command.handings or command.forwards) and self._sending is not None:
            self._sending.queued()
        outcomes = [
            (f.account, _REFUSED.get(f.refused, AWAY) if f.refused else FILED) for f in filed
        ]
        verdicts = dict(outcomes) if plan is None else plan.verdicts(outcomes)
        answers = []
        for at, (recipient, accounts) in enumerate(zip(recipients, owners, strict=True)):
            if at in refused:
                answers.append(refused[at])
                continue
            if recipient.leaves or recipient.resolution.onward or waits:
                answers.append(FILED)
                continue
            got = [verdicts[account] for account in accounts]
            good = next((v for v in got if v.good), None)
            answers.append(good or (got[0] if got else NO_SUCH_USER))
        return answers, number

    async def _submit(self, command: Deliver, message: Prepared) -> Delivered:
        result = await self._store.submit(command, message.descriptor)
        if not isinstance(result, Delivered):
            raise TypeError(f"a delivery was answered with {type(result).__name__}")
        return result

    def _filings(
        self, sender: str, recipients: Sequence[Recipient], line: bytes
    ) -> tuple[tuple[Filing, ...], list[tuple[int, ...]]]:
        """One filing an account, whatever number of its addresses was named; and for each recipient
        the accounts it reached. ``line``: Received."""
        path = return_path(sender)
        filings: dict[int, Filing] = {}
        owners = []
        for recipient in recipients:
            resolution = recipient.resolution
            owners.append(resolution.accounts)
            before = path + delivered_to(resolution.address) if resolution.accounts else b""
            if recipient.listed is not None:
                before = return_path(recipient.listed.sender) + delivered_to(resolution.address)
                before += recipient.listed.fields
            for account in resolution.accounts:
                known = filings.get(account)
                if known is None:
                    filings[account] = Filing(
                        account=account,
                        prefix=before + line,
                        exempt=resolution.system,
                    )
                elif resolution.system and not known.exempt:
                    filings[account] = msgspec.structs.replace(known, exempt=True)
        return tuple(filings.values()), owners


def _told(recipient: Recipient) -> bool:
    """Whether our own server reports on it: nobody else does."""
    resolution = recipient.resolution
    return bool(resolution.accounts or resolution.group) or recipient.expands


def hops(header: bytes | memoryview) -> int:
    """Received lines of a message's header. Each server puts its own on top: looked for in its first
    ``HOPS_WITHIN`` octets only, as a header can be as large as a message."""
    head = bytes(header[:HOPS_WITHIN]).lower()
    return head.count(b"\nreceived:") + head.startswith(b"received:")


def _record(
    origin: Origin,
    recipients: Sequence[Recipient],
    message: Prepared,
    reports: Reports,
    notes: Sequence[str] = (),
    *,
    until: int = 0,
    became: Mapping[int, Sequence[tuple[str, str]]] | None = None,
) -> bytes:
    """The trace's record. ``notes``: what was wanted, by scripts or forwards, and not done; ``until``: when
    it is, or was, to be released; ``became``: what scripts did, as ``sieving.Plan.told``."""
    onward = [(one.address, one.by) for r in recipients for one in r.resolution.onward]
    return msgspec.msgpack.encode(
        {
            **({"notes": [note[:NOTE] for note in notes[:NOTES]]} if notes else {}),
            **({"became": became} if became else {}),
            **({"until": until} if until else {}),
            **({"onward": onward[:1000]} if onward else {}),
            "peer": origin.peer,
            "hello": origin.hello,
            "with": origin.protocol,
            "tls": origin.tls,
            "login": origin.login,
            "device": origin.device,
            "size": message.content.size,
            "ret": reports.returned,
            "envid": reports.envelope,
            "to": [
                (r.address, r.resolution.accounts, r.notify, r.original) for r in recipients[:1000]
            ],
        }
    )
