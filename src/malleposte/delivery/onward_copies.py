"""The copies of a message that go on: one in the queue for all that go under one sender, over the content
as it came. Only a group whose author's domain asks for it has a second header, once for all its members.

Of what a stranger sent nobody is asked to return more than the header, or to tell of success: his address
may be another's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from malleposte.delivery import listing
from malleposte.delivery.leaving import Sending
from malleposte.delivery.passing import Passing
from malleposte.delivery.reports.arrived import without_success
from malleposte.delivery.trace_header import delivered_to
from malleposte.delivery.verdict import Recipient, Reports
from malleposte.directory.book import Book
from malleposte.directory.resolution import Onward
from malleposte.directory.senders import Counted
from malleposte.secrets.node_key import NodeKeyError
from malleposte.store.commands import Handing


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
    seals: dict[str, bytes] = field(default_factory=dict)
    """ARC sets that were made, by domain: one serves all copies in its name."""


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


class Copying:
    """Makes them. ``sending``, ``passing``: None where this server does not send: then there are none."""

    def __init__(self, book: Book, sending: Sending | None, passing: Passing | None) -> None:
        self._book = book
        self._sending = sending
        self._passing = passing

    async def rewritten(self, sender: str, onward: Onward) -> str:
        """The sender under which mail goes on. Ours stays: other servers take our mail in its name.
        Raises ``ValueError`` for one that cannot be rewritten, and ``NodeKeyError``."""
        if not sender or await self._book.domain(sender.rpartition("@")[2].lower()) is not None:
            return sender
        if self._sending is None or self._sending.rewriter is None:
            raise NodeKeyError("nothing rewrites senders here")
        return self._sending.rewriter.encode(sender, onward.by.rpartition("@")[2])

    async def copies(self, recipients: Sequence[Recipient], message: Message) -> Copies:
        """What goes on to other servers, each address once. Raises what the store raises."""
        sending, passing = self._sending, self._passing
        if sending is None or passing is None:
            return Copies()
        done = {one.remote.lower() for one in recipients if one.leaves}
        handings: list[Handing] = []
        renamed: list[tuple[bytes, Handing]] = []
        for recipient in recipients:
            chosen = [one for one in recipient.resolution.onward if one.address.lower() not in done]
            done.update(one.address.lower() for one in chosen)
            if recipient.listed is not None and chosen:
                counted = await passing.counted(recipient.listed.group.address, 0)
                header, handing = await self._listed(
                    sending, recipient.listed, chosen, message, counted
                )
                if header:
                    renamed.append((header, handing))
                else:
                    handings.append(handing)
                continue
            by: dict[tuple[str, str, int], list[Onward]] = {}
            for one in chosen:
                by.setdefault((one.by, one.relay, one.account), []).append(one)
            for (address, relay, account), together in by.items():
                # What a relay has is in mailboxes of ours.
                counted = Counted(0) if relay else await passing.counted(address, account)
                handings.append(
                    await self._forwarded(sending, recipient, together, message, counted)
                )
        return Copies(tuple(handings), tuple(renamed))

    async def _forwarded(
        self,
        sending: Sending,
        recipient: Recipient,
        together: Sequence[Onward],
        message: Message,
        counted: Counted,
    ) -> Handing:
        """The copy for addresses that one of ours leads to."""
        first = together[0]
        seal = b""
        if first.relay:
            sender = message.sender
        else:
            sender = await self.rewritten(message.sender, first)
            seal = await _sealed(sending, first.by.rpartition("@")[2], message)
        kind = "rfc822" if recipient.address.isascii() else "utf-8"
        original = recipient.original or f"{kind};{recipient.address}"
        notify = recipient.notify
        if recipient.expands or not message.account:
            notify = without_success(notify)
        return sending.handing(
            sender,
            [_Leaver(one.address, notify, original) for one in together],
            account=counted.sender,
            allowances=counted.allowances,
            by=first.by,
            organisation=first.organisation,
            prefix=seal + delivered_to(first.by) + message.line,
            header=message.header,
            eight_bit=message.eight_bit,
            now=message.now,
            ret=message.reports.returned if message.account else "HDRS",
            envelope=message.reports.envelope,
            route=f"host:{first.relay}" if first.relay else "",
        )

    async def _listed(
        self,
        sending: Sending,
        listed: listing.Listed,
        chosen: Sequence[Onward],
        message: Message,
        counted: Counted,
    ) -> tuple[bytes, Handing]:
        """The copy for the members of a group at other servers; and its header, where that is another."""
        domain = listed.group.address.rpartition("@")[2]
        rename = await self._renamed(sending, message, domain)
        header = b""
        if rename or listing.of_a_list(message.header):
            header = listing.as_list_mail(message.header, listed.group, rename=rename)
            prefix = await sending.signed(domain, header, message.body, message.now)
        else:
            prefix = await _sealed(sending, domain, message) + listed.fields
        handing = sending.handing(
            listed.sender,
            [_Leaver(one.address) for one in chosen],
            account=counted.sender,
            allowances=counted.allowances,
            by=listed.group.address,
            organisation=listed.group.organisation,
            # The next group may have its own fields in place of ours: this one stays.
            prefix=prefix + delivered_to(listed.group.address) + message.line,
            header=header or message.header,
            eight_bit=message.eight_bit,
            now=message.now,
            ret="HDRS",
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


async def _sealed(sending: Sending, domain: str, message: Message) -> bytes:
    """The signatures of our own author, else the ARC set in the name of ``domain``."""
    if message.signatures:
        return message.signatures
    if domain not in message.seals:
        message.seals[domain] = await sending.sealed(
            domain, message.header, message.body, message.now
        )
    return message.seals[domain]
