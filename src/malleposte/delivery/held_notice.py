"""The mail that tells the owner of an account, or those of a group, and the administrators that mail is
held: once a day each.

A job of the store, written in the transaction that held the first message, so that no crash loses it.
"""

from dataclasses import dataclass

import msgspec

from malleposte.delivery.notice import ADMINISTRATORS, file, is_written, number_of
from malleposte.directory.book import Account, Book
from malleposte.directory.routes import BOUNCES
from malleposte.directory.senders import DEVICE
from malleposte.i18n.locales import negotiated_locale
from malleposte.i18n.sending_texts import Held, held_for_administrator, held_for_owner
from malleposte.store import Store
from malleposte.store.commands import DOMAIN, DOMAIN_ONWARD
from malleposte.store.execute.allowing import HeldNotice
from malleposte.store.results import LeasedJob


@dataclass(frozen=True, slots=True)
class HeldNotices:
    """Runs jobs of the kind ``HELD_JOB``."""

    store: Store
    book: Book
    hostname: str

    async def run(self, job: LeasedJob) -> None:
        """Write the mails of a job: payload ``HeldNotice``."""
        notice = msgspec.msgpack.decode(job.payload, type=HeldNotice)
        sender = await self._sender(notice)
        if sender is None:
            return
        told: set[int] = set()
        if notice.administrators:
            rows = await self.store.reader.rows(ADMINISTRATORS, sender.organisation)
            for (number,) in rows:
                reader = await self.book.account(number)
                if reader is not None:
                    await self._tell(job, notice, sender, reader, administrator=True)
                    told.add(number)
        for owner in sender.owners if notice.owner else ():
            if owner.id not in told:
                await self._tell(job, notice, sender, owner, administrator=False)

    async def _sender(self, notice: HeldNotice) -> "_Sender | None":
        if notice.account > 0:
            account = await self.book.account(notice.account)
            if account is None:
                return None
            reads = account.kind != DEVICE
            return _Sender(
                account.address, account.address, account.organisation, (account,) if reads else ()
            )
        domain = await self.book.domain(notice.name)
        if domain is None:
            return None
        local, _, name = notice.by.rpartition("@")
        group = (await self.book.resolve(local, name)).group
        numbers: tuple[int, ...] = ()
        if group:
            found = await self.book.resolve(f"{group.rpartition('@')[0]}+{BOUNCES}", domain.name)
            numbers = () if found.system else found.accounts
        accounts = [await self.book.account(number) for number in numbers]
        owners = tuple(one for one in accounts if one is not None)
        return _Sender(notice.by, notice.name, domain.organisation, owners)

    async def _tell(
        self,
        job: LeasedJob,
        notice: HeldNotice,
        sender: "_Sender",
        reader: Account,
        *,
        administrator: bool,
    ) -> None:
        number = number_of(f"{job.kind}:{job.key}", notice.at, reader)
        identity = f"held.{job.key.replace(':', '.')}.{reader.id}@{self.hostname}"
        if await is_written(self.store, number, identity):
            return
        held = Held(
            address=sender.address,
            limit=notice.limit,
            recipients=notice.what == "recipients",
            at=notice.at,
            domain=notice.name if notice.kind in (DOMAIN, DOMAIN_ONWARD) else "",
            time_zone=reader.time_zone,
            named=sender.named,
            onward=bool(notice.by),
        )
        write = held_for_administrator if administrator else held_for_owner
        text = write(negotiated_locale([reader.locale]), held)
        await file(self.store, reader, text, number=number, identity=identity, about=sender.address)


@dataclass(frozen=True, slots=True)
class _Sender:
    """Whose mail is held: ``address`` as people know it; ``named``: as commands know all of it."""

    address: str
    named: str
    organisation: int
    owners: tuple[Account, ...]
