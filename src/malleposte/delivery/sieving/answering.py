"""Mail that an account's scripts have it send by itself: from the null sender, so that no program answers.

It is a job of the store, put there with the message that it is about. It has its place in the trace, under
a number made of its key: a job that is run twice finds that, and writes nothing. What comes to accounts of
ours passes by their scripts.
"""

import time
from dataclasses import dataclass
from hashlib import blake2b

import msgspec
import structlog

from malleposte.delivery.leaving import Sending, has_eight_bit
from malleposte.delivery.spool import Spool, prepare
from malleposte.delivery.trace_header import delivered_to, return_path
from malleposte.delivery.verdict import Recipient
from malleposte.directory.book import Account, Book
from malleposte.directory.resolution import Found, Resolution
from malleposte.store import Store
from malleposte.store.commands import Deliver, Filing, Handing

from .plan import Arrival, Plan
from .planning import Sieving

log = structlog.get_logger(__name__)

_WRITTEN = "SELECT 1 FROM trace WHERE id = $1 AND message_id = $2"


@dataclass(frozen=True, slots=True)
class _Leaver:
    """As ``leaving.Leaver``: nobody is told about it (RFC 3461 §4.1)."""

    remote: str
    notify: str = "NEVER"
    original: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished message of ``account`` in the name of ``author``, to ``to``. ``kind``: what it is, in the
    trace; ``number``: of its own trace, ``about``: of that of the message it is about."""

    account: Account
    author: str
    to: str
    octets: bytes
    kind: str
    number: int
    about: int


@dataclass(frozen=True, slots=True)
class Answering:
    """What writes such mail. ``sending``: None where nothing is sent to others."""

    store: Store
    book: Book
    hostname: str
    sending: Sending | None
    sieving: Sieving | None = None

    async def is_written(self, number: int, identity: str) -> bool:
        """Whether the message of that Message-ID was sent already."""
        return await self.store.reader.row(_WRITTEN, number, identity) is not None

    async def addressee(self, to: str) -> Resolution:
        """Whom an address reaches."""
        local, _, domain = to.rpartition("@")
        return await self.book.resolve(local, domain)

    async def send(self, answer: Answer) -> None:
        """Send one. Raises what the store raises."""
        found = await self.addressee(answer.to)
        elsewhere = [answer.to] if found.found is Found.NOT_OURS and found.address else []
        elsewhere += found.remotes
        if answer.account.internal or self.sending is None:
            elsewhere = []
        accounts = found.accounts if found.found is Found.HERE else ()
        if not accounts and not elsewhere:
            log.info("a reply has nobody to go to", account=answer.account.id, kind=answer.kind)
            return
        filings = tuple(
            Filing(account=one, prefix=return_path("") + delivered_to(found.address))
            for one in accounts
        )
        handings = await self._handings(answer, elsewhere)
        await self._submit(answer, filings, handings, Recipient(answer.to, found))

    async def _handings(self, answer: Answer, elsewhere: list[str]) -> tuple[Handing, ...]:
        sending = self.sending
        if not elsewhere or sending is None:
            return ()
        end = answer.octets.index(b"\r\n\r\n") + 4
        header, body = answer.octets[:end], answer.octets[end:]
        now = time.time()
        signatures = await sending.signed(answer.author.rpartition("@")[2], header, body, now)
        return (
            sending.handing(
                "",
                [_Leaver(address) for address in elsewhere],
                account=answer.account.id,
                organisation=answer.account.organisation,
                prefix=signatures,
                header=header,
                eight_bit=has_eight_bit(answer.octets),
                now=now,
            ),
        )

    async def _submit(
        self,
        answer: Answer,
        filings: tuple[Filing, ...],
        handings: tuple[Handing, ...],
        recipient: Recipient,
    ) -> None:
        now = time.time()
        spool = Spool(self.store.incoming)
        spool.write(answer.octets)
        try:
            message = await prepare(spool)
        finally:
            spool.close()
        try:
            command = Deliver(
                content=message.content,
                rendered=message.rendered,
                filings=filings,
                received_at=int(now),
                direction="out" if handings else "local",
                trace_id=answer.number,
                trace=_record(answer, recipient),
                handings=handings,
            )
            if self.sieving is not None and recipient.resolution.filtered:
                arrival = Arrival(
                    sender="",
                    buffer=answer.octets,
                    structure=message.rendered.structure,
                    header_size=message.summary.header_size,
                    line=b"",
                    each=True,
                    account=0,
                    number=answer.number,
                    now=now,
                    leaves=bool(handings),
                )
                plan = await self.sieving.plan(arrival, filings, [recipient])
                record = _record(answer, recipient, plan)
                command = plan.applied(msgspec.structs.replace(command, trace=record))
            await self.store.submit(command, message.descriptor)
        finally:
            message.close()
        if command.handings and self.sending is not None:
            self.sending.queued()


def number_of(at: int, key: str) -> int:
    """The trace's number of what a job writes: the same whenever it is run."""
    digest = blake2b(key.encode(), digest_size=4).digest()
    return at << 31 | int.from_bytes(digest, "big") & 0x7FFFFFFF


def _record(answer: Answer, recipient: Recipient, plan: Plan | None = None) -> bytes:
    """As the record of a message that came in, as far as it applies."""
    return msgspec.msgpack.encode(
        {
            "peer": "",
            "hello": "",
            "with": answer.kind,
            "tls": "",
            "login": "",
            "size": len(answer.octets),
            "ret": "",
            "envid": "",
            "to": [(answer.to, recipient.resolution.accounts, "NEVER", "")],
            "about": answer.about,
            **({"became": plan.told()} if plan is not None and plan.fates else {}),
        }
    )
