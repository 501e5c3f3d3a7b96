"""Mail on its way to other servers: what waits and why, and what a person can do about it."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from malleposte.directory.addresses import normalise
from malleposte.operations.context import Context
from malleposte.operations.errors import accepted, invalid, refusal
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import sender_number
from malleposte.operations.registry import Request, Response, operation
from malleposte.policy.audit import Detail
from malleposte.store.commands import HELD, ChangeQueued
from malleposte.store.read import queue
from malleposte.store.results import Done

State = Literal["waits", "held"]
MAX_MESSAGES = 1_000
"""Messages of one act."""


class QueuedRecipient(msgspec.Struct, frozen=True, kw_only=True):
    """One recipient. ``due_at``: when it is tried next (Unix seconds). ``said``: the last answer;
    ``way``: what is wrong with the way itself, '' for nothing."""

    n: int
    address: str
    route: str
    state: State
    due_at: int
    attempts: int
    said: str
    way: str


class QueuedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message. ``id`` is what commands name it by, ``trace`` its number in logs. Times in Unix
    seconds, ``size`` in octets."""

    id: int
    trace: int
    sender: str
    size: int
    created_at: int
    expires_at: int
    held: str
    recipients: tuple[QueuedRecipient, ...]


class ListQueue(Request, frozen=True, kw_only=True):
    """``sender``: an account's address, or a domain for what its aliases and groups send on; ``route``: a
    domain; at most one of these and ``held``."""

    after: int = 0
    sender: str = ""
    route: str = ""
    held: bool = False
    limit: int = queue.PAGE


class QueuePage(Response, frozen=True, kw_only=True):
    """``more``: ask again after the last one. ``waiting`` and ``held`` count recipients in all."""

    messages: tuple[QueuedMessage, ...]
    more: bool
    waiting: int
    held: int
    oldest: int


@operation("queue.list", ListQueue, QueuePage, audit="refused")
async def list_(context: Context, request: ListQueue, progress: Progress) -> QueuePage:
    """A page of the queue, oldest first."""
    if sum(map(bool, (request.sender, request.route, request.held))) > 1:
        raise invalid("name a sender, or a domain, or ask for what is held: one of them")
    reader = context.store.reader
    account = await sender_number(reader, request.sender) if request.sender else 0
    most = max(1, min(request.limit, queue.PAGE))
    found = await queue.page(
        reader,
        after=request.after,
        account=account,
        route=request.route.lower(),
        held=request.held,
        limit=most,
    )
    totals = await queue.totals(reader)
    return QueuePage(
        messages=tuple(map(_shown, found)),
        more=len(found) == most,
        waiting=totals.waiting,
        held=totals.held,
        oldest=totals.oldest,
    )


def _shown(message: queue.QueuedMessage) -> QueuedMessage:
    return QueuedMessage(
        id=message.id,
        trace=message.trace,
        sender=message.sender,
        size=message.size,
        created_at=message.created_at,
        expires_at=message.expires_at,
        held=message.held,
        recipients=tuple(
            QueuedRecipient(
                n=one.n,
                address=one.address,
                route=one.route,
                state="held" if one.state == HELD else "waits",
                due_at=max(one.due_at, one.closed_until),
                attempts=one.attempts,
                said=one.said,
                way=one.why if one.closed_until else "",
            )
            for one in message.recipients
        ),
    )


class OfQueued(Request, frozen=True, kw_only=True):
    """``messages`` by their ids; ``recipient``: only this address of theirs, '' all. ``sender``: in place
    of them all that this account sent (of what is held, to release it), or that a domain's aliases and
    groups send on; not for retry and redirect."""

    messages: tuple[int, ...]
    recipient: str = ""
    sender: str = ""

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        if self.sender:
            return {"sender": self.sender}
        named = " ".join(map(str, self.messages[:50]))
        return {"messages": named, **({"recipient": self.recipient} if self.recipient else {})}


class HoldQueued(OfQueued, frozen=True, kw_only=True):
    """Try nothing until it is released. ``why`` is shown in the list."""

    why: str = ""


class ReleaseQueued(OfQueued, frozen=True, kw_only=True):
    """Try what is held."""


class RetryQueued(OfQueued, frozen=True, kw_only=True):
    """Try at once, whatever the way was like."""


class RemoveQueued(OfQueued, frozen=True, kw_only=True):
    """Forget; its sender is told nothing."""


class RedirectQueued(OfQueued, frozen=True, kw_only=True):
    """Send to another address. One recipient at a time."""

    to: str


class QueueChanged(Response, frozen=True, kw_only=True):
    """How many recipients it was done for."""

    recipients: int

    def outcome(self) -> dict[str, Detail]:
        """See ``Response``."""
        return {"recipients": self.recipients}


@operation("queue.hold", HoldQueued, QueueChanged)
async def hold(context: Context, request: HoldQueued, progress: Progress) -> QueueChanged:
    """Hold messages. Again: they are held, nothing changes."""
    return await _change(context, request, "hold", said=request.why)


@operation("queue.release", ReleaseQueued, QueueChanged)
async def release(context: Context, request: ReleaseQueued, progress: Progress) -> QueueChanged:
    """Release what is held. Again: nothing changes."""
    return await _change(context, request, "release")


@operation("queue.retry", RetryQueued, QueueChanged)
async def retry(context: Context, request: RetryQueued, progress: Progress) -> QueueChanged:
    """Try at once. Again: once more at once."""
    return await _change(context, request, "retry")


@operation("queue.remove", RemoveQueued, QueueChanged)
async def remove(context: Context, request: RemoveQueued, progress: Progress) -> QueueChanged:
    """Remove messages from the queue. Again: refused, they are not in it."""
    return await _change(context, request, "remove")


@operation("queue.redirect", RedirectQueued, QueueChanged)
async def redirect(context: Context, request: RedirectQueued, progress: Progress) -> QueueChanged:
    """Send one recipient's copy to another address. Again: refused, nobody of that name waits."""
    if len(request.messages) != 1 or not request.recipient:
        raise invalid("name one message, and the recipient whose copy goes elsewhere")
    to = normalise(request.to)
    domain = to.rpartition("@")[2]
    return await _change(context, request, "redirect", address=to, route=domain)


async def _change(
    context: Context,
    request: OfQueued,
    act: str,
    *,
    said: str = "",
    address: str = "",
    route: str = "",
) -> QueueChanged:
    messages = request.messages
    if request.sender:
        return await _change_all(context, request, act, said or context.actor.name)
    if not messages:
        raise invalid("say which messages, by their numbers in the list")
    if len(messages) > MAX_MESSAGES:
        raise invalid(f"at most {MAX_MESSAGES} messages at a time")
    n = -1
    if request.recipient:
        n = await _recipient(context, messages, request.recipient)
    command = ChangeQueued(
        messages=messages,
        act=act,
        n=n,
        address=address,
        route=route,
        said=said or context.actor.name,
    )
    done = accepted(await context.carry_out(command))
    count = done.count if isinstance(done, Done) else 0
    if not count and act in ("remove", "redirect"):
        raise refusal("no-such-message", "there is no such message in the queue (any more)")
    return QueueChanged(recipients=count)


async def _change_all(context: Context, request: OfQueued, act: str, said: str) -> QueueChanged:
    """What ``_change`` does, for all messages of an account."""
    if request.messages or request.recipient or act in ("retry", "redirect"):
        raise invalid("name messages, or the account whose messages are held, released or removed")
    account = await sender_number(context.store.reader, request.sender)
    await context.begin()
    recipients, more = 0, True
    while more:
        command = ChangeQueued(messages=(), act=act, account=account, said=said)
        done = accepted(await context.store.submit(command))
        more = isinstance(done, Done) and done.more and bool(done.count)
        recipients += done.count if isinstance(done, Done) else 0
    return QueueChanged(recipients=recipients)


async def _recipient(context: Context, messages: Sequence[int], address: str) -> int:
    if len(messages) != 1:
        raise invalid("a recipient is named of one message")
    wanted = address.casefold()
    for message in await queue.these(context.store.reader, messages):
        for one in message.recipients:
            if one.address.casefold() == wanted:
                return one.n
    raise refusal("no-such-message", f"no message of this number waits for {address}")
