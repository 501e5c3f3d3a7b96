"""What becomes of a message by the scripts of those it is for: the plan of one command of the store."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from malleposte.delivery.junk import is_junk
from malleposte.delivery.verdict import Recipient
from malleposte.directory.book import Account, Book
from malleposte.mime import load_structure
from malleposte.sieve import Keep, Message, MimeMessage
from malleposte.store import Store
from malleposte.store.commands import Filing

from .chain import Decided, Failure, run
from .copies import Copy, filtered
from .follow import duplicates, failures, reply
from .header_edits import Before
from .matter import Matter
from .placing import file
from .plan import GONE, Arrival, Plan
from .redirecting import Redirecting
from .rejecting import Rejected, Rejecting
from .scripts import Chain, Scripts
from .sending_on import SendingOn
from .surroundings import ROUNDS, Surroundings
from .variants import Variants

log = structlog.get_logger(__name__)

LIGHT: Final = 500_000
"""Octets of scripts times octets of a header up to which small scripts run without letting the loop run: a
test of each address against each of a script's words took 35 ns for one of them, some 20 ms in all."""
JUNK_WITHIN: Final = 256 * 1024
"""Octets of a header in which a filter's verdict is looked for: filters put it on top."""
MOST_RUN: Final = 5_000
"""Accounts whose scripts run for one message; the others keep it."""


@dataclass(frozen=True, slots=True)
class SievingSettings:
    """``hostname``: of this server."""

    hostname: str


class Sieving:
    """See the package. One for each worker."""

    def __init__(
        self, store: Store, book: Book, redirecting: Redirecting, settings: SievingSettings
    ) -> None:
        self._store = store
        self._book = book
        self._redirecting = redirecting
        self._rejecting = Rejecting(
            store.reader, book, settings.hostname, sends=redirecting.sending is not None
        )
        self._scripts = Scripts(store.reader)

    async def plan(
        self, arrival: Arrival, filings: Sequence[Filing], recipients: Sequence[Recipient]
    ) -> Plan:
        """What becomes of a message that was to be filed so. Raises what the store raises, and ``OSError``
        where the disk takes no copy with a changed header."""
        copies = filtered(filings, recipients, arrival.sender)
        plan = Plan()
        matter = Matter(
            arrival=arrival,
            plan=plan,
            message=MimeMessage(arrival.buffer, load_structure(arrival.structure)),
            variants=Variants(self._store, arrival.buffer, arrival.header_size, arrival.now),
            junk=is_junk(bytes(arrival.buffer[: min(arrival.header_size, JUNK_WITHIN)])),
            taken={one.account for one in filings},
        )
        work = _Planning(self, matter)
        for filing in filings:
            copy = copies.get(filing.account)
            if copy is None:
                plan.filings.append(filing)
            else:
                matter.waiting.append(copy)
        await work.all()
        await self._rejecting.answer(matter, work.rejected, accepted=work.accepted)
        work.settle()
        plan.variants = tuple(matter.variants.made)
        return plan

    # What the work of one plan asks ---------------------------------------------------------------

    async def account(self, number: int) -> Account | None:
        return await self._book.account(number)

    async def chain(self, account: Account, domain: str) -> Chain:
        return await self._scripts.chain(account.id, account.organisation, domain)

    @property
    def store(self) -> Store:
        return self._store

    def sending_on(self, matter: Matter) -> SendingOn:
        return SendingOn(self._book, self._redirecting, matter)


class _Planning:
    """The work of one plan."""

    def __init__(self, sieving: Sieving, matter: Matter) -> None:
        self._sieving = sieving
        self._matter = matter
        self._arrival = matter.arrival
        self._plan = matter.plan
        self._sending_on = sieving.sending_on(matter)
        self.rejected: list[Rejected] = []
        self.accepted = False
        """Somebody has taken it, though it is filed nowhere."""
        self._ran: dict[int, Copy] = {}

    async def all(self) -> None:
        """Run the scripts of all copies, also of those that are sent on meanwhile."""
        ran = 0
        while self._matter.waiting:
            copy = self._matter.waiting.popleft()
            ran += 1
            account = await self._sieving.account(copy.account) if ran <= MOST_RUN else None
            if account is None:
                self._plan.filings.append(copy.filing)
                continue
            self._ran[copy.account] = copy
            await self._one(copy, account)
            await asyncio.sleep(0)

    def settle(self) -> None:
        """What is only handed round in a circle is kept where it came first."""
        for account, copy in self._ran.items():
            if account in self._plan.reached and not self._plan.settled(account):
                del self._plan.reached[account]
                self._plan.fates.pop(account, None)
                self._plan.filings.append(copy.filing)
                self._plan.notes.append(f"{copy.address}: kept, it was sent on in a circle")

    async def _one(self, copy: Copy, account: Account) -> None:
        chain = await self._sieving.chain(account, copy.domain)
        if not chain.links:
            self._plan.filings.append(copy.filing)
            return
        around = Surroundings(self._sieving.store.reader, account, self._arrival.now)
        decided = await self._decided(chain, copy, around)
        plan = self._plan
        for failure in decided.failures:
            log.info(
                "a Sieve script failed",
                account=account.id,
                place=failure.place,
                script=failure.name,
                reason=failure.words,
            )
        plan.notes += [f"{copy.address}: {note}" for note in decided.notes[:20]]
        now = int(self._arrival.now)
        plan.remembered += failures(decided.failures, account, copy.domain, chain.version, now)
        if decided.reject is not None:
            self.rejected.append(Rejected(copy, account, decided.reject))
            return
        plan.remembered += duplicates(decided.seen, account.id)
        filed = await file(self._sieving.store, self._matter, copy, account, decided, around)
        sent = await self._sending_on.redirect(copy, account, decided)
        if not filed and sent is None:
            plan.filings.append(copy.filing)
        elif not filed:
            plan.reached[copy.account] = tuple(sent or ())
            self.accepted = self.accepted or not sent
            if not decided.redirects:
                plan.became(copy.account, GONE)
        if decided.vacation is not None and not self._matter.junk:
            number = self._arrival.number
            plan.remembered.append(
                reply(decided.vacation, account.id, self._matter.message, number, now)
            )

    async def _decided(self, chain: Chain, copy: Copy, around: Surroundings) -> Decided:
        vacation = any("vacation" in link.extensions for link in chain.links)
        delivery = await around.delivery(copy.sender, copy.address, addresses=vacation)
        message: Message = self._matter.message
        if copy.fields:
            message = Before(message, copy.fields)
        for _ in range(ROUNDS):
            if chain.light and chain.octets * self._arrival.header_size <= LIGHT:
                decided = run(chain.links, message, delivery)
            else:
                decided = await asyncio.to_thread(run, chain.links, message, delivery)
            if not await around.found():
                return decided
        words = f"the script asks for more and more things, {ROUNDS} times in a row"
        last = chain.links[-1]
        return Decided(filings=[Keep()], failures=[Failure(last.place, last.name, words)])
