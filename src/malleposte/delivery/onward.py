"""Mail that goes on: forwards, aliases to elsewhere, relayed domains, groups, and what comes back to a
sender that was rewritten.

Decided at RCPT as far as it can be, and at the end of the content for what only the message tells. All
that goes on stands in the queue by the transaction that files the local copies, each address once, over the
content as it came: only groups whose author's domain asks for it have a second header, once for all.

What cannot go on stays with the account whose forward it is; an alias has none, so its mail is refused.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

from malleposte.delivery import junk, listing
from malleposte.delivery.leaving import Sending
from malleposte.delivery.srs import BadSrs
from malleposte.delivery.verdict import (
    FILED,
    LOOP,
    NO_OUTSIDE,
    NO_SUCH_USER,
    Recipient,
    Reports,
    Verdict,
)
from malleposte.directory import groups
from malleposte.directory.book import Book
from malleposte.directory.resolution import Found, Onward, Resolution
from malleposte.directory.routes import BOUNCES
from malleposte.mime.headers import FIELD
from malleposte.secrets.node_key import NodeKeyError
from malleposte.store.commands import Handing
from malleposte.store.dialect import Reader

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
UNFIT_SENDER = Verdict(550, "5.1.7", "The sender's address cannot be rewritten for sending on")
NO_KEY = Verdict(451, "4.3.5", "This server cannot send mail on now; please try again later")


@dataclass(frozen=True, slots=True)
class Message:
    """What is to go on. ``header`` and ``body`` as they came; ``line``: Received; ``account``: who signed
    in, 0 nobody; ``by``: the authors' addresses; ``signatures``: of our own author, '' where nothing signs
    for him."""

    sender: str
    header: bytes
    body: bytes | memoryview
    eight_bit: bool
    line: bytes
    now: float
    account: int = 0
    by: tuple[str, ...] = ()
    signatures: bytes = b""
    reports: Reports = field(default_factory=Reports)


@dataclass(frozen=True, slots=True)
class _Leaver:
    """As ``leaving.Leaver``."""

    remote: str
    notify: str = ""
    original: str = ""


@dataclass(frozen=True, slots=True)
class Copies:
    """What goes on: ``handings`` of the message as it came, ``renamed`` with another header each."""

    handings: tuple[Handing, ...] = ()
    renamed: tuple[tuple[bytes, Handing], ...] = ()


class Onwards:
    """See the module. ``sending``: None where this server does not send: then everything stays here."""

    def __init__(self, book: Book, reader: Reader, sending: Sending | None) -> None:
        self._book = book
        self._reader = reader
        self._sending = sending

    # At RCPT --------------------------------------------------------------------------------------

    async def admitted(
        self, resolution: Resolution, account: int, sender: str
    ) -> tuple[Verdict, Resolution]:
        """Whether mail is taken for an address that is not simply an account's, and whom it reaches."""
        if resolution.group:
            return await self._to_group(resolution, account, sender)
        resolution = self._as_can_be(resolution)
        if resolution.internal and not await self._inside(resolution, account):
            left = tuple(one for one in resolution.accounts if one not in resolution.internal)
            if not left and not resolution.onward:
                return INSIDE_ONLY, resolution
            resolution = dataclasses.replace(resolution, accounts=left, internal=())
        if not resolution.accounts and not resolution.onward:
            return NO_OUTSIDE, resolution
        return FILED, resolution

    async def may_leave(self, account: int) -> Verdict:
        """Whether an account may write to other servers at all."""
        who = await self._book.account(account)
        return NOT_OUTSIDE if who is not None and who.internal else FILED

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
        self, recipients: Sequence[Recipient], sender: str, header: bytes
    ) -> tuple[list[Recipient], dict[int, Verdict]]:
        """The recipients, groups as their members, without what cannot go on; and by their place those that
        are refused."""
        bad = junk.is_junk(header)
        passed = _delivered_to(header)
        found: list[Recipient] = []
        refused: dict[int, Verdict] = {}
        for at, recipient in enumerate(recipients):
            verdict: Verdict | None = None
            if recipient.resolution.group:
                recipient, verdict = await self._members(recipient, header)
            if recipient.resolution.onward and verdict is None:
                recipient, verdict = await self._going(recipient, sender, bad, passed)
            if verdict is not None:
                refused[at] = verdict
                nobody = dataclasses.replace(recipient.resolution, accounts=(), onward=())
                recipient = dataclasses.replace(recipient, resolution=nobody)
            found.append(recipient)
        return found, refused

    async def _members(
        self, recipient: Recipient, header: bytes
    ) -> tuple[Recipient, Verdict | None]:
        """A group as its members, or its owners where a program answers."""
        group = await groups.group_of(self._reader, recipient.resolution.group)
        if group is None:
            return recipient, NO_SUCH_USER
        if listing.is_reply_of_a_program(header):
            return dataclasses.replace(recipient, resolution=await self._owners(group)), None
        if listing.of_this_list(header, group):
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
        if not resolution.accounts and not resolution.onward:
            return recipient, NO_OUTSIDE if found.onward else NO_SUCH_USER
        return dataclasses.replace(
            recipient, resolution=resolution, listed=listing.listed(group)
        ), None

    async def _going(
        self, recipient: Recipient, sender: str, bad: bool, passed: frozenset[str]
    ) -> tuple[Recipient, Verdict | None]:
        """A recipient with what can go on, or why nothing is left of it."""
        resolution = recipient.resolution
        stays: list[Onward] = []
        why = JUNK
        for onward in resolution.onward:
            if onward.relay:
                continue  # the mailboxes of a domain of ours
            if bad:
                stays.append(onward)
            elif recipient.listed is None and onward.by.lower() in passed:
                stays.append(onward)
                why = LOOP
            elif recipient.listed is None:
                unfit = await self._unfit(sender, onward)
                if unfit is NO_KEY:
                    return recipient, unfit
                if unfit is not None:
                    stays.append(onward)
                    why = unfit
        resolution = _staying(resolution, stays)
        if not resolution.accounts and not resolution.onward:
            return recipient, why
        return dataclasses.replace(recipient, resolution=resolution), None

    async def _unfit(self, sender: str, onward: Onward) -> Verdict | None:
        try:
            await self._rewritten(sender, onward)
        except ValueError:
            return UNFIT_SENDER
        except NodeKeyError:
            return NO_KEY
        return None

    async def _rewritten(self, sender: str, onward: Onward) -> str:
        """The sender under which mail goes on. Ours stays: other servers take our mail in its name."""
        if not sender or await self._book.domain(sender.rpartition("@")[2].lower()) is not None:
            return sender
        if self._sending is None or self._sending.rewriter is None:
            raise NodeKeyError("nothing rewrites senders here")
        return self._sending.rewriter.encode(sender, onward.by.rpartition("@")[2])

    async def copies(self, recipients: Sequence[Recipient], message: Message) -> Copies:
        """What goes on to other servers, each address once. Raises what the store raises."""
        sending = self._sending
        if sending is None:
            return Copies()
        done = {one.remote.lower() for one in recipients if one.leaves}
        handings: list[Handing] = []
        renamed: list[tuple[bytes, Handing]] = []
        for recipient in recipients:
            chosen = [one for one in recipient.resolution.onward if one.address.lower() not in done]
            done.update(one.address.lower() for one in chosen)
            if recipient.listed is not None and chosen:
                header, handing = await self._listed(sending, recipient.listed, chosen, message)
                if header:
                    renamed.append((header, handing))
                else:
                    handings.append(handing)
                continue
            by: dict[tuple[str, str], list[Onward]] = {}
            for one in chosen:
                by.setdefault((one.by, one.relay), []).append(one)
            for together in by.values():
                handings.append(await self._forwarded(sending, recipient, together, message))
        return Copies(tuple(handings), tuple(renamed))

    async def _forwarded(
        self, sending: Sending, recipient: Recipient, together: Sequence[Onward], message: Message
    ) -> Handing:
        """The copy for addresses that one of ours leads to."""
        first = together[0]
        seal = b""
        if first.relay:
            sender = message.sender
        else:
            sender = await self._rewritten(message.sender, first)
            seal = message.signatures or await sending.sealed(
                first.by.rpartition("@")[2], message.header, message.body, message.now
            )
        kind = "rfc822" if recipient.address.isascii() else "utf-8"
        original = recipient.original or f"{kind};{recipient.address}"
        return sending.handing(
            sender,
            [_Leaver(one.address, recipient.notify, original) for one in together],
            account=0,
            organisation=first.organisation,
            prefix=seal + b"Delivered-To: " + first.by.encode() + b"\r\n" + message.line,
            header=message.header,
            eight_bit=message.eight_bit,
            now=message.now,
            ret=message.reports.returned,
            envelope=message.reports.envelope,
            route=f"host:{first.relay}" if first.relay else "",
        )

    async def _listed(
        self,
        sending: Sending,
        listed: listing.Listed,
        chosen: Sequence[Onward],
        message: Message,
    ) -> tuple[bytes, Handing]:
        """The copy for the members of a group at other servers; and its header, where that is another."""
        domain = listed.group.address.rpartition("@")[2]
        rename = await self._renamed(sending, message, domain)
        header = b""
        if rename or listing.of_a_list(message.header):
            header = listing.as_list_mail(message.header, listed.group, rename=rename)
            prefix = await sending.signed(domain, header, message.body, message.now)
        else:
            prefix = message.signatures or await sending.sealed(
                domain, message.header, message.body, message.now
            )
            prefix += listed.fields
        handing = sending.handing(
            listed.sender,
            [_Leaver(one.address) for one in chosen],
            account=0,
            organisation=listed.group.organisation,
            prefix=prefix + message.line,
            header=header or message.header,
            eight_bit=message.eight_bit,
            now=message.now,
        )
        return header, handing

    async def _renamed(self, sending: Sending, message: Message, domain: str) -> bool:
        """Whether From must name the group."""
        own = {one.rpartition("@")[2].lower() for one in message.by}
        if message.account and (message.signatures or own == {domain}):
            return False  # ours: the signature holds, or the sender's domain is the author's
        if sending.strict is None:
            return bool(own)
        for one in own:
            if not one or await sending.strict(one):
                return True
        return False


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
