"""What becomes of a message by the scripts of those it is for: the plan of one command of the store."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import structlog

from malleposte.delivery.junk import is_junk
from malleposte.delivery.leaving import has_eight_bit
from malleposte.delivery.onward import MOST_HEADER
from malleposte.delivery.spool import AT_ONCE
from malleposte.delivery.trace_header import delivered_to, return_path
from malleposte.delivery.verdict import Recipient
from malleposte.directory.book import Account, Book
from malleposte.mime import load_structure
from malleposte.sieve import FileInto, Keep, Message, MimeMessage
from malleposte.store import Store
from malleposte.store.commands import CreateMailbox, Filing, Forward
from malleposte.store.flags import split
from malleposte.store.results import Created

from .chain import Decided, Failure, run
from .copies import Copy, filtered
from .follow import duplicates, failures, reply
from .header_edits import Before, in_front
from .plan import Arrival, Plan
from .redirecting import MOST, CannotGo, Going, Redirecting, came_by
from .rejecting import report, verdict_of
from .scripts import Chain, Scripts
from .surroundings import ROUNDS, USES, Surroundings
from .variants import Variants

log = structlog.get_logger(__name__)

LIGHT_HEADER: Final = 16 * 1024
"""Octets of a header on which small scripts run without letting the loop run."""
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
        self._settings = settings
        self._scripts = Scripts(store.reader)

    async def plan(
        self, arrival: Arrival, filings: Sequence[Filing], recipients: Sequence[Recipient]
    ) -> Plan:
        """What becomes of a message that was to be filed so. Raises what the store raises, and ``OSError``
        where the disk takes no copy with a changed header."""
        copies = filtered(filings, recipients, arrival.sender)
        plan = Plan()
        work = _Planning(self, arrival, plan, {one.account for one in filings})
        for filing in filings:
            copy = copies.get(filing.account)
            if copy is None:
                plan.filings.append(filing)
            else:
                work.waiting.append(copy)
        await work.all()
        self._answer(arrival, plan, work)
        work.settle()
        plan.variants = tuple(work.variants.made)
        return plan

    def _answer(self, arrival: Arrival, plan: Plan, work: "_Planning") -> None:
        """RFC 5429 §2.1: refused while its sender is there, where he hears of each recipient, or where
        nobody takes it; else he gets a report, or where nobody knows whether it is he, it is kept."""
        if not work.rejecting:
            return
        alone = not (arrival.leaves or plan.filings or plan.forwards or work.accepted)
        for copy, words in work.rejecting:
            if arrival.each or alone:
                plan.refused[copy.account] = verdict_of(words)
                continue
            job = report(arrival, copy.address, words, self._settings.hostname)
            if job is not None:
                plan.jobs.append(job)
                plan.reached[copy.account] = ()
            else:
                plan.notes.append(f"{copy.address}: not rejected, its sender cannot be told")
                plan.filings.append(copy.filing)

    # What the work of one plan asks ---------------------------------------------------------------

    async def account(self, number: int) -> Account | None:
        return await self._book.account(number)

    async def chain(self, account: Account, domain: str) -> Chain:
        return await self._scripts.chain(account.id, account.organisation, domain)

    @property
    def store(self) -> Store:
        return self._store

    @property
    def redirecting(self) -> Redirecting:
        return self._redirecting


class _Planning:
    """The work of one plan: copies that wait for their scripts, among them those that were sent on."""

    def __init__(self, sieving: Sieving, arrival: Arrival, plan: Plan, taken: set[int]) -> None:
        self._sieving = sieving
        self._arrival = arrival
        self._plan = plan
        self._taken = taken
        self._message = MimeMessage(arrival.buffer, load_structure(arrival.structure))
        self.waiting: deque[Copy] = deque()
        self.rejecting: list[tuple[Copy, str]] = []
        self.accepted = False
        """Somebody has taken it, though it is filed nowhere."""
        self._ran: dict[int, Copy] = {}
        self._junk = is_junk(bytes(arrival.buffer[: min(arrival.header_size, JUNK_WITHIN)]))
        self.variants = Variants(sieving.store, arrival.buffer, arrival.header_size, arrival.now)

    async def all(self) -> None:
        """Run the scripts of all copies."""
        ran = 0
        while self.waiting:
            copy = self.waiting.popleft()
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
            self.rejecting.append((copy, decided.reject.reason))
            return
        plan.remembered += duplicates(decided.seen, account.id)
        if decided.vacation is not None and not self._junk:
            plan.remembered.append(
                reply(decided.vacation, account.id, self._message, self._arrival.number, now)
            )
        filed = await self._file(copy, account, decided, around)
        sent = await self._redirect(copy, account, decided)
        if not filed and sent is None:
            plan.filings.append(copy.filing)
        elif not filed:
            plan.reached[copy.account] = tuple(sent or ())
            self.accepted = True

    async def _decided(self, chain: Chain, copy: Copy, around: Surroundings) -> Decided:
        vacation = any("vacation" in link.extensions for link in chain.links)
        delivery = await around.delivery(copy.sender, copy.address, addresses=vacation)
        message: Message = self._message
        if copy.fields:
            message = Before(message, copy.fields)
        for _ in range(ROUNDS):
            if chain.light and self._arrival.header_size <= LIGHT_HEADER:
                decided = run(chain.links, message, delivery)
            else:
                decided = await asyncio.to_thread(run, chain.links, message, delivery)
            if not await around.found():
                return decided
        words = f"the script asks for more and more things, {ROUNDS} times in a row"
        last = chain.links[-1]
        return Decided(filings=[Keep()], failures=[Failure(last.place, last.name, words)])

    # Filing ---------------------------------------------------------------------------------------

    async def _file(
        self, copy: Copy, account: Account, decided: Decided, around: Surroundings
    ) -> bool:
        """Add the copies that are filed; whether there are any."""
        placed: dict[int, Filing] = {}
        for action in decided.filings:
            mailbox = 0
            if isinstance(action, FileInto):
                mailbox = await self._mailbox(copy, action, around)
            if mailbox == copy.account << 32 | 1:
                mailbox = 0
            if mailbox in placed and action.flags is None:
                continue
            flags, keywords = split(action.flags or ())
            lines, variant = await self._changed(account, decided, action.edits)
            placed[mailbox] = msgspec.structs.replace(
                copy.filing,
                mailbox=mailbox,
                prefix=copy.filing.prefix + lines,
                flags=flags,
                keywords=tuple(keywords),
                deleted=any(flag.lower() == "\\deleted" for flag in action.flags or ()),
                variant=variant,
            )
        self._plan.filings += placed.values()
        return bool(placed)

    async def _changed(self, account: Account, decided: Decided, edits: int) -> tuple[bytes, int]:
        """Lines to put before the message, and its variant, for its first ``edits`` edits."""
        made = decided.edits[:edits]
        if not made:
            return b"", 0
        lines = in_front(made)
        if lines is not None or self._arrival.header_size > MOST_HEADER:
            return lines or b"", 0
        return b"", await self.variants.of(account, tuple(made))

    async def _mailbox(self, copy: Copy, action: FileInto, around: Surroundings) -> int:
        """The mailbox of an action, 0 for INBOX, also where there is none such."""
        found = await around.mailbox(action.mailbox, action.special_use, action.mailbox_id)
        if found or not action.create:
            if not found:
                self._plan.notes.append(f"{copy.address}: there is no mailbox {action.mailbox!r}")
            return found
        answer = await self._sieving.store.submit(
            CreateMailbox(
                actor=copy.account,
                account=copy.account,
                parent=0,
                path=tuple(action.mailbox.split("/")),
                role=USES.get(action.special_use.lower()),
            )
        )
        if isinstance(answer, Created):
            return answer.id
        # Somebody was faster, or it cannot be.
        found = await around.mailbox(action.mailbox, action.special_use, action.mailbox_id)
        if not found:
            self._plan.notes.append(f"{copy.address}: {action.mailbox!r} could not be made")
        return found

    # Sending on -----------------------------------------------------------------------------------

    async def _redirect(self, copy: Copy, account: Account, decided: Decided) -> list[int] | None:
        """Send it on; the accounts of ours that it went to. None where it is to be kept: something it was
        to be sent to cannot have it."""
        went: list[int] = []
        failed = False
        words_for_all = self._why_none(copy, account) if decided.redirects else ""
        for action in decided.redirects[:MOST]:
            words = words_for_all
            if not words:
                words = await self._send_on(
                    copy, account, decided, action.address, action.edits, went
                )
            if words:
                failed = True
                note = f"{copy.address}: not sent on to {action.address}, {words}"
                self._plan.notes.append(note)
                log.info("a redirect was not done", account=account.id, reason=words)
        return None if failed else went

    def _why_none(self, copy: Copy, account: Account) -> str:
        """Why it goes on to nobody, '' where it may."""
        if self._arrival.header_size > MOST_HEADER:
            return "its header is too long"
        if self._junk:
            return "it looks like junk"
        if came_by(self._message, account.address) or copy.depth >= MOST:
            return "it has come by here before: it runs in a circle"
        return ""

    async def _send_on(
        self,
        copy: Copy,
        account: Account,
        decided: Decided,
        address: str,
        edits: int,
        went: list[int],
    ) -> str:
        """Send it on to one address; why not, '' where it was."""
        redirecting, arrival = self._sieving.redirecting, self._arrival
        target = await redirecting.target(account, address)
        if target.words:
            return target.words
        if target.elsewhere and await self._from_inside_only():
            return "its sender has mail inside the organisation only"
        lines, variant = await self._changed(account, decided, edits)
        if target.elsewhere:
            going = Going(
                sender=copy.sender,
                recipient=copy.address,
                header=self.variants.header(variant),
                body=arrival.buffer[arrival.header_size :],
                before=arrival.line + lines,
                eight_bit=await self._eight_bit(),
                now=arrival.now,
                notify=copy.notify,
                ret=arrival.ret,
                envelope=arrival.envelope,
            )
            by: dict[str, list[str]] = {}
            for remote, relay in target.elsewhere:
                by.setdefault(relay, []).append(remote)
            try:
                handings = [
                    await redirecting.handing(account, remotes, going, relay)
                    for relay, remotes in by.items()
                ]
            except CannotGo as error:
                return str(error)
            self._plan.forwards += [
                Forward(account=copy.account, handing=one, variant=variant) for one in handings
            ]
        for number in target.accounts:
            went.append(number)
            if number in self._taken:
                continue
            self._taken.add(number)
            filing = Filing(
                account=number,
                prefix=return_path(copy.sender)
                + delivered_to(target.address)
                + delivered_to(account.address)
                + arrival.line
                + lines,
                variant=variant,
            )
            if number in target.filtered and not variant:
                domain = target.address.rpartition("@")[2]
                self.waiting.append(
                    Copy(
                        number,
                        address,
                        domain,
                        filing,
                        copy.notify,
                        copy.sender,
                        copy.fields,
                        copy.depth + 1,
                    )
                )
            else:
                self._plan.filings.append(filing)
        if account.id in target.accounts and not any(
            one.account == account.id for one in self._plan.filings
        ):
            return "that is the account itself"
        return ""

    async def _from_inside_only(self) -> bool:
        sender = self._arrival.account
        account = await self._sieving.account(sender) if sender else None
        return account is not None and account.internal

    async def _eight_bit(self) -> bool:
        buffer = self._arrival.buffer
        if len(buffer) <= AT_ONCE:
            return has_eight_bit(buffer)
        return await asyncio.to_thread(has_eight_bit, buffer)
