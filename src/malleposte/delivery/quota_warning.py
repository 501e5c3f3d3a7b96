"""The mail that tells the owner of an account that it fills up: once each at 80, 90 and 95 percent.

A job of the store, written in the same transaction as the delivery that reached the level, so that no
crash loses it; a job that is run twice finds its own mail by its Message-ID.
"""

import time
from dataclasses import dataclass

import msgspec

from malleposte.delivery.notice import letter
from malleposte.delivery.spool import Spool, prepare
from malleposte.i18n.locales import negotiated_locale
from malleposte.i18n.texts import QuotaState, quota_warning
from malleposte.store import Store
from malleposte.store.commands import Deliver, Filing
from malleposte.store.results import LeasedJob

_ACCOUNT = (
    "SELECT a.address, a.name, a.locale, h.used_bytes, h.quota_bytes FROM account a"
    " JOIN account_head h ON h.account = a.id WHERE a.id = $1 AND a.status <> 'deleted'"
)
_SENT = "SELECT 1 FROM email_wide WHERE id > $1 AND id < $2 AND message_id = $3"


@dataclass(frozen=True, slots=True)
class QuotaWarning:
    """Runs jobs of the kind ``quota-warning``. ``grace``: as in ``DeliverySettings``."""

    store: Store
    hostname: str
    grace: int

    async def run(self, job: LeasedJob) -> None:
        """Write the warning of a job: payload (account, level)."""
        account, level = msgspec.msgpack.decode(job.payload, type=tuple[int, int])
        row = await self.store.reader.row(_ACCOUNT, account)
        if row is None:
            return
        address, name, locale, used, quota = row
        identity = f"quota.{account}.{level}.{job.id}@{self.hostname}"
        low, high = account << 32, (account + 1) << 32
        if await self.store.reader.row(_SENT, low, high, identity):
            return
        text = quota_warning(
            negotiated_locale([locale]), level, QuotaState(address, used, quota, self.grace)
        )
        spool = Spool(self.store.incoming)
        spool.write(letter(address, name, text, identity))
        message = await prepare(spool)
        await self.store.submit(
            Deliver(
                content=message.content,
                rendered=message.rendered,
                filings=(Filing(account=account, exempt=True),),
                received_at=int(time.time()),
                direction="local",
            )
        )
