"""Mail that goes on: forwards, aliases to elsewhere, relayed domains, groups, and what comes back to a
sender that was rewritten.

Decided at RCPT as far as it can be, and at the end of the content for what only the message tells. All
that goes on stands in the queue by the transaction that files the local copies, each address once
(``onward_copies``).

What cannot go on stays with the account whose forward it is; an alias has none, so its mail is refused.
"""

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from malleposte.delivery import junk, listing
from malleposte.delivery.leaving import Sending
from malleposte.delivery.onward_copies import Copying
from malleposte.delivery.passing import TOO_MUCH, TOO_MUCH_OF_YOURS, Passing
from malleposte.delivery.srs import BadSrs
from malleposte.delivery.verdict import (
    FILED,
    LOOP,
    NO_OUTSIDE,
    NO_SUCH_USER,
    Recipient,
    Verdict,
)
from malleposte.directory import groups
from malleposte.directory.book import Book
from malleposte.directory.resolution import Found, Onward, Resolution
from malleposte.directory.routes import BOUNCES
from malleposte.directory.senders import Senders
from malleposte.mime.headers import FIELD
from malleposte.secrets.node_key import NodeKeyError
from malleposte.store.dialect import Reader

log = structlog.get_logger(__name__)

JUNK = Verdict(554, "5.7.1", "The message looks like junk, which is not sent on")
REPORTS_ONLY = Verdict(
    550, "5.7.1", "This address takes reports about forwarded mail only, which have no sender"
)
NOT_OURS_BACK = Verdict(
    550, "5.1.1", "This address for reports about forwarded mail is none of ours, or too old"
)
INSIDE_ONLY = Verdict(550, "5.7.1", "This mailbox takes mail from inside its organisation only")
NOT_OUTSIDE = Verdict(
    550, "5.7.1", "Your account has mail inside its organisation only; ask your administrator"
)
TOO_MANY = Verdict(
    550, "5.2.4", "The group has more members than one message can reach; tell its owners"
)
TOGETHER = Verdict(
    554,
    "5.5.3",
    "The groups have more members than one message can reach: write to fewer at a time",
)
LONG_HEADER = Verdict(552, "5.3.4", "The header of the message is too long for sending on")
UNFIT_SENDER = Verdict(550, "5.1.7", "The sender's address cannot be rewritten for sending on")
NO_KEY = Verdict(451, "4.3.5", "This server cannot send mail on now; please try again later")

LINE_EVERY = 60.0
"""Seconds between two lines of the log about a missing key."""
MOST_REACHED = 5_000
"""Accounts and addresses that one message reaches: filed and queued in one transaction of half a second."""
MOST_NAMED = 10
"""Addresses in a note of the trace."""
MOST_HEADER = 512 * 1024
"""Octets of the header of a message that goes on; it is looked at in one go."""


@dataclass(slots=True)
class Settled:
    """The recipients, groups as their members, without what cannot go on; by their place those that are
    ``refused``; ``notes`` for the trace."""

    recipients: list[Recipient] = field(default_factory=list)
    refused: dict[int, Verdict] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Facts:
    """Of a message, for each of its recipients. ``bad``: why nothing of it goes on; ``passed``: addresses
    at which it has been; ``internal``: who wrote it has mail inside only."""

    sender: str
    header: bytes
    bad: Verdict | None
    passed: frozenset[str]
    internal: bool


class Onwards:
    """See the module. ``sending``: None where this server does not send: then everything stays here."""

    def __init__(
        self, book: Book, reader: Reader, senders: Senders, sending: Sending | None
    ) -> None:
        self._book = book
        self._reader = reader
        self._sending = sending
        self._passing = Passing(reader, senders, sending) if sending is not None else None
        self.copying = Copying(book, sending, self._passing)
        self._said = -LINE_EVERY

    # At RCPT --------------------------------------------------------------------------------------

    async def admitted(
        self, resolution: Resolution, account: int, sender: str
    ) -> tuple[Verdict, Resolution]:
        """Whether mail is taken for an address that is not simply an account's, and whom it reaches."""
        if resolution.group:
            return await self._to_group(resolution, account, sender)
        resolution = self._as_can_be(resolution)
        if any(map(_leads_out, resolution.onward)) and not (await self.may_leave(account)).good:
            resolution = _without_leading_out(resolution)
            if not resolution.accounts and not resolution.onward:
                return NOT_OUTSIDE, resolution
        if resolution.internal and not await self._inside(resolution, account):
            left = tuple(one for one in resolution.accounts if one not in resolution.internal)
            if not left and not resolution.onward:
                return INSIDE_ONLY, resolution
            resolution = dataclasses.replace(resolution, accounts=left, internal=())
        if not resolution.accounts and not resolution.onward:
            return NO_OUTSIDE, resolution
        return FILED, resolution

    async def may_leave(self, account: int) -> Verdict:
        """Whether an account may write to other servers at all; nobody (0) is none of ours."""
        who = await self._book.account(account) if account else None
        return NOT_OUTSIDE if who is not None and who.internal else FILED

    async def may_submit(self, account: int) -> Verdict:
        """Whether more of what an account writes is taken into the queue."""
        if self._passing is not None and await self._passing.full_of(account):
            return TOO_MUCH_OF_YOURS
        return FILED

    async def back(self, address: str, sender: str) -> tuple[Verdict, Resolution]:
        """Whether mail to an address that has the form of a rewritten sender is taken, and whom it reaches.

        Of the null sender only: whoever forges a report gets it to the one who wrote to us first, and
        nobody else.
        """
        none = Resolution(Found.NO_SUCH_USER, address)
        rewriter = self._sending.rewriter if self._sending is not None else None
        domain = address.rpartition("@")[2].lower()
        ours = await self._book.domain(domain)
        if rewriter is None or ours is None:
            return NO_SUCH_USER, none
        if sender:
            return REPORTS_ONLY, none
        try:
            first = rewriter.decode(address)
        except BadSrs:
            return NOT_OURS_BACK, none
        local, _, name = first.rpartition("@")
        if await self._book.domain(name.lower()) is not None:  # ours since then
            found = await self._book.resolve(local, name)
            return (FILED if found.accounts else NO_SUCH_USER), found
        onward = Onward(first, address, ours.organisation)
        found = Resolution(Found.HERE, address, onward=(onward,), organisation=ours.organisation)
        return FILED, found

    def _as_can_be(self, resolution: Resolution) -> Resolution:
        """Where this server does not send, forwards rest."""
        if self._sending is not None or not resolution.onward:
            return resolution
        return _staying(resolution, resolution.onward)

    async def _inside(self, resolution: Resolution, account: int) -> bool:
        who = await self._book.account(account) if account else None
        return who is not None and who.organisation == resolution.organisation

    async def _to_group(
        self, resolution: Resolution, account: int, sender: str
    ) -> tuple[Verdict, Resolution]:
        group = await groups.group_of(self._reader, resolution.group)
        if group is None:
            return NO_SUCH_USER, resolution
        if not sender:
            # What reports on something is for those who look after the group.
            return FILED, await self._owners(group)
        who = await self._book.account(account) if account else None
        organisation = who.organisation if who is not None else 0
        why = await groups.why_not(self._reader, group, organisation, account, sender)
        if why:
            return Verdict(550, "5.7.1", f"The group {group.address} {why}"), resolution
        return FILED, resolution

    async def _owners(self, group: groups.Group) -> Resolution:
        local, _, domain = group.address.rpartition("@")
        return await self._book.resolve(f"{local}+{BOUNCES}", domain)

    # At the end of the content --------------------------------------------------------------------

    async def settled(
        self, recipients: Sequence[Recipient], sender: str, header: bytes, account: int
    ) -> Settled:
        """What of a message goes on. ``header``: the first ``MOST_HEADER`` octets of it at least;
        ``account``: who signed in, 0 nobody."""
        long = len(header) >= MOST_HEADER
        header = header[:MOST_HEADER]
        bad = LONG_HEADER if long else JUNK if junk.is_junk(header) else None
        internal = not (await self.may_leave(account)).good
        facts = _Facts(sender, header, bad, _delivered_to(header), internal)
        settled = Settled()
        found, refused = settled.recipients, settled.refused
        for at, recipient in enumerate(recipients):
            verdict: Verdict | None = None
            if recipient.resolution.group:
                recipient, verdict = await self._members(recipient, facts)
            if recipient.resolution.onward and verdict is None:
                recipient, verdict = await self._going(recipient, facts, settled.notes)
            if verdict is not None:
                refused[at] = verdict
                recipient = _nobody(recipient)
            found.append(recipient)
        if _reached(found) > MOST_REACHED:
            refused.update(dict.fromkeys(range(len(found)), TOGETHER))
            settled.recipients = [_nobody(one) for one in found]
        return settled

    async def _members(
        self, recipient: Recipient, facts: _Facts
    ) -> tuple[Recipient, Verdict | None]:
        """A group as its members, or its owners where a program answers."""
        group = await groups.group_of(self._reader, recipient.resolution.group)
        if group is None:
            return recipient, NO_SUCH_USER
        if listing.is_reply_of_a_program(facts.header):
            return dataclasses.replace(recipient, resolution=await self._owners(group)), None
        if listing.of_this_list(facts.header, group):
            return recipient, LOOP
        found = await groups.expanded(self._book, self._reader, group)
        if found.too_many:
            return recipient, TOO_MANY
        resolution = Resolution(
            Found.HERE,
            recipient.resolution.address,
            tuple(found.accounts),
            tuple(found.onward.values()),
            filtered=tuple(found.filtered),
            organisation=group.organisation,
            group=group.address,
        )
        resolution = self._as_can_be(resolution)
        if facts.internal:
            resolution = _without_leading_out(resolution)
        if not resolution.accounts and not resolution.onward:
            return recipient, NO_OUTSIDE if found.onward else NO_SUCH_USER
        if resolution.onward and await self._full(group.address, 0):
            return recipient, TOO_MUCH
        return dataclasses.replace(
            recipient, resolution=resolution, listed=listing.listed(group)
        ), None

    async def _going(
        self, recipient: Recipient, facts: _Facts, notes: list[str]
    ) -> tuple[Recipient, Verdict | None]:
        """A recipient with what can go on, or why nothing is left of it."""
        resolution = recipient.resolution
        stays: list[Onward] = []
        why = NO_OUTSIDE
        for onward in resolution.onward:
            if onward.relay and facts.bad is not LONG_HEADER:
                continue  # the mailboxes of a domain of ours
            unfit = facts.bad
            if recipient.listed is None and unfit is None:
                looped = onward.by.lower() in facts.passed
                unfit = LOOP if looped else await self._unfit(facts.sender, onward)
                if unfit is None and await self._full(onward.by, onward.account):
                    unfit = TOO_MUCH
            if unfit is NO_KEY:
                return recipient, unfit
            if unfit is not None:
                stays.append(onward)
                why = unfit
        if stays:
            addresses = ", ".join(one.address for one in stays[:MOST_NAMED])
            more = f" and {len(stays) - MOST_NAMED} more" if len(stays) > MOST_NAMED else ""
            notes.append(f"{recipient.address}: not sent on to {addresses}{more}: {why.text}")
        resolution = _staying(resolution, stays)
        if not resolution.accounts and not resolution.onward:
            return recipient, why
        return dataclasses.replace(recipient, resolution=resolution), None

    async def _full(self, by: str, account: int) -> bool:
        return self._passing is not None and await self._passing.full(by, account)

    async def _unfit(self, sender: str, onward: Onward) -> Verdict | None:
        try:
            await self.copying.rewritten(sender, onward)
        except ValueError:
            return UNFIT_SENDER
        except NodeKeyError as error:
            if time.monotonic() - self._said > LINE_EVERY:
                self._said = time.monotonic()
                log.error("mail that is to be forwarded is put off", reason=str(error))
            return NO_KEY
        return None


def _nobody(recipient: Recipient) -> Recipient:
    """One that was refused: nothing of it is filed or sent."""
    resolution = dataclasses.replace(recipient.resolution, accounts=(), onward=())
    return dataclasses.replace(recipient, resolution=resolution)


def _reached(recipients: Sequence[Recipient]) -> int:
    """Accounts and addresses that recipients reach together."""
    accounts = {one for recipient in recipients for one in recipient.resolution.accounts}
    onward = {one.address for recipient in recipients for one in recipient.resolution.onward}
    return len(accounts) + len(onward)


def _leads_out(onward: Onward) -> bool:
    """Whether it leads to another server by no account's own forward."""
    return not onward.account and not onward.relay


def _without_leading_out(resolution: Resolution) -> Resolution:
    """A resolution for who has mail inside his organisation only."""
    left = tuple(one for one in resolution.onward if not _leads_out(one))
    return dataclasses.replace(resolution, onward=left)


def _staying(resolution: Resolution, stays: Sequence[Onward]) -> Resolution:
    """A resolution without what cannot go on: it stays with whose forward it is."""
    if not stays:
        return resolution
    kept = (one.account for one in stays if one.account)
    return dataclasses.replace(
        resolution,
        accounts=tuple(dict.fromkeys((*resolution.accounts, *kept))),
        onward=tuple(one for one in resolution.onward if one not in stays),
    )


def _delivered_to(header: bytes) -> frozenset[str]:
    """Addresses at which a message has been, in lower case."""
    return frozenset(
        match[2].strip().decode("utf-8", "replace").lower()
        for match in FIELD.finditer(header)
        if match[1].rstrip().lower() == b"delivered-to"
    )
