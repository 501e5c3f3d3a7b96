"""The mail that tells whose a script is that it fails: once a day for each version of it.

A job of the store, put there with the message that was kept. It is filed past the quota and not counted in
it; a job that is run twice finds its own mail.
"""

import time
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final

from malleposte.delivery.spool import Spool, prepare
from malleposte.directory.book import Account, Book
from malleposte.i18n.locales import negotiated_locale
from malleposte.i18n.sieve_texts import script_fails
from malleposte.mime import compose
from malleposte.store import Store
from malleposte.store.commands import Deliver, Filing
from malleposte.store.results import LeasedJob

from .work import ScriptFailed, read_failure

_SENT: Final = "SELECT 1 FROM email_wide WHERE id > $1 AND id < $2 AND message_id = $3"
MOST_TOLD: Final = 20
"""Administrators that are told of one script."""


@dataclass(frozen=True, slots=True)
class FailureNotices:
    """Runs jobs of the kind ``FAILURE_JOB``."""

    store: Store
    book: Book
    hostname: str

    async def run(self, leased: LeasedJob) -> None:
        """Write the mails of a job."""
        job = read_failure(leased.payload)
        for number in await self._whose(job):
            account = await self.book.account(number)
            if account is not None and account.status == "active":
                await self._tell(leased.id, job, account)

    async def _whose(self, job: ScriptFailed) -> tuple[int, ...]:
        if job.account:
            return (job.account,)
        return (await self.book.resolve("postmaster", job.domain)).accounts[:MOST_TOLD]

    async def _tell(self, number: int, job: ScriptFailed, account: Account) -> None:
        identity = f"sieve.{number}.{account.id}@{self.hostname}"
        low, high = account.id << 32, (account.id + 1) << 32
        if await self.store.reader.row(_SENT, low, high, identity):
            return
        subject, body = script_fails(
            negotiated_locale([account.locale]), job.place, job.name, job.words
        )
        spool = Spool(self.store.incoming)
        spool.write(_letter(account, subject, body, identity))
        try:
            message = await prepare(spool)
        finally:
            spool.close()
        await self.store.submit(
            Deliver(
                content=message.content,
                rendered=message.rendered,
                filings=(Filing(account=account.id, exempt=True),),
                received_at=int(time.time()),
                direction="local",
            )
        )


def _letter(account: Account, subject: str, body: str, identity: str) -> bytes:
    domain = account.address.rpartition("@")[2]
    return compose.message(
        [
            compose.addresses("From", [compose.Mailbox("Malleposte", f"postmaster@{domain}")]),
            compose.addresses("To", [compose.Mailbox(account.name, account.address)]),
            compose.unstructured("Subject", subject),
            compose.field("Date", formatdate(localtime=True)),
            compose.message_ids("Message-ID", [identity]),
            compose.field("Auto-Submitted", "auto-generated"),  # RFC 3834 §5
        ],
        compose.text(body),
    )
