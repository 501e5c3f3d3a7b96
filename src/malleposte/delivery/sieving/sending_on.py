"""Sending a copy on where its scripts say (``redirect``): to accounts and groups of ours, to others."""

import structlog

from malleposte.delivery.onward import MOST_HEADER, MOST_REACHED
from malleposte.delivery.trace_header import delivered_to, return_path
from malleposte.directory.book import Account, Book
from malleposte.store.commands import Filing, Forward

from .chain import Decided
from .copies import Copy
from .matter import Matter
from .plan import ON
from .redirecting import MOST, CannotGo, Going, Redirecting, Target, came_by

log = structlog.get_logger(__name__)


class SendingOn:
    """Of one message."""

    def __init__(self, book: Book, redirecting: Redirecting, matter: Matter) -> None:
        self._book = book
        self._redirecting = redirecting
        self._matter = matter

    async def redirect(self, copy: Copy, account: Account, decided: Decided) -> list[int] | None:
        """Send a copy on; the accounts of ours that it went to. None where it is to be kept: something it
        was to be sent to cannot have it. Raises what the store raises, and ``OSError``."""
        plan = self._matter.plan
        went: list[int] = []
        failed = False
        words_for_all = self._why_none(copy, account) if decided.redirects else ""
        for action in decided.redirects[:MOST]:
            words = words_for_all
            if not words:
                words = await self._one(copy, account, decided, action.address, action.edits, went)
            if words:
                failed = True
                plan.notes.append(f"{copy.address}: not sent on to {action.address}, {words}")
                log.info("a redirect was not done", account=account.id, reason=words)
            else:
                plan.became(copy.account, ON, action.address)
        return None if failed else went

    def _why_none(self, copy: Copy, account: Account) -> str:
        """Why it goes on to nobody, '' where it may."""
        matter = self._matter
        if matter.arrival.header_size > MOST_HEADER:
            return "its header is too long"
        if matter.junk:
            return "it looks like junk"
        if came_by(matter.message, account.address) or copy.depth >= MOST:
            return "it has come by here before: it runs in a circle"
        return ""

    async def _one(
        self,
        copy: Copy,
        account: Account,
        decided: Decided,
        address: str,
        edits: int,
        went: list[int],
    ) -> str:
        """Send it on to one address; why not, '' where it was."""
        matter, redirecting = self._matter, self._redirecting
        inside = await self._from_inside_only()
        target = await redirecting.target(
            account, address, sender=copy.sender, header=copy.fields + matter.header
        )
        if target.words:
            return target.words
        if target.leads_out and inside and not (target.listed and target.accounts):
            return "its sender has mail inside the organisation only"
        if self._reached() + len(target.accounts) + target.leads_out > MOST_REACHED:
            return "one message does not go to so many"
        lines, variant = await matter.variants.changed(account, tuple(decided.edits[:edits]))
        if target.leads_out and not inside:
            try:
                await self._out(copy, account, target, lines, variant)
            except CannotGo as error:
                return str(error)
        self._in(copy, account, target, lines, variant)
        went += target.accounts
        if (
            account.id in target.accounts
            and not target.listed
            and not any(one.account == account.id for one in matter.plan.filings)
        ):
            return "that is the account itself"
        return ""

    def _reached(self) -> int:
        plan = self._matter.plan
        away = sum(len(one.handing.relays) for one in plan.forwards)
        return len(plan.filings) + len(self._matter.waiting) + away

    async def _out(
        self, copy: Copy, account: Account, target: Target, lines: bytes, variant: int
    ) -> None:
        """Put the copies for other servers into the plan. Raises ``CannotGo``."""
        matter, redirecting = self._matter, self._redirecting
        arrival = matter.arrival
        going = Going(
            sender=copy.sender,
            recipient=copy.address,
            header=matter.variants.header(variant),
            body=matter.body,
            before=arrival.line + lines,
            eight_bit=await matter.eight_bit(),
            now=arrival.now,
            notify=copy.notify,
            ret=arrival.ret if arrival.account else "HDRS",
            envelope=arrival.envelope,
        )
        if target.listed is not None:
            copies = await redirecting.listed(account, target, going)
            handings = [(one, variant) for one in copies.handings]
            for header, one in copies.renamed:
                number = await matter.variants.of(account, header)
                if not number:
                    raise CannotGo("there are too many copies of it with a header of their own")
                handings.append((one, number))
        else:
            by: dict[str, list[str]] = {}
            for remote, relay in target.elsewhere:
                by.setdefault(relay, []).append(remote)
            handings = [
                (await redirecting.handing(account, remotes, going, relay), variant)
                for relay, remotes in by.items()
            ]
        matter.plan.forwards += [
            Forward(account=copy.account, handing=one, variant=number) for one, number in handings
        ]

    def _in(self, copy: Copy, account: Account, target: Target, lines: bytes, variant: int) -> None:
        """Put the copies for accounts of ours into the plan, or among those that wait for their scripts."""
        matter, listed = self._matter, target.listed
        sender = copy.sender if listed is None else listed.sender
        fields = copy.fields if listed is None else listed.fields
        before = return_path(sender) + delivered_to(target.address)
        before += (b"" if listed is None else listed.fields) + delivered_to(account.address)
        domain = target.address.rpartition("@")[2]
        for number in target.accounts:
            own = listed is not None and number == account.id
            if number in matter.taken and not own:
                continue
            matter.taken.add(number)
            filing = Filing(
                account=number, prefix=before + matter.arrival.line + lines, variant=variant
            )
            if own or variant or number not in target.filtered:
                matter.plan.filings.append(filing)
                continue
            matter.waiting.append(
                Copy(
                    number,
                    target.typed,
                    domain,
                    filing,
                    copy.notify if listed is None else "",
                    sender,
                    fields,
                    copy.depth + 1,
                )
            )

    async def _from_inside_only(self) -> bool:
        sender = self._matter.arrival.account
        account = await self._book.account(sender) if sender else None
        return account is not None and account.internal
