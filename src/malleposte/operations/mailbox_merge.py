"""Two mailboxes of an account become one: all messages of the first move into the second.

In steps, each whole, so that others are served between. A message is in one of the two at every moment,
with its flags and dates; one that is in both stays twice. Broken off, what was moved is moved. What
clients noted on the first (METADATA) goes along with its end, but for what is noted on the second.
"""

from dataclasses import dataclass
from typing import Literal

from malleposte.operations.accounts import OfAccount
from malleposte.operations.context import Context
from malleposte.operations.errors import accepted, invalid, refusal
from malleposte.operations.exchange import Exchange
from malleposte.operations.finding import account_id
from malleposte.operations.mailboxes import mailbox_of
from malleposte.operations.registry import Response, operation
from malleposte.policy.audit import Detail
from malleposte.store import Store
from malleposte.store.commands import SYSTEM, Copy, DeleteMailbox, Subscribe
from malleposte.store.ids import mailbox_id
from malleposte.store.read import mailboxes, rights
from malleposte.store.results import Copied, Refused

TRIES = 5
"""Times that the source is emptied again, where mail came before it could be removed."""
STEP = 1_000
"""Messages moved at a time: some 10 ms."""
_UIDS = "SELECT uid FROM membership WHERE mailbox = $1 ORDER BY uid LIMIT $2"

Kept = Literal["", "asked", "inbox", "has-children", "not-empty"]
"""Why the first mailbox is still there: asked for, INBOX, mailboxes below it, or mail came meanwhile."""


class MergeMailboxes(OfAccount, frozen=True, kw_only=True):
    """``source`` and ``target``: full names. ``keep``: the empty mailbox stays."""

    source: str
    target: str
    keep: bool = False

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"from": self.source, "into": self.target, "keep": self.keep or None}


class MailboxesMerged(Response, frozen=True, kw_only=True):
    """``messages``: how many the target has now. ``kept``: why the source is still there; '': it is
    not."""

    moved: int
    messages: int
    kept: Kept

    def outcome(self) -> dict[str, Detail]:
        """See ``Response``."""
        return {"moved": self.moved, "kept": self.kept or None}


@operation("mailbox.merge", MergeMailboxes, MailboxesMerged)
async def run(context: Context, request: MergeMailboxes, exchange: Exchange) -> MailboxesMerged:
    """Move all messages of one mailbox into another, and remove it.

    Again: after a break what is left is moved; after the end it is refused, the first one is gone.
    """
    reader = context.store.reader
    account = await account_id(reader, request.address)
    source = await mailbox_of(reader, account, request.source)
    target = await mailbox_of(reader, account, request.target)
    if source == target:
        raise invalid("these are one mailbox")
    if not await rights.same_lists(reader, source, target):
        raise refusal(
            "shared-otherwise",
            "the two are not shared with the same people: make their rights the same first"
            " (`malleposte mailbox rights`)",
        )
    await context.begin()
    merging = _Merging(context.store, account, source, target)
    moved = 0
    kept: Kept = "asked"
    for _ in range(TRIES):
        moved += await merging.move(exchange, moved)
        kept = "asked" if request.keep else await merging.remove()
        if kept != "not-empty":
            break
    box = await mailboxes.mailbox(reader, target)
    return MailboxesMerged(moved=moved, messages=box.messages if box else 0, kept=kept)


@dataclass(frozen=True, slots=True)
class _Merging:
    store: Store
    account: int
    source: int
    target: int

    async def move(self, exchange: Exchange, before: int) -> int:
        """Move what is in the source, and what comes while it goes on; how many. ``before``: how many
        were moved already."""
        moved = 0
        total = before + await self._messages()
        while True:
            rows = await self.store.reader.rows(_UIDS, self.source, STEP)
            if not rows:
                return moved
            if exchange.gone:
                raise ConnectionResetError("the caller went away")
            done = accepted(
                await self.store.submit(
                    Copy(
                        actor=SYSTEM,
                        mailbox=self.source,
                        uids=((rows[0][0], rows[-1][0]),),
                        target=self.target,
                        move=True,
                        deleted=True,
                    )
                )
            )
            moved += len(done.uids) if isinstance(done, Copied) else 0
            exchange.report(before + moved, max(total, before + moved), "moving")

    async def remove(self) -> Kept:
        """Remove the empty source, its name from the owner's subscriptions too; or why it stays."""
        if self.source == mailbox_id(self.account, 1):
            return "inbox"
        every = await mailboxes.mailboxes(self.store.reader, self.account)
        box = next((one for one in every if one.id == self.source), None)
        if box is None:
            return ""  # its owner was faster
        result = await self.store.submit(
            DeleteMailbox(
                actor=SYSTEM,
                mailbox=self.source,
                heir=self.target,
                entries=True,
                only_empty=True,
            )
        )
        match result:
            case Refused(reason="has-children"):
                return "has-children"
            case Refused(reason="not-empty"):
                return "not-empty"
        accepted(result)
        if box.subscribed:
            # Its mail is in the target: that is what mail programs show in its place.
            await self._subscribe(Subscribe(account=self.account, name="", mailbox=self.target))
        # A mailbox that goes leaves its name in the list.
        await self._subscribe(Subscribe(account=self.account, name=box.path, subscribed=False))
        return ""

    async def _subscribe(self, command: Subscribe) -> None:
        accepted(await self.store.submit(command))

    async def _messages(self) -> int:
        box = await mailboxes.mailbox(self.store.reader, self.source)
        return box.messages if box else 0
