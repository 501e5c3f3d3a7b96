"""Writes reports: a job of the store, put there with the outcomes it follows from: no crash loses one.

A report has its place in the trace, under a number made of its key; a job that is run twice finds that,
and writes nothing.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Protocol

import msgspec
import structlog

from malleposte.delivery.spool import Spool, prepare
from malleposte.delivery.srs import BadSrs, is_srs
from malleposte.delivery.trace_header import return_path
from malleposte.directory.book import Account, Book
from malleposte.directory.resolution import Found
from malleposte.i18n.locales import negotiated_locale
from malleposte.store import Store
from malleposte.store.commands import (
    EIGHTBIT,
    SMTPUTF8,
    Deliver,
    Filing,
    Handing,
    Relay,
)
from malleposte.store.results import Delivered, LeasedJob

from .job import ReportJob, read_job
from .letter import Reader, letter
from .original import Original, original_of

log = structlog.get_logger(__name__)

_WRITTEN = "SELECT 1 FROM trace WHERE id = $1 AND message_id = $2"
_ANY_ORGANISATION = "SELECT min(id) FROM organisation"
REWRITTEN: Final = 3
"""Senders behind a rewritten one that are looked for."""


class Rewritten(Protocol):
    """Finds the sender behind one that was rewritten."""

    def decode(self, address: str) -> str:
        """Raises ``BadSrs``."""
        ...


@dataclass(frozen=True, slots=True)
class ReporterSettings:
    """``lifetime``: seconds for which a report to another server is tried. ``route_of``: the way to a
    recipient, as ``Routing.route_of``. ``srs``: what our forwards' senders were rewritten with."""

    hostname: str
    route_of: Callable[[str, str], str]
    lifetime: int = 5 * 86_400
    srs: Rewritten | None = None


@dataclass(frozen=True, slots=True)
class _Addressee:
    """Whom a report goes to: accounts of ours, or addresses elsewhere. ``stranger``: who wrote the
    message, where it is not the addressee, by whose address it went on."""

    address: str
    accounts: tuple[Account, ...] = ()
    elsewhere: tuple[str, ...] = ()
    stranger: str = ""


class Reporter:
    """Runs jobs of the kind ``REPORT_JOB``."""

    def __init__(self, store: Store, book: Book, settings: ReporterSettings) -> None:
        self._store = store
        self._book = book
        self._settings = settings

    async def run(self, leased: LeasedJob) -> None:
        """Write the report of a job."""
        job = read_job(leased.payload)
        number = report_number(job)
        identity = f"report.{job.key}@{self._settings.hostname}"
        if await self._store.reader.row(_WRITTEN, number, identity):
            return
        addressee = await self._addressee(job)
        if addressee is None:
            log.warning("a report has nobody to go to", sender=job.sender, about=job.message)
            return
        if addressee.stranger:
            if job.action != "failed":
                return
            # The copy may be the only one.
            job = msgspec.structs.replace(job, ret="FULL")
        original = await original_of(self._store, job)
        worth = worth_telling(job, original)
        if worth is None:
            log.info("a message is not reported on", sender=job.sender, about=job.message)
            return
        # 500 recipients take 200 ms.
        octets = await asyncio.to_thread(
            letter,
            worth,
            original,
            _reader(addressee, original),
            self._settings.hostname,
            identity,
            stranger=addressee.stranger,
        )
        await self._send(worth, original, addressee, octets, number)

    async def _addressee(self, job: ReportJob) -> _Addressee | None:
        """Who hears it: whom the sender's address reaches, else the account that sent; of what went on for
        a stranger the one by whose address it did."""
        sender = job.sender
        srs = self._settings.srs
        if srs is not None and is_srs(sender):
            for _ in range(REWRITTEN):
                try:
                    sender = srs.decode(sender)
                except BadSrs:
                    break
        local, _, domain = sender.rpartition("@")
        resolution = await self._book.resolve(local, domain)
        if resolution.found is Found.NOT_OURS and sender != job.sender:
            return await self._owner(job, sender)
        if resolution.found is Found.NOT_OURS:
            return _Addressee(sender, elsewhere=(sender,))
        numbers: tuple[int, ...] = ()
        if resolution.found is Found.HERE:
            numbers = resolution.accounts
            if not numbers and resolution.remotes:
                return _Addressee(sender, elsewhere=resolution.remotes)
        if not numbers and job.account > 0:
            numbers = (job.account,)  # also who wrote as a group
        accounts = [await self._book.account(number) for number in numbers]
        found = tuple(one for one in accounts if one is not None and one.status == "active")
        return _Addressee(sender, found) if found else None

    async def _owner(self, job: ReportJob, stranger: str) -> _Addressee | None:
        """Whose forward or script sent a stranger's message on; of an alias the postmaster. The stranger's
        address may be forged, and its owner would get mail that he had nothing to do with."""
        domain = job.sender.rpartition("@")[2]
        numbers: tuple[int, ...] = (job.account,)
        if job.account <= 0:
            numbers = (await self._book.resolve("postmaster", domain)).accounts
        accounts = [await self._book.account(number) for number in numbers]
        found = tuple(one for one in accounts if one is not None and one.status == "active")
        if not found:
            return None
        address = found[0].address if job.account > 0 else f"postmaster@{domain}"
        return _Addressee(address, found, stranger=stranger)

    async def _send(
        self,
        job: ReportJob,
        original: Original,
        addressee: _Addressee,
        octets: bytes,
        number: int,
    ) -> None:
        spool = Spool(self._store.incoming)
        spool.write(octets)
        try:
            message = await prepare(spool)
        finally:
            spool.close()
        try:
            done = await self._store.submit(
                Deliver(
                    content=message.content,
                    rendered=message.rendered,
                    filings=tuple(
                        # Without counting: a report must reach the owner of a full mailbox too. But
                        # strangers cannot fill it past its quota.
                        Filing(
                            account=one.id, prefix=return_path(""), exempt=not addressee.stranger
                        )
                        for one in addressee.accounts
                    ),
                    received_at=int(time.time()),
                    direction="out" if addressee.elsewhere else "local",
                    trace_id=number,
                    trace=_record(job, addressee, len(octets)),
                    handings=await self._handings(original, addressee, octets),
                ),
                message.descriptor,
            )
        finally:
            message.close()
        for one in done.filed if isinstance(done, Delivered) else ():
            if one.refused:
                log.warning("a report was not filed", account=one.account, reason=one.refused)

    async def _handings(
        self, original: Original, addressee: _Addressee, octets: bytes
    ) -> tuple[Handing, ...]:
        if not addressee.elsewhere:
            return ()
        organisation = original.organisation
        if not organisation:
            row = await self._store.reader.row(_ANY_ORGANISATION)
            organisation = row[0] if row and row[0] else 0
        needs = 0 if octets.isascii() else EIGHTBIT
        if not all(address.isascii() for address in addressee.elsewhere):
            needs |= SMTPUTF8
        return (
            Handing(
                organisation=organisation,
                account=0,
                sender="",  # RFC 3464 §2: so that no report about a report comes
                relays=tuple(
                    Relay(
                        address=address,
                        route=self._settings.route_of(address, ""),
                        notify="NEVER",
                    )
                    for address in addressee.elsewhere
                ),
                expires_at=int(time.time()) + self._settings.lifetime,
                needs=needs,
            ),
        )


def report_number(job: ReportJob) -> int:
    """The trace's number of a report: the same whenever its job is run."""
    digest = blake2b(job.key.encode(), digest_size=4).digest()
    return job.created_at << 31 | int.from_bytes(digest, "big") & 0x7FFFFFFF


def worth_telling(job: ReportJob, original: Original) -> ReportJob | None:
    """The job with those recipients that its sender wants to hear about, None for none: nothing is told
    about a report, nor a delay of what a program or a list sent, unless it was asked for."""
    if original.is_report:
        return None
    if job.action == "delayed" and original.is_unattended:
        asked = tuple(fate for fate in job.fates if fate.asked)
        return msgspec.structs.replace(job, fates=asked) if asked else None
    return job


def _reader(addressee: _Addressee, original: Original) -> Reader:
    if not addressee.accounts:
        locale = negotiated_locale(original.languages)
        return Reader("", addressee.address, locale, "UTC", local=False)
    account = addressee.accounts[0]
    locale = negotiated_locale([account.locale, *original.languages])
    return Reader(account.name, addressee.address, locale, account.time_zone, local=True)


def _record(job: ReportJob, addressee: _Addressee, size: int) -> bytes:
    """As the record of a message that came in, as far as it applies."""
    accounts = tuple(one.id for one in addressee.accounts)
    addresses = addressee.elsewhere or (addressee.address,)
    return msgspec.msgpack.encode(
        {
            "peer": "",
            "hello": "",
            "with": "report",
            "tls": "",
            "login": "",
            "size": size,
            "ret": "",
            "envid": "",
            "to": [(address, accounts, "NEVER", "") for address in addresses],
            "about": job.trace,
        }
    )
