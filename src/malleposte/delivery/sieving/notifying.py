"""Notifications that a script has rejected a message (RFC 5429 §2.2.1), in their reader's language."""

from dataclasses import dataclass

from malleposte.delivery.reports import Notifier, rejection
from malleposte.delivery.reports.original import Original
from malleposte.directory.book import Account
from malleposte.i18n.locales import negotiated_locale
from malleposte.mime import compose, last_values
from malleposte.store.results import LeasedJob

from .answering import Answer, Answering, number_of
from .work import Rejection, read_rejection


@dataclass(frozen=True, slots=True)
class Notifications(Answering):
    """Runs jobs of the kind ``REJECTION_JOB``."""

    async def run(self, leased: LeasedJob) -> None:
        """Write the notification of a job."""
        job = read_rejection(leased.payload)
        number = number_of(job.at, leased.key)
        identity = f"rejection.{leased.key}@{self.hostname}"
        account = await self.book.account(job.account)
        if account is None or await self.is_written(number, identity):
            return
        author = compose.Mailbox(account.name, account.address)
        if await self.book.owns(account.id, job.recipient):
            author = compose.Mailbox(account.name, job.recipient)
        octets = await self._letter(job, author, identity)
        await self.send(
            Answer(account, author.address, job.to, octets, "rejection", number, job.trace)
        )

    async def _letter(self, job: Rejection, author: compose.Mailbox, identity: str) -> bytes:
        original = Original(header=job.header, fields=last_values(job.header))
        reader = await self._reader(job.to)
        languages = original.languages
        notifier = Notifier(
            user=author,
            recipient=job.recipient,
            locale=negotiated_locale([reader.locale, *languages] if reader else languages),
            time_zone=reader.time_zone if reader else "UTC",
            hostname=self.hostname,
            message_id=identity,
        )
        return rejection(
            job.header, notifier, job.at, to=job.to, reason=job.reason, original=job.original
        )

    async def _reader(self, to: str) -> Account | None:
        """The account of ours that reads it, the first of several."""
        found = await self.addressee(to)
        return await self.book.account(found.accounts[0]) if found.accounts else None
