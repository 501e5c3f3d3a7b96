"""From a received message to mailboxes: routes decided at RCPT, one command at the end of the content.

A message is acknowledged when its copies are durable. Where a server may answer once for several
recipients (SMTP), a copy that no longer fits its quota is filed all the same if any other was: it had
been promised at RCPT. LMTP answers for each.
"""

import asyncio
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import msgspec

from malleposte.delivery.leaving import Sending, has_eight_bit
from malleposte.delivery.spool import AT_ONCE, Prepared, Spool, prepare
from malleposte.delivery.submitted import NotAllowed, Written, audited, submit
from malleposte.delivery.trace_header import (
    Origin,
    delivered_to,
    received,
    return_path,
    trace_id,
)
from malleposte.directory.book import Book, Found, Resolution
from malleposte.directory.senders import Senders
from malleposte.store import DiskFull, Store, StoreError
from malleposte.store.commands import Deliver, Filing, Handing
from malleposte.store.errors import no_space
from malleposte.store.incoming import NoRoom
from malleposte.store.read import usage
from malleposte.store.results import Delivered, Filed


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """``hops``: Received lines at which a message is taken for a loop. ``grace``: seconds over quota
    before mail is refused for good."""

    hostname: str
    hops: int = 100
    grace: int = 5 * 86_400


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient accepted at RCPT, with whom it reaches."""

    address: str
    """As the client wrote it."""
    resolution: Resolution
    notify: str = ""
    """When its sender wants a report about it, as in NOTIFY (RFC 3461 §4.1); '' where he did not say."""
    original: str = ""
    """``type;address`` of ORCPT (RFC 3461 §4.2), decoded; '' where it was not given."""

    @property
    def leaves(self) -> bool:
        """Whether it is another server's."""
        return self.resolution.found is Found.NOT_OURS

    @property
    def remote(self) -> str:
        """The address as other servers are told it: its local part as it came, the domain as A-labels."""
        return self.address.rpartition("@")[0] + "@" + self.resolution.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Reports:
    """What the sender asked of reports about the whole message; '' where he did not."""

    returned: str = ""
    """FULL or HDRS (RET, RFC 3461 §4.3)."""
    envelope: str = ""
    """The sender's own name of the transaction (ENVID, RFC 3461 §4.4), decoded."""


NO_REPORTS = Reports()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to tell the client about a recipient or a message: a reply in plain data."""

    code: int
    enhanced: str
    text: str

    @property
    def good(self) -> bool:
        """Accepted."""
        return self.code < 300


FILED = Verdict(250, "2.0.0", "Message accepted")
NO_SUCH_USER = Verdict(550, "5.1.1", "There is no such address here")
NO_RELAY = Verdict(
    550, "5.7.1", "This server takes mail for its own domains only, and relays for nobody"
)
NO_OUTSIDE = Verdict(
    550, "5.7.1", "Sending to other domains is not set up on this server; only local addresses work"
)
NO_ADDRESS = Verdict(553, "5.1.3", "That is no address that mail can be sent to")
SUSPENDED = Verdict(550, "5.2.1", "This mailbox takes no mail at present")
FULL_FOR_NOW = Verdict(452, "4.2.2", "The mailbox is full; please try again later")
FULL = Verdict(552, "5.2.2", "The mailbox has been full for some days")
LOOP = Verdict(554, "5.4.6", "The message has passed too many servers: it runs in a circle")
DISK_FULL = Verdict(452, "4.3.1", "The server is short of disk space; please try again later")
AWAY = Verdict(451, "4.3.0", "The mail store cannot answer now; please try again later")

HOPS_WITHIN = 2_000_000
"""Octets of a header in which a circle shows: a hundred servers that add 20 kB each."""


def put_off(error: StoreError | OSError) -> Verdict:
    """What to tell a client about mail that cannot be taken for what went wrong here: all of it 4yz, for
    a defect of ours is no reason to lose mail."""
    match error:
        case NoRoom(full=False):
            return Verdict(452, "4.4.5", error.text)  # RFC 3463 §3.5: mail system congestion
        case NoRoom() | DiskFull():
            return DISK_FULL
        case OSError() if no_space(error):
            return DISK_FULL
    return AWAY


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
    ) -> None:
        self._store = store
        self._book = book
        self._settings = settings
        self._sending = sending
        self.senders = Senders(store, book)

    def spool(self, client: Hashable | None = None) -> Spool:
        """Where the content of one message goes while it comes; ``client`` as in ``Incoming.ask``."""
        return Spool(self._store.incoming, client)

    async def route(
        self, local: str, domain: str, *, size: int, signed_in: bool
    ) -> tuple[Verdict, Resolution]:
        """Whether mail for an address is taken, and whom it reaches."""
        resolution = await self._book.resolve(local, domain)
        if resolution.found is Found.NOT_OURS:
            if not signed_in:
                return NO_RELAY, resolution
            if self._sending is None:
                return NO_OUTSIDE, resolution
            return (FILED if resolution.address else NO_ADDRESS), resolution
        if resolution.found is not Found.HERE:
            gone = resolution.found is Found.SUSPENDED
            return (SUSPENDED if gone else NO_SUCH_USER), resolution
        if not resolution.system:
            verdict = await self._room(resolution, size)
            if not verdict.good:
                return verdict, resolution
        return FILED, resolution

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
    ) -> tuple[list[Verdict], int]:
        """File a message for its recipients; a verdict for each of them, and the trace's number.

        ``each``: the client hears every verdict (LMTP); otherwise they agree. Raises the store's
        failures and ``OSError``.
        """
        number = trace_id()
        written = Written()
        if origin.account:
            leaves = any(recipient.leaves for recipient in recipients)
            try:
                written = await submit(spool, self.senders, origin, now, leaves=leaves)
            except NotAllowed as error:
                return [Verdict(error.code, error.enhanced, error.text)] * len(recipients), number
        message = await prepare(spool)
        try:
            with spool.buffer() as buffer:
                passed = hops(buffer[: message.summary.header_size])
                header = bytes(buffer[: message.summary.header_size]) if origin.account else b""
            if passed >= self._settings.hops:
                return [LOOP] * len(recipients), number
            by = written.authors
            single = recipients[0].address if len(recipients) == 1 else ""
            line = received(origin, self._settings.hostname, number, single, now)
            filings, owners = self._filings(sender, recipients, line)
            handings = await self._handings(
                sender, recipients, origin.account, line, header, by, now, spool, reports
            )
            command = Deliver(
                content=message.content,
                rendered=message.rendered,
                filings=filings,
                received_at=int(now),
                sender=sender,
                direction="local" if origin.account else "in",
                trace_id=number,
                trace=_record(origin, recipients, message, reports),
                grace=self._settings.grace,
                one_answer=not each,
                handings=handings,
                audit=audited(written, origin, number),
            )
            filed = await self._submit(command, message)
        finally:
            message.close()
        if handings and self._sending is not None:
            self._sending.queued()
        verdicts = {f.account: _REFUSED.get(f.refused, AWAY) if f.refused else FILED for f in filed}
        answers = []
        for recipient, accounts in zip(recipients, owners, strict=True):
            if recipient.leaves:
                answers.append(FILED)
                continue
            got = [verdicts[account] for account in accounts]
            good = next((v for v in got if v.good), None)
            answers.append(good or (got[0] if got else NO_SUCH_USER))
        return answers, number

    async def _handings(
        self,
        sender: str,
        recipients: Sequence[Recipient],
        account: int,
        line: bytes,
        header: bytes,
        by: Sequence[str],
        now: float,
        spool: Spool,
        reports: Reports,
    ) -> tuple[Handing, ...]:
        """The copies that leave. ``line``: Received; ``by``: the authors that ``header`` names."""
        leavers = [recipient for recipient in recipients if recipient.leaves]
        if not leavers or self._sending is None:
            return ()
        who = await self._book.account(account)
        with spool.buffer() as buffer:
            eight_bit = await self._eight_bit(buffer)
            signatures = b""
            if len(by) == 1:
                domain = (await self._book.resolve(*by[0].rpartition("@")[::2])).address
                signatures = await self._sending.signed(
                    domain.rpartition("@")[2], header, buffer[len(header) :], now
                )
            allowances = (
                () if who is None else await self._sending.allowances(self.senders, who, now)
            )
            handing = self._sending.handing(
                sender,
                leavers,
                account=account,
                allowances=allowances,
                organisation=who.organisation if who is not None else 0,
                prefix=signatures + line,
                header=header,
                eight_bit=eight_bit,
                now=now,
                ret=reports.returned,
                envelope=reports.envelope,
            )
        return (handing,)

    @staticmethod
    async def _eight_bit(buffer: bytes | memoryview) -> bool:
        if len(buffer) <= AT_ONCE:
            return has_eight_bit(buffer)
        return await asyncio.to_thread(has_eight_bit, buffer)

    async def _submit(self, command: Deliver, message: Prepared) -> list[Filed]:
        result = await self._store.submit(command, message.descriptor)
        if not isinstance(result, Delivered):
            raise TypeError(f"a delivery was answered with {type(result).__name__}")
        return list(result.filed)

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
            for account in resolution.accounts:
                known = filings.get(account)
                if known is None:
                    filings[account] = Filing(
                        account=account,
                        prefix=path + delivered_to(resolution.address) + line,
                        exempt=resolution.system,
                    )
                elif resolution.system and not known.exempt:
                    filings[account] = msgspec.structs.replace(known, exempt=True)
        return tuple(filings.values()), owners


def hops(header: bytes | memoryview) -> int:
    """Received lines of a message's header. Each server puts its own on top: looked for in its first
    ``HOPS_WITHIN`` octets only, as a header can be as large as a message."""
    head = bytes(header[:HOPS_WITHIN]).lower()
    return head.count(b"\nreceived:") + head.startswith(b"received:")


def _record(
    origin: Origin, recipients: Sequence[Recipient], message: Prepared, reports: Reports
) -> bytes:
    return msgspec.msgpack.encode(
        {
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
