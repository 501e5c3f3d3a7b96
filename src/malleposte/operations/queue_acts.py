"""What a person does with queued mail: hold, release, try now, send elsewhere, remove."""

from collections.abc import AsyncIterator, Sequence

from malleposte.directory.addresses import normalise, normalise_domain
from malleposte.operations.context import Context
from malleposte.operations.errors import accepted, invalid, refusal
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import sender_number
from malleposte.operations.registry import Request, Response, operation
from malleposte.operations.ways import routing, way_elsewhere, way_of
from malleposte.policy.audit import Detail
from malleposte.store.commands import HELD, WAITS, ChangeQueued, Rerouted
from malleposte.store.read import queue
from malleposte.store.read.queue import QueuedMessage, QueuedRecipient
from malleposte.store.results import Done

MAX_MESSAGES = 1_000
"""Messages of one act that are named."""
AT_ONCE = 100
"""Messages in one transaction where all of a sender or a domain are meant."""
KEPT = ("here:", "host:", "opportunistic:")
"""Routes that the address alone did not choose."""


class OfQueued(Request, frozen=True, kw_only=True):
    """``messages`` by their ids; ``recipient``: only this address of theirs, '' all. In place of ids:
    ``sender``, all that this account sent (of what is held, to release it), or that a domain's aliases and
    groups send on; ``domain``, all recipients of this domain; both: those of that sender."""

    messages: tuple[int, ...] = ()
    recipient: str = ""
    sender: str = ""
    domain: str = ""

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        if self.sender or self.domain:
            return {"sender": self.sender or None, "domain": self.domain or None}
        named = " ".join(map(str, self.messages[:50]))
        return {"messages": named, **({"recipient": self.recipient} if self.recipient else {})}


class HoldQueued(OfQueued, frozen=True, kw_only=True):
    """Try nothing until it is released. ``why`` is shown in the list."""

    why: str = ""

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {**OfQueued.details(self), "why": self.why or None}


class ReleaseQueued(OfQueued, frozen=True, kw_only=True):
    """Try what is held."""


class RetryQueued(OfQueued, frozen=True, kw_only=True):
    """Try at once, whatever the way was like, by the way that it has now."""


class RemoveQueued(OfQueued, frozen=True, kw_only=True):
    """Forget; its sender is told nothing."""


class RedirectQueued(OfQueued, frozen=True, kw_only=True):
    """Send to another address. One recipient at a time."""

    to: str

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {**OfQueued.details(self), "to": self.to}


class QueueChanged(Response, frozen=True, kw_only=True):
    """How many recipients it was done for. ``rests``: this server does not send, so nothing is tried."""

    recipients: int
    rests: bool = False

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
    """Send one recipient's copy to another address, also to one of ours. Again: refused, nobody of that
    name waits."""
    if len(request.messages) != 1 or not request.recipient:
        raise invalid("name one message, and the recipient whose copy goes elsewhere")
    to = normalise(request.to)
    (message,) = await _there(context, request.messages)
    one = _recipient(message, request.recipient)
    route = await way_elsewhere(context, to, message.sender, one.address.lower())
    command = ChangeQueued(
        messages=request.messages,
        act="redirect",
        n=one.n,
        address=to,
        route=route,
        said=f"to {to}, by {context.actor.name}",
    )
    return await _carried_out(context, command)


async def _change(context: Context, request: OfQueued, act: str, *, said: str = "") -> QueueChanged:
    said = said or context.actor.name
    if request.sender or request.domain:
        return await _change_all(context, request, act, said)
    if not request.messages:
        raise invalid("say which messages, by their numbers in the list")
    if len(request.messages) > MAX_MESSAGES:
        raise invalid(f"at most {MAX_MESSAGES} messages at a time")
    if request.recipient and len(request.messages) != 1:
        raise invalid("a recipient is named of one message")
    messages = await _there(context, request.messages)
    one = _recipient(messages[0], request.recipient) if request.recipient else None
    meant = [one] if one is not None else [r for m in messages for r in m.recipients]
    if act == "retry" and meant and all(r.state == HELD for r in meant):
        named = " ".join(map(str, request.messages[:20]))
        raise refusal("held", f"it is held: `malleposte queue release {named}` sends it")
    if act == "release":
        await _not_suspended(context, messages)
    command = ChangeQueued(
        messages=request.messages,
        act=act,
        n=one.n if one is not None else -1,
        said=said,
        routes=await _ways(context, messages) if act == "retry" else (),
    )
    return await _carried_out(context, command)


async def _carried_out(context: Context, command: ChangeQueued) -> QueueChanged:
    done = accepted(await context.carry_out(command))
    count = done.count if isinstance(done, Done) else 0
    return QueueChanged(recipients=count, rests=not context.settings.sends)


async def _change_all(context: Context, request: OfQueued, act: str, said: str) -> QueueChanged:
    """What ``_change`` does, for all messages of a sender or to a domain."""
    if request.messages or request.recipient:
        raise invalid("name messages, or a sender or a domain of which all are meant")
    reader = context.store.reader
    account = await sender_number(reader, request.sender) if request.sender else 0
    domain = normalise_domain(request.domain) if request.domain else ""
    if act == "release" and account > 0:
        await _active(context, account)
    await context.begin()
    recipients = 0
    async for numbers in _pages(context, account, domain):
        messages = await queue.these(reader, numbers)
        if act == "release":
            messages = [m for m in messages if not await _is_suspended(context, m.account)]
        command = ChangeQueued(
            messages=tuple(m.id for m in messages),
            act=act,
            domain=domain,
            said=said,
            routes=await _ways(context, messages) if act == "retry" else (),
        )
        done = accepted(await context.store.submit(command))
        recipients += done.count if isinstance(done, Done) else 0
    return QueueChanged(recipients=recipients, rests=not context.settings.sends)


async def _pages(context: Context, account: int, domain: str) -> AsyncIterator[list[int]]:
    """Numbers of the messages that are meant, some at a time."""
    after = 0
    while True:
        found = await queue.numbers(
            context.store.reader, after=after, account=account, domain=domain, limit=AT_ONCE
        )
        if not found:
            return
        yield found
        after = found[-1]


async def _there(context: Context, wanted: Sequence[int]) -> list[QueuedMessage]:
    """The messages. Raises ``OperationError`` for numbers that are not in the queue."""
    found: list[QueuedMessage] = []
    for at in range(0, len(wanted), queue.PAGE):
        found += await queue.these(context.store.reader, wanted[at : at + queue.PAGE])
    gone = sorted(set(wanted) - {message.id for message in found})
    if gone:
        named = ", ".join(map(str, gone[:20]))
        raise refusal(
            "no-such-message",
            f"there is no such message in the queue (any more): {named}; what became of one, "
            "`malleposte trace` tells",
        )
    return found


def _recipient(message: QueuedMessage, address: str) -> QueuedRecipient:
    for one in message.recipients:
        if one.address.casefold() == address.casefold():
            return one
    raise refusal("no-such-message", f"no message of this number waits for {address}")


async def _ways(context: Context, messages: Sequence[QueuedMessage]) -> tuple[Rerouted, ...]:
    """Recipients that go another way by now."""
    known = await routing(context)
    found: list[Rerouted] = []
    for message in messages:
        for one in message.recipients:
            if one.state != WAITS or one.route.startswith(KEPT):
                continue
            route = await way_of(context, known, one.address, message.sender)
            if route != one.route:
                found.append(Rerouted(message=message.id, n=one.n, route=route))
    return tuple(found)


async def _not_suspended(context: Context, messages: Sequence[QueuedMessage]) -> None:
    for account in sorted({message.account for message in messages if message.account > 0}):
        await _active(context, account)


async def _active(context: Context, account: int) -> None:
    """Raises ``OperationError`` where the account is suspended."""
    if await _is_suspended(context, account):
        row = await context.store.reader.row("SELECT address FROM account WHERE id = $1", account)
        address = row[0] if row is not None else "its sender"
        raise refusal(
            "suspended",
            f"{address} is suspended: `malleposte account enable {address}` first, or remove the mail",
        )


async def _is_suspended(context: Context, account: int) -> bool:
    if account <= 0:
        return False
    row = await context.store.reader.row("SELECT status FROM account WHERE id = $1", account)
    return row is not None and row[0] == "suspended"
