"""Replies of who is away (RFC 5230 §5): a job of the store, put there with the message that is answered.

A reply has the null sender and says that a program wrote it, so that no other program answers. It has its
place in the trace, under a number made of its key: a job that is run twice finds that, and writes nothing.
"""

import re
import time
from dataclasses import dataclass
from email.utils import formatdate
from hashlib import blake2b
from itertools import islice
from typing import Final

import msgspec
import structlog

from malleposte.delivery.leaving import Sending, has_eight_bit
from malleposte.delivery.reports.letter import to_line
from malleposte.delivery.spool import Spool, prepare
from malleposte.delivery.trace_header import delivered_to, return_path
from malleposte.delivery.verdict import Recipient
from malleposte.directory.book import Account, Book
from malleposte.directory.resolution import Found
from malleposte.mime import addresses, compose, fields
from malleposte.mime.address import display_name, mailboxes
from malleposte.store import Store
from malleposte.store.commands import Deliver, Filing, Handing
from malleposte.store.results import LeasedJob

from .plan import Arrival
from .planning import Sieving
from .work import Reply, read_reply

log = structlog.get_logger(__name__)

_WRITTEN: Final = "SELECT 1 FROM trace WHERE id = $1 AND message_id = $2"
_LONGEST_ID: Final = 900
_BLANK: Final = re.compile(r"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class _Leaver:
    """As ``leaving.Leaver``: nobody is told about a reply (RFC 3461 §4.1)."""

    remote: str
    notify: str = "NEVER"
    original: str = ""


@dataclass(frozen=True, slots=True)
class Replies:
    """Runs jobs of the kind ``REPLY_JOB``. ``sending``: None where nothing is sent to others."""

    store: Store
    book: Book
    hostname: str
    sending: Sending | None
    sieving: Sieving | None = None

    async def run(self, leased: LeasedJob) -> None:
        """Write the reply of a job."""
        job = read_reply(leased.payload)
        number = _number(job, leased.key)
        identity = f"reply.{leased.key}@{self.hostname}"
        if await self.store.reader.row(_WRITTEN, number, identity):
            return
        account = await self.book.account(job.account)
        if account is None or account.status != "active":
            return
        local, _, domain = job.to.rpartition("@")
        found = await self.book.resolve(local, domain)
        author = await self._author(job, account)
        octets = letter(job, author, identity)
        elsewhere = [job.to] if found.found is Found.NOT_OURS and found.address else []
        elsewhere += found.remotes
        if account.internal or self.sending is None:
            elsewhere = []
        accounts = found.accounts if found.found is Found.HERE else ()
        if not accounts and not elsewhere:
            log.info("a reply has nobody to go to", account=account.id)
            return
        recipient = Recipient(job.to, found)
        filings = tuple(
            Filing(account=one, prefix=return_path("") + delivered_to(found.address))
            for one in accounts
        )
        handings = await self._handings(account, author.address, elsewhere, octets)
        await self._submit(job, octets, number, filings, handings, recipient)

    async def _author(self, job: Reply, account: Account) -> compose.Mailbox:
        """Whom it is from: what the script says, if that is the account's to write as."""
        own = compose.Mailbox(account.name, account.address)
        for address in islice(mailboxes(addresses(job.sender.encode())), 1):
            spec = address.addr_spec.decode("utf-8", "replace")
            if await self.book.owns(account.id, spec):
                return compose.Mailbox(display_name(address.name) or account.name, spec)
        return own

    async def _handings(
        self, account: Account, author: str, elsewhere: list[str], octets: bytes
    ) -> tuple[Handing, ...]:
        sending = self.sending
        if not elsewhere or sending is None:
            return ()
        header, body = _split(octets)
        now = time.time()
        signatures = await sending.signed(author.rpartition("@")[2], header, body, now)
        return (
            sending.handing(
                "",
                [_Leaver(address) for address in elsewhere],
                account=account.id,
                organisation=account.organisation,
                prefix=signatures,
                header=header,
                eight_bit=has_eight_bit(octets),
                now=now,
            ),
        )

    async def _submit(
        self,
        job: Reply,
        octets: bytes,
        number: int,
        filings: tuple[Filing, ...],
        handings: tuple[Handing, ...],
        recipient: Recipient,
    ) -> None:
        now = time.time()
        spool = Spool(self.store.incoming)
        spool.write(octets)
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
                trace_id=number,
                trace=_record(job, recipient, len(octets)),
                handings=handings,
            )
            if self.sieving is not None and recipient.resolution.filtered:
                arrival = Arrival(
                    sender="",
                    buffer=octets,
                    structure=message.rendered.structure,
                    header_size=message.summary.header_size,
                    line=b"",
                    each=True,
                    account=0,
                    number=number,
                    now=now,
                    leaves=bool(handings),
                )
                plan = await self.sieving.plan(arrival, filings, [recipient])
                command = plan.applied(command)
            await self.store.submit(command, message.descriptor)
        finally:
            message.close()
        if command.handings and self.sending is not None:
            self.sending.queued()


def letter(job: Reply, author: compose.Mailbox, identity: str) -> bytes:
    """The finished message."""
    about = [job.message_id] if _fit(job.message_id) else []
    references = [one for one in job.references if _fit(one) and one not in about]
    try:
        sender = compose.addresses("From", [author])
    except ValueError:  # an account's address that is rarely written
        sender = f"From: <{author.address}>\r\n".encode()
    lines = [
        sender,
        to_line("", job.to),
        compose.unstructured("Subject", job.subject),
        compose.field("Date", formatdate(localtime=True)),
        compose.message_ids("Message-ID", [identity]),
    ]
    if about:
        lines.append(compose.message_ids("In-Reply-To", about))
        lines.append(compose.message_ids("References", [*references, *about]))
    lines += [
        compose.field("Auto-Submitted", "auto-replied"),  # RFC 5230 §5.8, RFC 3834 §5
        compose.field("X-Auto-Response-Suppress", "All"),  # what Exchange goes by
    ]
    return compose.message(lines, entity(job))


def entity(job: Reply) -> compose.Leaf:
    """What it says. Of an entity of the script's own (``:mime``) only fields of content are taken."""
    if not job.mime:
        return compose.text(job.reason)
    blank = _BLANK.search(job.reason)
    if blank is None:
        return compose.text(job.reason)
    header = job.reason[: blank.start()].replace("\r\n", "\n").replace("\n", "\r\n") + "\r\n"
    body = job.reason[blank.end() :].replace("\r\n", "\n").replace("\n", "\r\n")
    octets = header.encode("utf-8", "replace")
    kept = [
        octets[one.start : one.end]
        for one in fields(octets)
        if one.name.lower().startswith(b"content-") and octets[one.start : one.end].isascii()
    ]
    if not kept:
        return compose.text(job.reason)
    raw = body.encode("utf-8", "replace")
    return compose.Leaf(tuple(kept), raw if raw.endswith(b"\r\n") else raw + b"\r\n")


def _fit(identity: str) -> bool:
    return bool(identity) and identity.isascii() and len(identity) <= _LONGEST_ID


def _split(octets: bytes) -> tuple[bytes, bytes]:
    end = octets.index(b"\r\n\r\n") + 4
    return octets[:end], octets[end:]


def _number(job: Reply, key: str) -> int:
    digest = blake2b(key.encode(), digest_size=4).digest()
    return job.at << 31 | int.from_bytes(digest, "big") & 0x7FFFFFFF


def _record(job: Reply, recipient: Recipient, size: int) -> bytes:
    """As the record of a message that came in, as far as it applies."""
    return msgspec.msgpack.encode(
        {
            "peer": "",
            "hello": "",
            "with": "vacation",
            "tls": "",
            "login": "",
            "size": size,
            "ret": "",
            "envid": "",
            "to": [(job.to, recipient.resolution.accounts, "NEVER", "")],
            "about": job.trace,
        }
    )
