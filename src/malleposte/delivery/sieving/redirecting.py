"""Where ``redirect`` leads: to accounts and groups of ours, or to another server if policy allows that.

A message that has come by the account before (Delivered-To) is not sent on again: forwards of several
servers would hand it round in a circle. What cannot be sent on is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from malleposte import sieve
from malleposte.delivery import listing
from malleposte.delivery.leaving import Sending, addresses_in
from malleposte.delivery.listing import Listed
from malleposte.delivery.onward_copies import Copies, Copying, Message
from malleposte.delivery.passing import Passing
from malleposte.delivery.reports.arrived import without_success
from malleposte.delivery.trace_header import delivered_to
from malleposte.delivery.verdict import Recipient
from malleposte.directory import groups, resolution
from malleposte.directory.book import Account, Book
from malleposte.directory.resolution import Found
from malleposte.directory.senders import Counted
from malleposte.policy.forwarding import may_forward
from malleposte.secrets.node_key import NodeKeyError
from malleposte.store.commands import Handing
from malleposte.store.dialect import Reader

MOST: Final = 10
"""Addresses that the scripts of one account send one message to."""
_NO_SENDING: Final = "this server sends no mail to others"
MOST_LOOKED_AT: Final = 200
"""Delivered-To fields that are looked at."""


@dataclass(frozen=True, slots=True)
class Onward:
    """A recipient elsewhere. ``original``: ``type;address`` of whom it was written to."""

    remote: str
    original: str
    notify: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Where an address (``typed`` as in the script) leads: ``accounts`` of ours, ``filtered`` those that
    have something to run, ``elsewhere`` addresses with the relay they go by ('' for their own servers); a
    group's members likewise, with what it is ``listed`` by and whoever of them is ``outside``; or why it
    cannot be: ``words``."""

    accounts: tuple[int, ...] = ()
    filtered: tuple[int, ...] = ()
    elsewhere: tuple[tuple[str, str], ...] = ()
    address: str = ""
    typed: str = ""
    listed: Listed | None = None
    outside: tuple[resolution.Onward, ...] = ()
    words: str = ""

    @property
    def leads_out(self) -> int:
        """Addresses at other servers."""
        return len(self.elsewhere) + len(self.outside)


@dataclass(frozen=True, slots=True)
class Going:
    """A message that goes on, as it stands then. ``before``: lines to stand before it, Received among them;
    ``sender``: as it came; ``recipient``: whom it was written to."""

    sender: str
    recipient: str
    header: bytes
    body: bytes | memoryview
    before: bytes
    eight_bit: bool
    now: float
    notify: str = ""
    ret: str = ""
    envelope: str = ""


class CannotGo(Exception):
    """It cannot be sent on; the text says why."""


@dataclass(frozen=True, slots=True)
class Redirecting:
    """See the module. ``sending``, ``passing``: None where this server sends nothing to others."""

    reader: Reader
    book: Book
    sending: Sending | None
    passing: Passing | None

    async def target(
        self, account: Account, address: str, *, sender: str = "", header: bytes = b""
    ) -> Target:
        """Where ``address`` leads for mail of an account. ``sender`` and ``header``: the message's. Raises
        what the store raises."""
        local, _, domain = address.rpartition("@")
        found = await self.book.resolve(local, domain)
        match found.found:
            case Found.HERE if found.group:
                if not sender or listing.is_reply_of_a_program(header):
                    return Target(words="no group gets reports and replies of programs")
                return await self._group(account, address, found.group, header)
            case Found.HERE if not found.system:
                # Whether these may lead elsewhere was asked of whose forwards or aliases they are.
                elsewhere = tuple((one.address, one.relay) for one in found.onward)
                if elsewhere and self.sending is None:
                    return Target(words=_NO_SENDING)
                return Target(found.accounts, found.filtered, elsewhere, found.address, address)
            case Found.NOT_OURS if found.address:
                if self.sending is None:
                    return Target(words=_NO_SENDING)
                whole = f"{local}@{found.address.rpartition('@')[2]}"
                decision = await may_forward(self.reader, account.id, whole)
                if not decision.allowed:
                    return Target(words=decision.reason)
                return Target(elsewhere=((whole, ""),), address=whole, typed=address)
        return Target(words=f"{address} takes no mail from scripts")

    async def _group(self, account: Account, typed: str, name: str, header: bytes) -> Target:
        """A group as its members: it is the account that writes to it then."""
        group = await groups.group_of(self.reader, name)
        if group is None:
            return Target(words=f"there is no group {name}")
        why = await groups.why_not(self.reader, group, account.organisation, account.id, "")
        if why:
            return Target(words=f"the group {name} {why}")
        if listing.of_this_list(header, group):
            return Target(words="it has been at this group before")
        found = await groups.expanded(self.book, self.reader, group)
        if found.too_many:
            return Target(words=f"the group {name} has more members than one message can reach")
        outside = tuple(found.onward.values()) if self.sending is not None else ()
        if not found.accounts and not outside:
            return Target(words=f"the group {name} has no members that can be reached")
        if outside and self.passing is not None and await self.passing.full(group.address, 0):
            return Target(words="too much of the group's mail waits to be sent on")
        return Target(
            tuple(found.accounts),
            tuple(found.filtered),
            address=group.address,
            typed=typed,
            listed=listing.listed(group),
            outside=outside,
        )

    async def listed(self, account: Account, target: Target, going: Going) -> Copies:
        """The copies for members of a group at other servers. Raises what the store raises."""
        found = resolution.Resolution(
            Found.HERE, target.address, onward=target.outside, group=target.address
        )
        recipient = Recipient(target.address, found, listed=target.listed)
        message = Message(
            sender=going.sender,
            header=going.header,
            body=going.body,
            eight_bit=going.eight_bit,
            line=delivered_to(account.address) + going.before,
            now=going.now,
            by=tuple(addresses_in(going.header, b"from")),
        )
        return await Copying(self.book, self.sending, self.passing).copies([recipient], message)

    async def handing(
        self, account: Account, remotes: Sequence[str], going: Going, relay: str = ""
    ) -> Handing:
        """The copy for addresses elsewhere; ``relay``: of all of them. Raises ``CannotGo``, and what the
        store raises."""
        sending, passing = self.sending, self.passing
        if sending is None or passing is None:
            raise CannotGo(_NO_SENDING)
        domain = account.address.rpartition("@")[2]
        counted = Counted(account.id)
        if not relay:
            counted = await passing.counted(account.address, account.id)
            if await passing.full(account.address, account.id):
                raise CannotGo("too much of its mail waits to be sent on")
        sender = await self._rewritten(going.sender, domain)
        seal = await sending.sealed(domain, going.header, going.body, going.now)
        kind = "rfc822" if going.recipient.isascii() else "utf-8"
        return sending.handing(
            sender,
            # That it arrived here is told already.
            [
                Onward(one, f"{kind};{going.recipient}", without_success(going.notify))
                for one in remotes
            ],
            account=counted.sender,
            allowances=counted.allowances,
            by=account.address,
            organisation=account.organisation,
            prefix=seal + delivered_to(account.address) + going.before,
            header=going.header,
            eight_bit=going.eight_bit,
            now=going.now,
            ret=going.ret,
            envelope=going.envelope,
            route=f"host:{relay}" if relay else "",
        )

    async def _rewritten(self, sender: str, domain: str) -> str:
        """The sender under which it goes on: ours stays (SRS for others)."""
        if not sender or await self.book.domain(sender.rpartition("@")[2].lower()) is not None:
            return sender
        if self.sending is None or self.sending.rewriter is None:
            raise CannotGo("this server cannot rewrite its sender")
        try:
            return self.sending.rewriter.encode(sender, domain)
        except ValueError:
            raise CannotGo("its sender cannot be rewritten") from None
        except NodeKeyError as error:
            raise CannotGo(str(error)) from None


def came_by(message: sieve.Message, address: str) -> bool:
    """Whether a message was delivered to an address before."""
    wanted = address.lower().encode()
    looked_at = 0
    for name, value in message.fields():
        if name.lower() == b"delivered-to":
            if value.strip().lower() == wanted:
                return True
            looked_at += 1
            if looked_at >= MOST_LOOKED_AT:
                return True
    return False
